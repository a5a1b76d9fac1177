from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.paper.curves import draw_learning_curves, read_losses


def test_losses_are_the_mean_of_the_folds_by_epoch(tmp_path: Path) -> None:
    for name, losses in {"one": (2.0, 1.0), "two": (4.0, 2.0)}.items():
        rows = [f"{epoch},{loss}" for epoch, loss in enumerate(losses, 1)]
        (tmp_path / name).write_text("\n".join(["epoch,train_loss", *rows]))
    found = read_losses([tmp_path / "one", tmp_path / "two"])
    assert found.tolist() == [3.0, 1.5]


@pytest.mark.parametrize("systems", [1, 8])
def test_curves_of_one_and_of_all_systems_are_drawn(tmp_path: Path, systems: int) -> None:
    losses = {f"net_{place}": np.linspace(2, 1 / (place + 1), 5) for place in range(systems)}
    draw_learning_curves(losses, tmp_path / "curves.png")
    pixels = np.asarray(Image.open(tmp_path / "curves.png").convert("RGB"))
    blue = (pixels == (31, 119, 180)).all(axis=2)
    assert blue.any(axis=1).sum() > 20
