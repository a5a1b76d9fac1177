"""Records of a Mac, made by hand: no Mac answered any of these."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from export.checks.integrity import folder_problems
from export.errors import ManifestError
from export.schema.manifest import APPLE_RECORD, PARITY, Gate, read_manifest
from export.targets.apple.__main__ import main
from export.targets.apple.record import describe_apple_record, take_record
from hierattn.errors import UnknownNameError
from tests.export.bundle_helpers import COREML, FP32, write_whole_export

pytest.importorskip("coremltools")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    gates = {COREML: Gate(status="passed"), FP32: Gate(status="passed")}
    return write_whole_export(tmp_path_factory.mktemp("apple") / "export", gates=gates)


@pytest.fixture(autouse=True)
def nothing_taken_in(export: Path) -> None:
    (export / APPLE_RECORD).unlink(missing_ok=True)


def by_hand(export: Path, off: float = 0.0) -> dict[str, Any]:
    """What a Mac would have to answer, ``off`` beside it."""
    (record,) = [one for one in read_manifest(export).artefacts if one.path == COREML]
    expected = json.loads((export / PARITY).read_text())["golden"]
    logits = {name: [value + off for value in row] for name, row in expected.items()}
    row = {"path": COREML, "sha256": record.sha256, "units": "CPU_ONLY", "logits": logits}
    return {
        "schema": 1,
        "system": "macOS 15.1",
        "machine": "arm64",
        "coremltools": "9.0",
        "swift_tests": 76,
        "simulator_build": "not run",
        "rows": [row],
    }


def written(tmp_path: Path, fields: dict[str, Any]) -> Path:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(fields))
    return path


def test_answers_within_the_tolerance_are_told(export: Path, tmp_path: Path) -> None:
    manifest = read_manifest(export)
    assert describe_apple_record(export, manifest) == ([], [])
    take_record(export, written(tmp_path, by_hand(export)))
    lines, failures = describe_apple_record(export, manifest)
    assert failures == [] and len(lines) == 2
    assert lines[0].startswith(f"{COREML}: run on Apple's runtime: Core ML on macOS 15.1, arm64")
    assert lines[1] == "on that Mac: Swift tests 76 passed, simulator build not run"
    assert folder_problems(export, manifest) == []


def test_answers_too_far_off_fail_whatever_the_record_is_called(
    export: Path, tmp_path: Path
) -> None:
    take_record(export, written(tmp_path, by_hand(export, off=0.5)))
    lines, failures = describe_apple_record(export, read_manifest(export))
    assert len(lines) == 1 and "macOS 15.1" in failures[0] and "is above 1e-05" in failures[0]


def test_a_missing_answer_fails(export: Path, tmp_path: Path) -> None:
    fields = by_hand(export)
    del fields["rows"][0]["logits"]["odd.png"]
    take_record(export, written(tmp_path, fields))
    (failure,) = describe_apple_record(export, read_manifest(export))[1]
    assert failure.endswith("no answer for golden image odd.png")


def test_an_answer_to_no_golden_image_fails(export: Path, tmp_path: Path) -> None:
    fields = by_hand(export)
    fields["rows"][0]["logits"]["other.png"] = [0.0, 0.0]
    take_record(export, written(tmp_path, fields))
    (failure,) = describe_apple_record(export, read_manifest(export))[1]
    assert failure.endswith("an answer for 'other.png', which is no golden image")


@pytest.mark.parametrize("name", ["system", "odd.png"])
def test_a_name_that_stands_twice_is_refused(name: str, export: Path, tmp_path: Path) -> None:
    path = written(tmp_path, by_hand(export))
    path.write_text(re.sub(rf'("{name}": )', r"\1[], \1", path.read_text()))
    with pytest.raises(ManifestError, match=f"field '{name}' stands there twice; run"):
        take_record(export, path)
    assert not (export / APPLE_RECORD).exists()


@pytest.mark.parametrize("answer", [["0.5"], [True], None, 1.0, ["nan"]])
def test_an_answer_is_numbers(answer: object, export: Path, tmp_path: Path) -> None:
    fields = by_hand(export)
    fields["rows"][0]["logits"]["odd.png"] = answer
    with pytest.raises(ManifestError, match=r"rows\.0\.logits\.odd\.png.*verify_on_mac"):
        take_record(export, written(tmp_path, fields))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "schema"),
        ({"system": "Linux 6.1"}, "system"),
        ({"machine": "riscv"}, "machine"),
        ({"coremltools": ""}, "coremltools"),
        ({"swift_tests": 0}, "swift_tests"),
        ({"swift_tests": True}, "swift_tests"),
        ({"swift_tests": 76.0}, "swift_tests"),
        ({"system": "macOS 15.1\n"}, "system"),
        ({"simulator_build": "failed"}, "simulator_build"),
        ({"rows": []}, "rows"),
        ({"verdict": "passed"}, "verdict"),
    ],
)
def test_a_record_is_read_strictly(
    change: dict[str, Any], words: str, export: Path, tmp_path: Path
) -> None:
    path = written(tmp_path, {**by_hand(export), **change})
    with pytest.raises(ManifestError, match=f"{words}.*verify_on_mac") as raised:
        take_record(export, path)
    assert "\n" not in str(raised.value) and not (export / APPLE_RECORD).exists()


def test_a_row_of_another_file_is_refused(export: Path, tmp_path: Path) -> None:
    fields = by_hand(export)
    fields["rows"][0]["sha256"] = "0" * 64
    with pytest.raises(ManifestError, match="asked was another file"):
        take_record(export, written(tmp_path, fields))
    fields["rows"][0]["path"] = FP32
    with pytest.raises(UnknownNameError, match="Core ML file of this export"):
        take_record(export, written(tmp_path, fields))
    fields = by_hand(export)
    fields["rows"] *= 2
    with pytest.raises(ManifestError, match="twice"):
        take_record(export, written(tmp_path, fields))
    with pytest.raises(ManifestError, match="No such file"):
        take_record(export, tmp_path / "nowhere.json")
    assert not (export / APPLE_RECORD).exists()


def test_a_damaged_record_in_the_folder_is_a_failure(export: Path) -> None:
    (export / APPLE_RECORD).write_text("{")
    lines, (failure,) = describe_apple_record(export, read_manifest(export))
    assert lines == [] and APPLE_RECORD in failure


def test_the_newest_record_decides_and_earlier_ones_are_kept_and_told(
    export: Path, tmp_path: Path
) -> None:
    good, bad = by_hand(export), by_hand(export, off=0.5) | {"system": "macOS 26.0"}
    manifest = read_manifest(export)
    take_record(export, written(tmp_path, good))
    take_record(export, written(tmp_path, bad))
    lines, failures = describe_apple_record(export, manifest)
    assert len(failures) == 1 and "macOS 26.0" in failures[0]
    assert lines[-1] == (
        "an earlier record, of Core ML on macOS 15.1, arm64: 1 of 1 answers within tolerance"
    )
    # The good one again: it is the newest now, and stands there once.
    take_record(export, written(tmp_path, good))
    lines, failures = describe_apple_record(export, manifest)
    assert failures == [] and "macOS 15.1" in lines[0]
    assert [line for line in lines if "earlier" in line] == [
        "an earlier record, of Core ML on macOS 26.0, arm64: 0 of 1 answers within tolerance"
    ]
    assert folder_problems(export, manifest) == []


def test_an_earlier_record_of_another_file_is_called_so(export: Path, tmp_path: Path) -> None:
    take_record(export, written(tmp_path, by_hand(export)))
    path = export / APPLE_RECORD
    path.write_text(re.sub('"sha256": "[0-9a-f]+"', f'"sha256": "{"0" * 64}"', path.read_text()))
    take_record(export, written(tmp_path, by_hand(export) | {"system": "macOS 26.0"}))
    lines, failures = describe_apple_record(export, read_manifest(export))
    assert failures == [] and lines[-1].endswith("macOS 15.1, arm64: 1 answer, of an earlier file")


def test_a_kept_record_can_be_taken_in_elsewhere(export: Path, tmp_path: Path) -> None:
    for system in ("macOS 15.1", "macOS 26.0"):
        take_record(export, written(tmp_path, by_hand(export) | {"system": system}))
    other = (export / APPLE_RECORD).rename(tmp_path / "kept.json")
    take_record(export, written(tmp_path, by_hand(export) | {"system": "macOS 14.0"}))
    take_record(export, other)
    lines, _ = describe_apple_record(export, read_manifest(export))
    assert "macOS 26.0" in lines[0]
    assert re.findall("macOS [0-9.]+", " ".join(lines[2:])) == ["macOS 15.1", "macOS 14.0"]


def test_a_damaged_record_in_the_folder_is_not_written_over(export: Path, tmp_path: Path) -> None:
    (export / APPLE_RECORD).write_text("{")
    with pytest.raises(ManifestError, match=f"{APPLE_RECORD}: .*; remove it"):
        take_record(export, written(tmp_path, by_hand(export)))
    assert (export / APPLE_RECORD).read_text() == "{"


def test_elsewhere_than_on_a_mac_nothing_is_asked(
    export: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert main([str(export), "--out", str(tmp_path / "record.json")]) == 1
    assert "runs on macOS alone" in capsys.readouterr().err
    assert not (tmp_path / "record.json").exists()
