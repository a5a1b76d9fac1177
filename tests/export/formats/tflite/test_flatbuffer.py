from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export.errors import ArtefactError
from export.formats.tflite.archive import append_archive, split_archive
from export.formats.tflite.flatbuffer import operator_kinds, pack, read_tflite
from export.formats.tflite.format import TfliteFormat
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Precision
from hierattn.preprocessing import PreprocessSpec
from tests.export.formats.tflite.tiny import tiny_description

PATH = Path("some.tflite")

Written = dict[Precision, tuple[Path, QuantisationRecord]]


@pytest.fixture(scope="session")
def model(tiny_tflite: Written) -> bytes:
    path = tiny_tflite[Precision.INT8][0]
    return split_archive(path.read_bytes(), path)[0]


@pytest.mark.slow
def test_packing_what_was_parsed_gives_the_same_bytes(model: bytes) -> None:
    parsed, packed = read_tflite(model, PATH)
    assert packed == model
    assert {"CONV_2D", "FULLY_CONNECTED"} <= set(operator_kinds(parsed))


def test_both_fields_of_an_operator_code_are_written(tiny_tflite: Written) -> None:
    """Some readers look at the older field alone, where 0 is ADD."""
    from ai_edge_litert.schema_py_generated import BuiltinOperator

    for path, _ in tiny_tflite.values():
        parsed, _ = read_tflite(split_archive(path.read_bytes(), path)[0], path)
        for code in parsed.operatorCodes:
            assert code.deprecatedBuiltinCode == min(code.builtinCode, 127)
    parsed.operatorCodes[0].builtinCode = BuiltinOperator.RELU_0_TO_1
    again, _ = read_tflite(pack(parsed), path)
    assert again.operatorCodes[0].deprecatedBuiltinCode == 127
    assert again.operatorCodes[0].builtinCode == BuiltinOperator.RELU_0_TO_1 > 127


def test_constants_are_aligned_as_the_schema_asks(model: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    table = schema.Model.GetRootAs(model)
    seen = 0
    for index in range(table.BuffersLength()):
        buffer = table.Buffers(index)
        if not buffer.DataIsNone():
            view = buffer.DataAsNumpy()
            start = view.__array_interface__["data"][0]
            origin = np.frombuffer(model, np.uint8).__array_interface__["data"][0]
            assert (start - origin) % 16 == 0
            seen += 1
    assert seen > 5


def changed(model: bytes, change: Any) -> bytes:
    parsed, _ = read_tflite(model, PATH)
    change(parsed, parsed.subgraphs[0])
    return pack(parsed)


@pytest.mark.parametrize(
    "change",
    [
        lambda m, g: setattr(g.operators[0], "inputs", np.array([9999], np.int32)),
        lambda m, g: setattr(g.operators[0], "outputs", np.array([-1], np.int32)),
        lambda m, g: setattr(g.operators[3], "opcodeIndex", 200),
        lambda m, g: setattr(g.tensors[2], "buffer", 9999),
        lambda m, g: setattr(g.tensors[2], "type", 17),
        lambda m, g: setattr(g.tensors[2], "name", b"\xff"),
        lambda m, g: setattr(g.tensors[0], "shape", np.array([1, -5, 5, 3], np.int32)),
        lambda m, g: setattr(g, "outputs", np.array([9999], np.int32)),
        lambda m, g: setattr(g, "inputs", None),
        lambda m, g: setattr(
            m.buffers[max(t.buffer for t in g.tensors)], "data", np.zeros(3, np.uint8)
        ),
        lambda m, g: setattr(m, "subgraphs", []),
        lambda m, g: setattr(m.metadata[0], "buffer", 9999),
        lambda m, g: setattr(m.signatureDefs[0].outputs[0], "tensorIndex", 9999),
    ],
)
def test_references_out_of_bounds_are_refused(model: bytes, change: Any) -> None:
    with pytest.raises(ArtefactError, match=r"some\.tflite"):
        read_tflite(changed(model, change), PATH)


@given(place=st.integers(0, 1 << 20), value=st.binary(min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mangled_bytes_are_refused_or_parsed(model: bytes, place: int, value: bytes) -> None:
    content = bytearray(model)
    place %= len(content) - len(value)
    content[place : place + len(value)] = value
    try:
        _, packed = read_tflite(bytes(content), PATH)
    except ArtefactError as error:
        assert str(error).startswith("some.tflite: ") and "\n" not in str(error)
    else:
        assert packed[4:8] == b"TFL3"


@pytest.mark.parametrize("length", [0, 4, 7, 100, 2000])
def test_a_truncated_model_is_refused(model: bytes, length: int) -> None:
    with pytest.raises(ArtefactError, match=r"some\.tflite"):
        read_tflite(model[:length], PATH)


def test_one_changed_byte_never_reaches_the_runtime(tiny_tflite: Written, tmp_path: Path) -> None:
    content = bytearray(tiny_tflite[Precision.FP32][0].read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "altered.tflite"
    path.write_bytes(content)
    for read in (TfliteFormat().load, TfliteFormat().describe):
        with pytest.raises(ArtefactError, match=r"altered\.tflite: the model is not the one"):
            read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"none\.tflite: cannot be read"):
        TfliteFormat().load(tmp_path / "none.tflite")


def test_a_model_of_another_size_than_described_is_refused(model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    spec = PreprocessSpec(image_size=64)
    other = tiny_description().model_copy(update={"image_size": 64, "preprocessing": spec})
    path.write_bytes(append_archive(model, other))
    with pytest.raises(ArtefactError, match=r"its own description says float32\[1, 64, 64, 3\]"):
        TfliteFormat().load(path)
