from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.errors import ExportError
from export.formats.tflite.archive import append_archive, split_archive
from export.formats.tflite.flatbuffer import pack, read_tflite
from export.formats.tflite.format import TfliteFormat
from export.formats.tflite.half_arithmetic import HINT_NAME, allow_half_arithmetic
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from hierattn.common.files import file_sha256
from tests.export.formats.tflite.products import product_model
from tests.export.formats.tflite.tiny import images, tiny_source

Written = dict[Precision, tuple[Path, QuantisationRecord]]


def has_hint(model: Any) -> bool:
    return any(entry.name == HINT_NAME.encode() for entry in model.metadata or [])


def test_fp16_alone_allows_it_and_says_so(tiny_tflite: Written) -> None:
    for precision, (path, done) in tiny_tflite.items():
        model, _ = read_tflite(split_archive(path.read_bytes(), path)[0], path)
        assert has_hint(model) is (precision is Precision.FP16)
        assert ("ARMv8.2" in done.scheme) is (precision is Precision.FP16)


def test_the_file_is_the_same_every_time(tiny_tflite: Written, tmp_path: Path) -> None:
    source, writer = tiny_source(), TfliteFormat()
    again = tmp_path / "again.tflite"
    writer.write(writer.convert(source, tmp_path), source, Precision.FP16, again)
    assert file_sha256(again) == file_sha256(tiny_tflite[Precision.FP16][0])


def test_answers_on_this_machine_are_those_without_it(tiny_tflite: Written, tmp_path: Path) -> None:
    cpu = Path("/proc/cpuinfo")
    known = cpu.read_text() if cpu.is_file() else ""
    if not re.search(r"^vendor_id", known, re.MULTILINE) or "avx512_fp16" in known:
        pytest.skip("this processor may compute in half precision")
    path, writer = tiny_tflite[Precision.FP16][0], TfliteFormat()
    flatbuffer, description = split_archive(path.read_bytes(), path)
    model, _ = read_tflite(flatbuffer, path)
    model.metadata = [entry for entry in model.metadata if entry.name != HINT_NAME.encode()]
    without = tmp_path / "without.tflite"
    without.write_bytes(append_archive(pack(model), description))
    batch = images(4, seed=8)
    np.testing.assert_array_equal(
        writer.load(path, threads=1)(batch), writer.load(without, threads=1)(batch)
    )


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("halved", [False, True])
def test_a_product_that_phones_would_refuse_is_refused_here(left: bool, halved: bool) -> None:
    model = product_model(left=left, halved=halved)
    with pytest.raises(ExportError, match="logits: a BATCH_MATMUL with a constant"):
        allow_half_arithmetic(model)
    assert not has_hint(model)
