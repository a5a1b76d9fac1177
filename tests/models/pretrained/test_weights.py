from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from hierattn.errors import CheckpointError
from hierattn.models.pretrained.initialise import (
    initialise,
)
from hierattn.models.pretrained.weights import read_state_dict
from hierattn.models.registry import create_model
from tests.models.pretrained.helpers import same, saved

SMALL = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


@pytest.mark.parametrize("key", [None, "state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("zipped", [True, False])
def test_reads_pytorch_files(tmp_path: Path, key: str | None, zipped: bool) -> None:
    path = tmp_path / "weights.bin"
    content: Any = SMALL if key is None else {key: SMALL, "epoch": 3}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert same(read_state_dict(path), SMALL)


def test_reads_safetensors_run_folders_and_dataparallel(tmp_path: Path) -> None:
    wrapped = {f"module.{name}": value for name, value in SMALL.items()}
    safetensors.torch.save_file(wrapped, tmp_path / "model.safetensors")
    assert same(read_state_dict(tmp_path / "model.safetensors"), SMALL)
    assert same(read_state_dict(tmp_path), SMALL)
    # The content decides, not the suffix.
    (tmp_path / "model.safetensors").rename(tmp_path / "odd.pt")
    assert same(read_state_dict(tmp_path / "odd.pt"), SMALL)


class _Payload:
    """Unpickling this with the ordinary loader would create a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.target,)


def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pt", tmp_path / "proof"
    torch.save({"state_dict": SMALL, "extra": _Payload(target)}, path)
    with pytest.raises(CheckpointError, match=r"evil\.pt: holds pickled objects"):
        read_state_dict(path)
    assert not target.exists()


def test_a_pickled_module_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(CheckpointError, match="pickled objects"):
        read_state_dict(tmp_path / "module.pt")


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_truncated_files_are_told_in_one_line(tmp_path: Path, kind: str, share: float) -> None:
    path = tmp_path / "cut.pt"
    if kind == "safetensors":
        safetensors.torch.save_file(SMALL, path)
    else:
        torch.save(SMALL, path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: max(10, int(share * len(content)))])
    with pytest.raises(CheckpointError) as caught:
        read_state_dict(path)
    assert "cut.pt: damaged or truncated" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_bad_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such weight file"):
        read_state_dict(tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match=r"no model\.safetensors in this folder"):
        read_state_dict(tmp_path)
    (tmp_path / "empty.pt").touch()
    with pytest.raises(CheckpointError, match=r"empty\.pt: the weight file is empty"):
        read_state_dict(tmp_path / "empty.pt")
    (tmp_path / "notes.pt").write_text("these are not weights")
    with pytest.raises(CheckpointError, match="not a weight file"):
        read_state_dict(tmp_path / "notes.pt")
    torch.save({"epoch": 3}, tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match="no tensors"):
        read_state_dict(tmp_path / "none.pt")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pytorch_file_under_a_safetensors_name_is_read(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "odd.safetensors"
    torch.save(SMALL, path, _use_new_zipfile_serialization=zipped)
    assert same(read_state_dict(path), SMALL)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(CheckpointError, match=r"odd\.safetensors: damaged or truncated"):
        read_state_dict(path)


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")
@pytest.mark.filterwarnings("ignore:torch.quantize:UserWarning")
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: torch.ones(2).to_sparse(), "sparse"),
        (lambda: torch.ones(2, 2).to_sparse_csr(), "sparse"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "quantised"),
        (lambda: torch.empty(2, device="meta"), "without values"),
        (lambda: torch.ones(2, dtype=torch.complex64), "complex"),
        (lambda: torch.tensor([1.0, float("nan")]), "not finite"),
        (lambda: torch.tensor([1.0, float("-inf")]), "not finite"),
        (lambda: torch.tensor([1.0, float("nan")]).to(torch.float8_e4m3fn), "not finite"),
    ],
)
def test_tensors_that_cannot_be_weights_are_named(
    tmp_path: Path, make: Callable[[], Tensor], what: str
) -> None:
    torch.save({"good": torch.ones(1), "odd.bias": make()}, tmp_path / "odd.pt")
    with pytest.raises(CheckpointError, match=rf"odd\.pt: tensor odd\.bias .*{what}") as caught:
        read_state_dict(tmp_path / "odd.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_whole_numbers_are_no_parameters_but_may_count_batches(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    model = create_model("hierattn_xs")
    before = {n: v.clone() for n, v in model.state_dict().items()}
    state_dict = dict(before)
    assert any(n.endswith("num_batches_tracked") for n in before)
    initialise(model, "hierattn_xs", saved(tmp_path, state_dict))
    state_dict["stem.conv.weight"] = state_dict["stem.conv.weight"].to(dtype)
    with pytest.raises(CheckpointError, match=r"init\.pt: .*stem\.conv\.weight .*whole numbers"):
        initialise(model, "hierattn_xs", saved(tmp_path, state_dict))
    assert same(model.state_dict(), before)


def test_warnings_of_torch_about_pickles_do_not_reach_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*args: object, **kwargs: object) -> dict[str, Tensor]:
        warnings.warn("detected pickle protocol 3", UserWarning, stacklevel=2)
        warnings.warn("something else", RuntimeWarning, stacklevel=2)
        return SMALL

    path = saved(tmp_path, SMALL)
    monkeypatch.setattr(torch, "load", load)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read_state_dict(path)
    assert [warning.category for warning in seen] == [RuntimeWarning]
