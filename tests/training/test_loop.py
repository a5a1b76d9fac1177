from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hierattn.errors import TrainingError
from hierattn.training.distributed import ProcessGroup
from hierattn.training.loop import TrainingLoop, TrainingPhotos
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.recipe.schedule import learning_rate

Part = tuple[np.ndarray, np.ndarray]
ALONE = ProcessGroup(0, 1, torch.device("cpu"))
PLAIN = {
    "image_size": 64, "epochs": 4, "batch_size": 8, "augmentation": "none", "mixup": 0.0,
    "label_smoothing": 0.0, "sampling_power": 0.0, "logit_adjustment": 0.0, "warmup_epochs": 0.0,
    "ema_decay": 0.0, "precision": "fp32", "lr": 0.02,
}  # fmt: skip


class Tiny(nn.Module):
    """Learns light from dark in seconds, and notes the sides of what it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )
        self.classifier = nn.Linear(4, 2)
        self.sides: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.sides.append(images.shape[-1])
        return self.classifier(self.body(images).flatten(1))


class Silent(nn.Module):
    """Says 0 for every class, whatever it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        return (self.scale * images.mean((1, 2, 3))).unsqueeze(1).expand(-1, 2)


def pictures(dark: int = 16, light: int = 16, seed: int = 0) -> Part:
    labels = np.repeat(np.array([0, 1]), [dark, light])
    noise = np.random.default_rng(seed).integers(0, 90, (len(labels), 64, 64, 3))
    return (noise + 140 * labels[:, None, None, None]).astype(np.uint8), labels


def make_config(**fields: Any) -> TrainingConfig:
    return build_config(**{**PLAIN, **fields})


def make_loop(
    config: TrainingConfig,
    model: nn.Module | None = None,
    training: Part | None = None,
    **more: Any,
) -> TrainingLoop:
    torch.manual_seed(0)
    learnt, judged = training or pictures(), more.pop("validation", pictures(4, 4, seed=1))
    photos = TrainingPhotos(*(np.concatenate(pair) for pair in zip(learnt, judged, strict=True)))
    indices = np.split(np.arange(len(photos.labels)), [len(learnt[1])])
    more.setdefault("bf16", config.precision == "bf16")
    return TrainingLoop(config, ALONE, model or Tiny(), 2, photos, *indices, **more)


def run(loop: TrainingLoop, epochs: int | None = None) -> list[Any]:
    return [loop.run_epoch(e, lambda: None) for e in range(epochs or loop.config.epochs)]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_either_precision_learns(precision: str) -> None:
    rows = run(make_loop(make_config(precision=precision)))
    assert rows[-1].train_loss < 0.6 * rows[0].train_loss
    assert rows[-1].validation_accuracy == rows[-1].validation_balanced_accuracy == 1.0
    assert [row.epoch for row in rows] == [1, 2, 3, 4]


def test_the_precision_is_the_one_asked_for() -> None:
    states = [make_loop(make_config(precision=name)) for name in ("fp32", "bf16")]
    for loop in states:
        run(loop, 1)
    exact, quick = (loop.inference_state()["classifier.weight"] for loop in states)
    assert exact.dtype == quick.dtype == torch.float32
    assert not torch.equal(exact, quick)
    assert torch.allclose(exact, quick, atol=0.05)


def test_the_average_is_what_ships_where_there_is_one() -> None:
    plain, smooth = make_loop(make_config()), make_loop(make_config(ema_decay=0.9))
    for loop in (plain, smooth):
        run(loop, 2)
    assert plain.ema is None and smooth.ema is not None
    weights = smooth.model.state_dict()
    # Averaging only watches: both models were trained alike.
    assert torch.equal(plain.inference_state()["classifier.weight"], weights["classifier.weight"])
    shipped = smooth.inference_state()
    assert shipped.keys() == weights.keys()
    assert torch.equal(shipped["classifier.weight"], smooth.ema.module.classifier.weight)
    assert not torch.equal(shipped["classifier.weight"], weights["classifier.weight"])


def test_the_state_to_ship_does_not_change_with_later_epochs() -> None:
    loop = make_loop(make_config())
    run(loop, 1)
    state = loop.inference_state()
    kept = {name: value.clone() for name, value in state.items()}
    loop.run_epoch(1, lambda: None)
    assert all(torch.equal(state[name], kept[name]) for name in kept)
    assert not torch.equal(loop.inference_state()["classifier.weight"], kept["classifier.weight"])


def test_a_seed_gives_its_weights_again_and_another_seed_others() -> None:
    def weights(seed: int) -> Tensor:
        loop = make_loop(make_config(seed=seed, augmentation="strong", mixup=0.2))
        run(loop, 1)
        return loop.inference_state()["classifier.weight"]

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_logit_adjustment_is_tau_log_prior(tau: float, smoothing: float) -> None:
    config = make_config(logit_adjustment=tau, label_smoothing=smoothing, lr=1e-9, batch_size=32)
    loop = make_loop(config, Silent(), pictures(24, 8))
    shares = np.array([0.75, 0.25])
    log = np.log(shares**tau / (shares**tau).sum())
    # Cross-entropy of the answer "nothing", against targets smoothed over both classes.
    expected = -((1 - smoothing) * (shares @ log) + smoothing * log.mean())
    assert run(loop, 1)[0].train_loss == pytest.approx(expected, abs=1e-5)


def test_without_validation_there_are_no_validation_figures() -> None:
    nothing = (np.zeros((0, 64, 64, 3), np.uint8), np.zeros(0, np.int64))
    row = run(make_loop(make_config(), validation=nothing), 1)[0]
    assert row.validation_loss is row.validation_accuracy is None
    assert row.validation_balanced_accuracy is None
    assert np.isfinite(row.train_loss)


def test_frozen_tensors_move_only_once_their_epochs_are_over() -> None:
    frozen = frozenset({"body.0.weight", "body.0.bias"})
    loop = make_loop(make_config(freeze_epochs=2, weight_decay=0.5), frozen=frozen)
    start = loop.inference_state()
    run(loop, 2)
    held = loop.inference_state()
    assert all(torch.equal(held[name], start[name]) for name in frozen)
    assert not torch.equal(held["classifier.weight"], start["classifier.weight"])
    loop.run_epoch(2, lambda: None)
    freed = loop.inference_state()
    assert not any(torch.equal(freed[name], start[name]) for name in frozen)


def test_images_grow_as_the_recipe_says() -> None:
    model = Tiny()
    pixels, labels = pictures(4, 4)
    pixels = pixels.repeat(2, 1).repeat(2, 2)
    config = make_config(image_size=128, start_image_size=64, full_size_from=1.0, epochs=5)
    nothing = (np.zeros((0, 128, 128, 3), np.uint8), np.zeros(0, np.int64))
    loop = make_loop(config, model, (pixels, labels), validation=nothing)
    rows = run(loop)
    assert model.sides == [config.size_at(epoch) for epoch in range(5)]
    assert [row.image_size for row in rows] == model.sides
    assert model.sides[0] == 64 and len(set(model.sides)) > 1


def test_every_photo_is_used_and_every_batch_counted() -> None:
    seen: list[int] = []
    model = Tiny()
    model.register_forward_pre_hook(
        lambda module, inputs: seen.append(len(inputs[0])) if module.training else None
    )
    loop = make_loop(make_config(batch_size=10), model, pictures(17, 16))
    steps = []
    loop.run_epoch(0, lambda: steps.append(1))
    assert len(steps) == loop.steps == len(seen) == 3
    assert sum(seen) == 33
    # A last batch of three would upset the running statistics.
    assert max(seen) - min(seen) <= 1


def test_the_learning_rate_follows_the_schedule_within_an_epoch() -> None:
    config = make_config(warmup_epochs=2.0)
    loop = make_loop(config)
    rates: list[float] = []
    loop.optimizer.register_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[1]["lr"])
    )
    rows = run(loop, 2)
    assert rates == [learning_rate(config, step / 4) for step in range(8)]
    assert [row.learning_rate for row in rows] == rates[::4]


def test_only_matrices_and_kernels_decay() -> None:
    model = Tiny()
    loop = make_loop(make_config(weight_decay=0.3), model)
    decay = {
        id(parameter): group["weight_decay"]
        for group in loop.optimizer.param_groups
        for parameter in group["params"]
    }
    found = {name: decay[id(parameter)] for name, parameter in model.named_parameters()}
    assert {name for name, value in found.items() if value == 0.3} == {
        "body.0.weight",
        "classifier.weight",
    }
    assert {value for name, value in found.items() if name.endswith("bias")} == {0.0}


def test_a_loss_that_is_not_finite_stops_at_once_with_advice() -> None:
    model = Tiny()
    loop = make_loop(make_config(), model)
    with torch.no_grad():
        model.classifier.bias.fill_(float("inf"))
    steps: list[int] = []
    with pytest.raises(TrainingError, match="not finite in epoch 3; lower --lr"):
        loop.run_epoch(2, lambda: steps.append(1))
    assert steps == []
