from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from export.debug.torch_trace import TorchStep, trace_torch
from export.errors import ExportError

IMAGE = np.random.default_rng(0).random((1, 3, 8, 8), dtype=np.float32)


class Functional(nn.Module):
    """Mixes modules, functional calls, views, an in-place operation and a dead branch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.act = nn.ReLU(inplace=True)
        self.linear = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.conv(x))
        (y * 3).sum()
        tokens = y.flatten(2).transpose(1, 2).contiguous()
        return F.softmax(self.linear(tokens), dim=-1).mean(1)


def test_every_operation_is_named_with_its_module_and_its_inputs() -> None:
    torch.manual_seed(0)
    model = Functional().eval()
    steps = trace_torch(model, IMAGE)
    named = [(step.module, step.operation) for step in steps]
    assert named == [
        ("conv", "convolution"),
        ("act", "relu"),
        ("linear", "addmm"),
        ("", "softmax"),
        ("", "mean"),
    ]
    earlier: list[TorchStep] = []
    for step in steps:
        assert step.inputs == ({earlier[-1].index} if earlier else set())
        earlier.append(step)
    with torch.no_grad():
        conv = model.conv(torch.from_numpy(IMAGE))
    # The in-place operation after it has not changed what was noted.
    assert np.array_equal(steps[0].value, conv.numpy())
    assert (steps[0].value < 0).any() and not (steps[1].value < 0).any()
    assert np.array_equal(steps[-1].value, model(torch.from_numpy(IMAGE)).detach().numpy())


def test_branches_are_followed() -> None:
    class Branches(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            left, right = x.exp(), x.sin()
            return torch.cat([left, right + left], 1).sum((2, 3))

    exp, sin, add, cat, total = trace_torch(Branches().eval(), IMAGE)
    assert add.inputs == {exp.index, sin.index}
    assert cat.inputs == {exp.index, add.index}
    assert total.inputs == {cat.index}


def test_a_module_called_twice_keeps_its_name() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared = nn.Tanh()

        def forward(self, x: Tensor) -> Tensor:
            return self.shared(self.shared(x)).sum((2, 3))

    assert [step.module for step in trace_torch(Twice().eval(), IMAGE)] == ["shared", "shared", ""]


def test_later_steps_start_from_the_substitute() -> None:
    torch.manual_seed(0)
    model = Functional().eval()

    def substitute(step: TorchStep) -> np.ndarray | None:
        return np.ones_like(step.value) if step.operation == "relu" else None

    steps = trace_torch(model, IMAGE, substitute)
    with torch.no_grad():
        wanted = model.linear(torch.ones(1, 36, 4)).softmax(-1).mean(1)
    assert np.allclose(steps[-1].value, wanted.numpy(), atol=1e-7)


def test_nothing_is_left_behind_on_the_model() -> None:
    class Broken(Functional):
        def forward(self, x: Tensor) -> Tensor:
            self.conv(x)
            raise ZeroDivisionError

    model = Broken().eval()
    with pytest.raises(ZeroDivisionError):
        trace_torch(model, IMAGE)
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks


@pytest.mark.parametrize("answer", ["constant", "image", "pair"])
def test_a_network_without_logits_is_refused(answer: str) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> object:
            return {"constant": torch.ones(1, 2), "image": x.view(1, -1), "pair": (x, x)}[answer]

    with pytest.raises(ExportError, match="one tensor"):
        trace_torch(Odd().eval(), IMAGE)
