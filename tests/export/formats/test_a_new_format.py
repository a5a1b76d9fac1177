"""A format that is added by its folder and its line alone goes through every command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from export.formats import registry
from hierattn.cli.main import main
from tests.conftest import REPOSITORY
from tests.data.helpers import write_class_folders
from tests.export.bundle_helpers import write_app

NAME, PACKAGE = "torchscript", "tests.export.formats.torchscript"
FILE = "shufflenet_v2_x1_0-64-fp32.torchscript"


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line, here and in every process that a command starts."""
    monkeypatch.setitem(registry.FORMATS, NAME, PACKAGE)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(
        f"import sys\nsys.path.insert(0, {str(REPOSITORY)!r})\n"
        f"from export.formats import registry\nregistry.FORMATS[{NAME!r}] = {PACKAGE!r}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))


@pytest.mark.slow
def test_a_new_format_goes_through_every_command(
    added: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def hierattn(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["hierattn", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        assert not left.value.code, told.err + told.out
        return told.out

    data = write_class_folders(tmp_path / "photos", {"mel": 4, "nv": 4})
    out, report = tmp_path / "out", tmp_path / "report"
    assert "torchscript" in hierattn("export", "--help")
    model = ("shufflenet_v2_x1_0", "--untrained", "--image-size", 64, "--data", data)
    made = hierattn(
        "export", *model, "--out", out, "--format", NAME, "--precision", "fp32", "--json"
    )
    (record,) = json.loads(made)["artefacts"]
    assert record["path"] == FILE and record["operators"] and record["gate"]["status"] == "passed"
    (file,) = json.loads(hierattn("verify", out, "--json"))["files"]
    assert (file["path"], file["problems"]) == (FILE, [])
    assert "balanced accuracy" in hierattn("evaluate", out / FILE, "--data", data).lower()
    quick = ("--runs", 5, "--launches", 1, "--threads", 1)
    hierattn("benchmark", out, "--out", report, "--data", data, "--runtime", NAME, *quick)
    (row,) = json.loads((report / "results.json").read_text())["rows"]
    assert (row["status"], row["runtime"]) == ("measured", NAME)
    assert row["p50_ms"] > 0 and row["balanced_accuracy"] is not None
    bundled = hierattn("bundle", out, "--app", write_app(tmp_path / "app"), "--json")
    assert json.loads(bundled)["bundle"]["artefact"] == FILE
