import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export.checks.comparison import WorstImage
from export.debug.explain import Departure, Explanation, LayerRow
from export.pipeline import ExportOutcome
from export.schema.manifest import Gate, read_manifest
from export.schema.metadata import Precision
from export.verify import verify
from hierattn.cli.commands.explain import explain_files, show_explanations
from hierattn.cli.commands.export import show_export
from hierattn.data.records import DataFolder
from hierattn.runs import load_run
from tests.conftest import Answer
from tests.export.bundle_helpers import write_whole_export

Cli = Callable[..., Answer]


@pytest.mark.slow
def test_export_prints_a_row_a_file_and_what_comes_next(
    cli: Cli, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = cli("export", finished, "--out", out, "--format", "onnx", "--precision", "fp32")
    assert done.code == 0, done.err
    assert "hierattn_xs-64-" in done.out and "onnx" in done.out
    assert "passed" in done.out
    assert f"hierattn verify {out}" in done.out
    assert "export.log" in done.out


@pytest.mark.slow
def test_a_row_that_fails_fails_the_command_and_says_why(
    cli: Cli, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = cli(
        "export", finished, "--out", out, "--format", "onnx", "--precision", "fp16,int8", "--json"
    )
    assert done.code == 1
    document = json.loads(done.out)
    status = {row["precision"]: row["gate"]["status"] for row in document["artefacts"]}
    assert status == {"fp16": "passed", "int8": "failed"}


@pytest.mark.slow
def test_without_a_file_nothing_comes_next(cli: Cli, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = cli("export", finished, "--out", out, "--format", "onnx", "--precision", "int8")
    assert done.code == 1 and list(out.glob("*.onnx")) == []
    assert "export.log" in done.out and "Next:" not in done.out


def test_next_is_nothing_where_no_file_was_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = read_manifest(write_whole_export(tmp_path / "export"))
    missing = {"sha256": None, "bytes": None, "gate": Gate(status="failed", reasons=["no room"])}
    (made,) = manifest.artefacts
    for artefact in (made, made.model_copy(update=missing)):
        outcome = ExportOutcome(manifest.model_copy(update={"artefacts": [artefact]}), {})
        show_export(outcome, tmp_path / "export")
        assert ("Next: hierattn verify" in capsys.readouterr().out) == (artefact is made)


def test_verify_is_told_photos_that_lie_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a manifest may not look for them by itself."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    export, near, far = here / "export", here / "photos", tmp_path / "photos"
    outcome = ExportOutcome(read_manifest(write_whole_export(export)), {})
    for data, told in ((near, f"verify {export}\n"), (far, f"verify {export} --data {far}\n")):
        data.mkdir()
        show_export(outcome, export, data=data)
        assert f"Next: hierattn {told}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "onx"], "did you mean 'onnx'"),
        (["--precision", "fp23"], "did you mean 'fp32'"),
        (["--graph", "naiv"], "did you mean 'naive'"),
        (["--format", ","], "nothing to export"),
        (["--image-size", "64"], "--untrained"),
        (["--data", "/nowhere"], "/nowhere"),
    ],
)
def test_bad_options_get_one_line(
    cli: Cli, finished: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = cli("export", finished, "--out", tmp_path / "out", *arguments)
    assert done.code == 1
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def test_verify_holds_and_names_the_file_that_does_not(
    cli: Cli, folder: Path, painted: DataFolder
) -> None:
    passed = read_manifest(folder).passed
    assert cli("verify", folder, "--data", painted.root).code == (0 if passed else 1)
    path = next(folder.glob("*-fp16.onnx"))
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    done = cli("verify", folder, "--json")
    assert done.code == 1
    rows = {row["path"]: row for row in json.loads(done.out)["files"]}
    assert rows[path.name]["status"] == "failed"
    assert "sha256" in rows[path.name]["problems"][0]


def test_explain_names_layers(cli: Cli, folder: Path, finished: Path) -> None:
    done = cli("verify", folder, "--explain", "--run", finished)
    assert (
        " files; --wide shows what each layer adds" in done.out and "agrees everywhere" in done.out
    )
    assert "layers that add most" not in done.out
    assert "\nNext: hierattn benchmark " in done.out
    wide = cli("verify", folder, "--explain", "--run", finished, "--wide")
    assert "layers that add most" in wide.out
    wrong = cli("verify", folder, "--explain", "--run", "hierattn_xs.pad_ufes_20")
    assert wrong.code == 1
    assert "not the run" in wrong.err


def test_a_file_is_explained_on_the_photo_that_it_answered_worst(
    exported: Path, finished: Path
) -> None:
    found = verify(exported)
    file, side = found.files[0], found.manifest.image_size
    file.worst = WorstImage(12, 2.5, 0.1)
    file.worst_photo = "mole/7.jpg", np.full((side, side, 3), 90, dtype=np.uint8)
    explanation = explain_files(exported, replace(found, files=[file]), load_run(finished))
    (told,) = explanation.values()
    assert isinstance(told, Explanation) and "logits of mole/7.jpg differ" in told.summary()


def test_of_several_explanations_only_what_departs_shows_its_layers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    layer = LayerRow("stem", "convolution", "t", "Conv", 0.5, 0.5)
    departure = Departure(layer, "Conv", "t", layer, None, None)

    def explained(name: str, departure: Departure | None) -> Explanation:
        return Explanation(name, Precision.FP32, 0.5, 1e-5, departure, (layer,))

    show_explanations({name: explained(name, None) for name in ("a.onnx", "b.onnx")})
    out = capsys.readouterr().out
    assert out.startswith("No departure in 2 files;") and "layers that add" not in out
    found = {"a.onnx": explained("a.onnx", None), "b.onnx": explained("b.onnx", departure)}
    show_explanations({**found, "c.pte": "no trace"})
    out = capsys.readouterr().out
    assert out.startswith("Departing: b.onnx (1 of 2 files)\n")
    assert "b.onnx: layers that add" in out and "a.onnx: layers" not in out
    assert "c.pte: cannot be explained: no trace" in out


def test_an_exported_file_is_evaluated_like_a_run(
    cli: Cli, exported: Path, finished: Path, painted: DataFolder
) -> None:
    path = next(exported.glob("*-fp32.onnx"))
    options = ("--data", painted.root, "--split", "all", "--json", "-")
    of_file, of_run = cli("evaluate", path, *options), cli("evaluate", finished, *options)
    assert of_file.code == of_run.code == 0
    first, second = json.loads(of_file.out)["report"], json.loads(of_run.out)["report"]
    assert first["confusion"] == second["confusion"]
    assert first["balanced_accuracy"] == second["balanced_accuracy"]


def test_a_damaged_file_is_not_evaluated(
    cli: Cli, exported: Path, painted: DataFolder, tmp_path
) -> None:
    path = tmp_path / "x.onnx"
    shutil.copy(next(exported.glob("*-fp32.onnx")), path)
    path.write_bytes(path.read_bytes()[:5000])
    done = cli("evaluate", path, "--data", painted.root)
    assert done.code == 1
    assert "x.onnx" in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.long
def test_training_goes_on_to_export(cli: Cli, painted: DataFolder, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "export"
    options = ["--model", "hierattn_xs", "--image-size", 64, "--epochs", 1]
    done = cli("train", "--data", painted.root, *options, "--out", run, "--export", out)
    manifest = read_manifest(out)
    assert {record.format for record in manifest.artefacts} == {"onnx", "tflite", "coreml"}
    assert len(manifest.artefacts) == 9
    assert done.code == (0 if manifest.passed else 1), done.err
    assert "hierattn verify" in done.out
