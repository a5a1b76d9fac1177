"""What a format declares is all that the commands know of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cases import make_cases
from benchmarks.exports import read_exports
from benchmarks.runtimes.registry import all_runtimes
from export.errors import ExportError
from export.formats import registry
from export.formats.abilities import Platform
from export.passes.graph import REWRITES
from export.pipeline import export_tool_versions
from export.request import ExportRequest
from export.schema.manifest import read_manifest
from export.targets.apps.choice import BundleRequest, choose_artefact
from export.targets.arm64.parity import choose_files
from tests.benchmarks.helpers import record_of, write_manifest
from tests.conftest import REPOSITORY


@pytest.fixture
def fake_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export folder with one file of a format that was added by its line alone."""
    monkeypatch.setitem(registry.FORMATS, "fake", "tests.export.formats.fake")
    folder = tmp_path / "export"
    folder.mkdir()
    path = folder / "m-fp32.fake"
    path.write_bytes(b"something")
    write_manifest(folder, [record_of(path, format="fake")])
    return folder


@pytest.mark.parametrize("asked", [("onnxruntime",), ("torch", "litert")])
def test_without_a_runtime_a_file_is_a_failed_row(
    fake_export: Path, tmp_path: Path, asked: tuple[str, ...]
) -> None:
    cases = make_cases(read_exports([fake_export], [], tmp_path), [1], asked)
    (case,) = [case for case in cases if case.row.name == "m-fp32.fake"]
    assert (case.row.status, case.row.runtime, case.config) == ("failed", "none", None)
    assert "no runtime for Fake is known" in (case.row.reason or "") and not case.excused


def test_bundle_and_arm64_say_in_its_words_that_it_cannot(fake_export: Path) -> None:
    manifest = read_manifest(fake_export)
    request = BundleRequest(fake_export, fake_export, "m-fp32.fake")
    with pytest.raises(ExportError, match="Fake does not run on Android"):
        choose_artefact(manifest, request, Platform.ANDROID)
    with pytest.raises(ExportError, match=r"no ONNX or TFLite file .* --format onnx,tflite"):
        choose_files(manifest, [], every=True)


def test_export_asks_what_it_can(fake_export: Path, tmp_path: Path) -> None:
    assert ".fake" in registry.suffixes()
    assert registry.default_formats() == ("onnx", "tflite", "coreml")
    assert export_tool_versions()["a-tool-nobody-has"] == "not installed"
    request = ExportRequest("run", tmp_path, ("fake",), ("fp16",))
    with pytest.raises(ExportError, match="--precision fp16: Fake files are made in fp32 alone"):
        request.checked_precisions()


def test_evaluate_takes_it_for_a_file(
    fake_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer
    from typer.testing import CliRunner

    import export.evaluate_artefact as module
    from hierattn.cli.commands.evaluate import evaluate

    asked = []

    def judge(path: Path, *_: object, **__: object) -> None:
        asked.append(path)
        raise ExportError("seen")

    monkeypatch.setattr(module, "evaluate_artefact", judge)
    app = typer.Typer()
    app.command()(evaluate)
    path = fake_export / "m-fp32.fake"
    CliRunner().invoke(app, [str(path), "--data", str(tmp_path)])
    assert asked == [path]


def test_declared_names_exist() -> None:
    optional = {rewrite.name for rewrite in REWRITES if rewrite.optional}
    for one in registry.all_abilities():
        assert registry.find_format(one.name).abilities is one
        assert one.rewrites <= optional
        assert one.not_in_int8 <= one.rewrites
    declared = [runtime for one in registry.all_abilities() for runtime in one.runtimes]
    assert set(all_runtimes()) == {runtime.name for runtime in declared} | {"torch"}


def test_the_docs_name_the_minimum_of_every_runtime() -> None:
    documented = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8").splitlines()
    for one in registry.all_abilities():
        (line,) = [line for line in documented if line.startswith(f"| {one.title} |")]
        for runtime in one.runtimes:
            assert runtime.minimum, runtime.name
            assert f"`{runtime.distribution}`" in line and runtime.minimum in line, line


def test_abilities_load_nothing_heavy() -> None:
    script = (
        "import sys; from export.formats.registry import all_abilities; all_abilities()\n"
        "print(sorted({'torch', 'onnx', 'numpy', 'coremltools'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
