import io
from pathlib import Path

import numpy as np
import pytest
import torch

from hierattn.errors import CheckpointError
from hierattn.models.pretrained.archives import archive_fault
from hierattn.models.pretrained.weights import read_state_dict

WEIGHTS = {"layer.weight": torch.arange(4096.0).view(64, 64)}


def test_whole_files_and_other_files_have_no_fault() -> None:
    whole = io.BytesIO()
    torch.save(WEIGHTS, whole)
    assert archive_fault(whole) is None
    assert archive_fault(io.BytesIO(b"no archive")) is None


def test_files_without_checksums_are_read(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(WEIGHTS, tmp_path / "weights.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(
        read_state_dict(tmp_path / "weights.pt")["layer.weight"], WEIGHTS["layer.weight"]
    )


def test_a_changed_weight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(WEIGHTS, path)
    changed = bytearray(path.read_bytes())
    place = changed.index(np.float32(2048).tobytes())
    changed[place] ^= 1
    path.write_bytes(changed)
    with pytest.raises(CheckpointError, match=r"weights\.pt: damaged .*checksum of weights/data/0"):
        read_state_dict(path)


def test_an_archive_of_several_disks_is_a_fault_and_no_traceback() -> None:
    whole = io.BytesIO()
    torch.save(WEIGHTS, whole)
    content = bytearray(whole.getvalue())
    locator = content.rindex(b"PK\x06\x07") if b"PK\x06\x07" in content else None
    assert locator is not None, "torch writes zip64 archives"
    content[locator + 16] = 9
    assert "multiple disks" in str(archive_fault(io.BytesIO(content)))
