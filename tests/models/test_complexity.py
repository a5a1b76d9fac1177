from __future__ import annotations

import pytest
import torch
from torch import nn

from hierattn.models.complexity import count_multiply_adds, count_parameters
from hierattn.models.registry import create_model

# Billions of multiply-adds at 256 and 224, from the reference page.
PUBLISHED = {
    "hierattn_xs": (0.411, 0.305),
    "hierattn_s": (1.031, 0.778),
    "hierattn_m": (2.015, 1.537),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_agrees_with_the_reference_page(name: str) -> None:
    model = create_model(name)
    counted = tuple(round(count_multiply_adds(model, size) / 1e9, 3) for size in (256, 224))
    assert counted == PUBLISHED[name]


def test_counts_what_can_be_counted_by_hand() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    )
    assert count_multiply_adds(model, 16) == 8 * 8 * (8 * 27 + 8 * 9) + 8 * 5
    assert count_parameters(model) == 8 * 27 + 8 * 9 + 8 + 8 * 5 + 5


def test_leaves_the_model_as_it_was() -> None:
    model = create_model("hierattn_xs").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count_multiply_adds(model, 64)
    assert model.training
    assert not any(part._forward_pre_hooks for part in model.modules())
    assert all(torch.equal(value, before[n]) for n, value in model.state_dict().items())
