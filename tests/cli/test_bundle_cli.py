import json
from collections.abc import Callable
from pathlib import Path

from export.schema.manifest import Gate, JudgedData
from tests.conftest import Answer
from tests.export.bundle_helpers import FP32, relist, write_app, write_whole_export

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
