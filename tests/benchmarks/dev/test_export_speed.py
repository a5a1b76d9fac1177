from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import typer
from onnx import TensorProto, helper
from typer.testing import CliRunner

from benchmarks.dev.export_speed import main, measure, parse_files
from hierattn.errors import ConfigError

app = typer.Typer()
app.command()(main)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 4, 4])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3, 4, 4])
    graph = helper.make_graph(
        [helper.make_node("Abs", ["input"], ["logits"])], "g", [image], [logits]
    )
    path = tmp_path / "model.onnx"
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(file, path)
    return path


def test_files_take_turns_and_every_run_is_timed() -> None:
    ticks = count()
    order: list[int] = []
    runners = [lambda index=index: order.append(index) for index in range(3)]
    seconds = measure(runners, 7, lambda: float(next(ticks)))
    assert seconds.shape == (3, 7)
    assert np.all(seconds == 1)
    rounds = np.reshape(order[-21:], (7, 3))
    assert all(sorted(turn) == [0, 1, 2] for turn in rounds.tolist())
    assert len({tuple(turn) for turn in rounds.tolist()}) > 1


def test_a_file_and_itself_are_alike(model: Path) -> None:
    arguments = [f"first={model}", f"second={model}", "--runs", "5", "--threads", "1", "--json"]
    arguments += ["--launches", "2", "--baseline", "first", "--baseline", "second"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [row["label"] for row in found["rows"]] == ["first", "second"]
    first, second = found["rows"]
    assert first["ratios"]["first"] == second["ratios"]["second"]
    assert set(first["ratios"]["first"].values()) == {1}
    ratio = second["ratios"]["first"]
    assert ratio["low"] <= ratio["value"] <= ratio["high"]
    assert {"cpu", "load_average", "onnxruntime", "runs"} <= set(found)


def test_the_table_names_the_baseline_ratio_and_the_runtime(model: Path) -> None:
    arguments = [f"a={model}", f"b={model}", "--runs", "3", "--threads", "1", "--baseline", "b"]
    result = CliRunner().invoke(app, [*arguments, "--cpu-time"])
    assert result.exit_code == 0, result.output
    assert "/ b" in result.stdout
    assert "1.000 (1.000-1.000)" in result.stdout
    assert f"onnxruntime {onnxruntime.__version__} (.onnx)" in result.stdout
    assert "CPU time" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["model.onnx"], "is not LABEL=FILE"),
        (["a=model.onnx"], "no such file"),
        (["a=model.txt"], "not one of .onnx, .tflite"),
    ],
)
def test_other_arguments_are_refused(arguments: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_files(arguments)


@pytest.mark.parametrize(
    "options",
    [["--threads", "0"], ["--threads", "1,x"], ["--baseline", "c"], ["--cpu-time"]],
)
def test_wrong_usage_is_one_line_and_exit_code_2(model: Path, options: list[str]) -> None:
    result = CliRunner().invoke(app, [f"a={model}", *options])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_file_that_cannot_be_loaded_is_named_in_one_line(tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk")
    result = CliRunner().invoke(app, [f"a={junk}", "--launches", "1", "--threads", "1"])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {junk}: cannot be loaded: ")
    assert result.stderr.count("\n") == 1


def test_a_label_stands_for_one_file(model: Path) -> None:
    with pytest.raises(ConfigError, match="given twice"):
        parse_files([f"a={model}", f"a={model}"])
