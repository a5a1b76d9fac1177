import dataclasses
import errno
import pickle
import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from hierattn.errors import CheckpointError, HierAttnError
from hierattn.training.run.checkpoint import (
    SCHEMA,
    HistoryRow,
    TrainingState,
    load_state,
    save_state,
)

ROW = HistoryRow(1, 1e-3, 64, 1.5, None, None, None, 10.0, 2.0)


def make_state() -> TrainingState:
    weight = torch.arange(6.0).reshape(2, 3)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(weight).sum().backward()
    optimizer.step()
    return TrainingState(
        config={"epochs": 3},
        data="photos",
        data_sha256="0" * 64,
        skip_unreadable=False,
        calibration=None,
        processes=1,
        bf16=False,
        initialisation=None,
        frozen=["weight"],
        epoch=1,
        model=model.state_dict(),
        ema=None,
        optimizer=optimizer.state_dict(),
        best={"weight": weight},
        best_epoch=1,
        best_score=float("-inf"),
        history=[dataclasses.asdict(ROW)],
    )


def test_a_state_reads_back_to_the_bit(tmp_path: Path) -> None:
    state = make_state()
    save_state(tmp_path / "last.ckpt", state)
    back = load_state(tmp_path / "last.ckpt")
    for name in ("model", "best"):
        expected = getattr(state, name)
        assert {key: torch.equal(value, expected[key]) for key, value in
                getattr(back, name).items()} == dict.fromkeys(expected, True)  # fmt: skip
    moments, expected = back.optimizer["state"][0], state.optimizer["state"][0]
    assert torch.equal(moments["exp_avg"], expected["exp_avg"])
    tensors = {"model", "best", "optimizer"}
    for field in dataclasses.fields(TrainingState):
        if field.name not in tensors:
            assert getattr(back, field.name) == getattr(state, field.name), field.name
    assert HistoryRow(**back.history[0]) == ROW


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"last\.ckpt: no checkpoint to resume from"):
        load_state(tmp_path / "last.ckpt")


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", b"PK\x03\x04", b"\x80\x02", b"\0" * 99])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last\.ckpt: damaged, or not a training checkpoint"):
        load_state(path)


@pytest.mark.parametrize(
    "content",
    [
        {"schema": SCHEMA + 1},
        {"weight": torch.zeros(1)},
        {"schema": SCHEMA, "epoch": 1},
        [1, 2],
        torch.zeros(2),
    ],
)
def test_files_of_another_schema_are_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match=f"schema {SCHEMA}"):
        load_state(tmp_path / "last.ckpt")


def test_damage_is_found_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    state = make_state()
    save_state(path, state)
    whole = path.read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(120):
        changed = bytearray(whole)
        for _ in range(random.integers(1, 5)):
            changed[random.integers(0, len(changed))] = random.integers(0, 256)
        path.write_bytes(changed)
        try:
            assert repr(load_state(path)) == repr(state)
        except CheckpointError:
            refused += 1
    assert 40 < refused < 120


def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    save_state(path, make_state())

    def closed(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", closed)
    with pytest.raises(CheckpointError, match=r"ckpt: cannot be read \(Permission denied\)$"):
        load_state(path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
def test_random_damage_is_read_or_refused_but_never_crashes(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "last.ckpt"
    state = make_state()
    content = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    torch.save({"schema": SCHEMA, **content}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    random = np.random.default_rng(2)
    refused = 0
    for _ in range(200):
        changed = bytearray(whole)
        for _ in range(random.integers(1, 5)):
            changed[random.integers(0, len(changed))] = random.integers(0, 256)
        path.write_bytes(changed[: random.integers(1, len(changed) + 1)])
        try:
            load_state(path)
        except CheckpointError:
            refused += 1
    assert refused > 100


class Touch:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("bare", [True, False])
def test_no_code_in_a_checkpoint_is_run(tmp_path: Path, bare: bool) -> None:
    path, trace = tmp_path / "last.ckpt", tmp_path / "trace"
    content = {"schema": SCHEMA, "epoch": Touch(trace)}
    if bare:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError):
        load_state(path)
    assert not trace.exists()


def test_a_failed_write_leaves_the_last_checkpoint_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "last.ckpt"
    save_state(path, make_state())
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (0, 100, len(before) - 1):
        # Past this size a write fails, as it does on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
        try:
            with pytest.raises(HierAttnError, match=r"^cannot write .*last.ckpt: File too large$"):
                save_state(path, make_state())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(HierAttnError, match="cannot write"):
        save_state(tmp_path / "file" / "last.ckpt", make_state())
