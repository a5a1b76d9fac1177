"""``--estimate arm64``: a file made by hand, and the command."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from rich.console import Console

from benchmarks.profiling.arm64 import Estimate, Share, estimate
from export.formats.interface import OperatorCost
from export.formats.tflite.archive import append_archive
from export.formats.tflite.flatbuffer import pack
from export.schema.manifest import read_manifest
from hierattn.cli.commands.estimate import estimate_table
from hierattn.cli.tables import print_table
from tests.benchmarks.helpers import record_of, write_export, write_manifest, write_onnx
from tests.conftest import Answer
from tests.conftest import cli as cli
from tests.export.bundle_helpers import description_of
from tests.export.formats.tflite.products import add_operator, add_tensor, empty_model

Cli = Callable[..., Answer]
NAME = "tiny-32-fp32.tflite"


def write_mean_tflite(path: Path) -> None:
    """The mean colour of 32 x 32 pixels, and its sigmoid."""
    model = empty_model()
    image = add_tensor(model, b"input", (1, 32, 32, 3))
    axes = add_tensor(model, b"axes", (2,), np.array([1, 2], np.int32))
    mean, logits = (add_tensor(model, name, (1, 3)) for name in (b"mean", b"logits"))
    reduction = add_operator(model, "MEAN", [image, axes], mean)
    reduction.builtinOptionsType = schema.BuiltinOptions.ReducerOptions
    reduction.builtinOptions = schema.ReducerOptionsT()
    add_operator(model, "LOGISTIC", [mean], logits)
    graph = model.subgraphs[0]
    graph.inputs, graph.outputs = (np.array([index], np.int32) for index in (image, logits))
    description = description_of(read_manifest(path.parent))
    path.write_bytes(append_archive(pack(model), description))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of an ONNX file and a .tflite of three classes."""
    folder = tmp_path / "export"
    folder.mkdir()
    onnx = record_of(write_onnx(folder / "tiny-32-fp32.onnx"))
    write_manifest(folder, [onnx])
    write_mean_tflite(folder / NAME)
    write_manifest(folder, [onnx, record_of(folder / NAME, format="tflite")])
    return folder


def test_a_file_made_by_hand(export: Path) -> None:
    onnx, tflite = estimate([export], "arm64")
    assert not onnx.operators and not onnx.damaged and "ONNX files: no estimate" in str(onnx.reason)
    assert tflite.reason is None
    assert list(tflite.operators) == [
        OperatorCost("mean", "MEAN", 0, 0, 4 * (32 * 32 * 3 + 3), "fp32"),
        OperatorCost("logits", "LOGISTIC", 0, 0, 24, "fp32"),
    ]
    assert tflite.total == Share("all", "", 2, 0, 0, 4 * (32 * 32 * 3 + 9))


def test_kinds_are_summed_and_the_costliest_comes_first(export: Path) -> None:
    record = read_manifest(export).artefacts[1]
    operators = [
        OperatorCost("a", "MUL", 0, 0, 70, "fp32"),
        OperatorCost("b", "FULLY_CONNECTED", 10, 5, 6, "fp32"),
        OperatorCost("c", "FULLY_CONNECTED", 30, 1, 2, "int8 dynamic"),
        OperatorCost("d", "FULLY_CONNECTED", 40, 7, 8, "fp32"),
    ]
    assert Estimate("export", record, operators).shares == [
        Share("FULLY_CONNECTED", "fp32", 2, 50, 12, 14),
        Share("FULLY_CONNECTED", "int8 dynamic", 1, 30, 1, 2),
        Share("MUL", "fp32", 1, 0, 0, 70),
    ]


def test_the_table_is_whole_on_80_columns(export: Path) -> None:
    record = read_manifest(export).artefacts[1]
    costly = OperatorCost("a", "DEPTHWISE_CONV_2D", 10**10, 10**8, 10**9, "fp32, not delegated")
    console = Console(width=80, record=True, file=io.StringIO())
    print_table(console, estimate_table(Estimate("export", record, [costly] * 1000), "arm64"))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for words in ("DEPTHWISE_CONV_2D", "10000000.00", "1000000000.0", "fp32, not delegated"):
        assert words in text, text


def test_the_command(cli: Cli, export: Path, tmp_path: Path) -> None:
    answer = cli("benchmark", export, "--estimate", "arm64")
    assert answer.code == 0, answer.err
    for words in ("MEAN", "12.3", "ONNX files: no estimate", "nothing was run"):
        assert words in answer.out
    answer = cli("benchmark", export, "--estimate", "arm64", "--json")
    document = json.loads(answer.out)
    assert document["target"] == "arm64"
    assert [one["file"] for one in document["files"]] == ["tiny-32-fp32.onnx", NAME]
    assert document["files"][1]["activation_bytes"] == 4 * (32 * 32 * 3 + 9)
    assert document["files"][1]["operators"][0]["kind"] == "MEAN"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export"]


def test_what_cannot_be_estimated_ends_with_1(cli: Cli, export: Path, tmp_path: Path) -> None:
    answer = cli("benchmark", write_export(tmp_path / "other"), "--estimate", "arm64")
    assert answer.code == 1 and "ONNX files: no estimate" in answer.out
    answer = cli("benchmark", export, "--estimate", "x86")
    assert answer.code == 1 and "--estimate x86: give arm64" in answer.err
    (export / NAME).write_bytes((export / NAME).read_bytes()[:-1])
    answer = cli("benchmark", export, "--estimate", "arm64")
    assert answer.code == 1 and f"{NAME}: " in answer.out and "sha256" in answer.out


def test_options_that_would_do_nothing_are_refused(cli: Cli, export: Path) -> None:
    for words in (("--threads", "1"), ("--out", "report"), ("--sweep",)):
        answer = cli("benchmark", export, "--estimate", "arm64", *words)
        assert answer.code == 2 and "does not go with --estimate" in answer.err
        assert words[0] in answer.err
    answer = cli("benchmark", export)
    assert answer.code == 2 and "--out" in answer.err
