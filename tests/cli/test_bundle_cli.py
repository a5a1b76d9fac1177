import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from export.schema.manifest import Gate, JudgedData
from tests.conftest import Answer
from tests.export.bundle_helpers import FP32, TFLITE, relist, write_app, write_whole_export

Cli = Callable[..., Answer]


def test_what_was_put_where(cli: Cli, tmp_path: Path) -> None:
    export, app = write_whole_export(tmp_path / "x"), write_app(tmp_path / "app")
    answer = cli("bundle", export, "--app", app)
    assert answer.code == 0
    for words in (FP32, "labels.txt", "golden images", "gate: passed", "noCompress"):
        assert words in answer.out
    document = json.loads(cli("bundle", export, "--app", app / "app", "--json").out)
    assert document["place"] == str(app / "app" / "src/main/assets/hierattn")
    assert document["bundle"]["schema"] == 1 and document["bundle"]["verified"] is True


@pytest.mark.parametrize("app", ["android_demo", "a folder/my demo"])
def test_the_demo_app_is_followed_by_what_builds_and_installs_it(
    app: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    gates = {FP32: Gate(status="passed"), TFLITE: Gate(status="passed")}
    export, demo = write_whole_export(Path("my export")), write_app(Path(app))
    (demo / "offline").mkdir()
    (demo / "offline/__main__.py").touch()
    said = cli("bundle", export, "--app", app, "--artefact", FP32).out.partition("Next: ")[2]
    lines = [line.strip() for line in said.splitlines()]
    quoted = shlex.quote(app)
    assert f"(cd {quoted} && gradle installOrtDebug)" in lines
    assert "hierattn verify 'my export' --device adb" in lines
    installs = [shlex.split(line)[-1] for line in lines if line.startswith("adb install ")]
    builds = [line for line in lines if "offline" in line]
    if demo.name == "android_demo":
        assert list(map(Path, installs)) == [demo.parent / "build/hierattn-demo-ort.apk"]
        assert "python -m android_demo.offline --bundled" in builds[0]
    else:  # whose own modules a copy of another name would not find
        assert installs == builds == [] and "where its folder is called android_demo" in said
    relisted = write_whole_export(Path("both"), gates=gates)
    said = cli("bundle", relisted, "--app", app, "--artefact", TFLITE).out.partition("Next: ")[2]
    assert "gradle installLitertDebug" in said and "offline" not in said


def test_unverified_is_said_and_refusals_are_one_line(cli: Cli, tmp_path: Path) -> None:
    gate = Gate(status="failed", reasons=["loses melanomas"])
    export = write_whole_export(tmp_path / "x", gates={FP32: gate})
    app = write_app(tmp_path / "app")
    answer = cli("bundle", export, "--app", app)
    assert answer.code == 1 and answer.err.count("\n") == 1 and "gate failed" in answer.err
    answer = cli("bundle", export, "--app", app, "--allow-unverified")
    assert answer.code == 0 and "UNVERIFIED: gate failed: loses melanomas" in answer.out
    assert cli("bundle", export).code == 2


def test_what_limits_the_evidence_is_repeated(cli: Cli, tmp_path: Path) -> None:
    export, app = write_whole_export(tmp_path / "x"), write_app(tmp_path / "app")
    constant = "this network answers nv for every one of the 9 photos"
    relist(
        export,
        data=JudgedData(
            name="photos", path="../photos", sha256="0" * 64, images=9, calibration=0, judged=0,
            seen_in_training=None, remarks=[constant],
        ),
    )  # fmt: skip
    assert f"NOTE {constant}" in " ".join(cli("bundle", export, "--app", app).out.split())
    assert json.loads(cli("bundle", export, "--app", app, "--json").out)["remarks"] == [constant]
