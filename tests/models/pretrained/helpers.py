"""Weight files for the tests, and their tensors compared."""

from pathlib import Path

import torch
from torch import Tensor


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


def saved(tmp_path: Path, state_dict: dict[str, Tensor]) -> Path:
    torch.save(state_dict, tmp_path / "init.pt")
    return tmp_path / "init.pt"
