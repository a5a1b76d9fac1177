"""Reading what an app wrote: numbers as they are, words made harmless, anything else refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from export.checks.golden.conformance import read_golden_reference
from export.errors import DeviceError
from export.schema.manifest import read_manifest
from export.targets.results import PhoneBenchmark, PhoneSelfTest, parse_result
from export.targets.verify import check_phone
from hierattn.cli.commands.devices import show_phones
from tests.export.bundle_helpers import FP32, write_whole_export
from tests.export.targets.adb.stand_ins import benchmark, selftest


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whole_export(tmp_path_factory.mktemp("results") / "export")


def read(told: dict[str, Any]) -> PhoneBenchmark:
    return parse_result(PhoneBenchmark, json.dumps(told).encode(), "")


def test_whole_numbers_are_floats_and_a_newer_app_may_tell_more(export: Path) -> None:
    told = benchmark(export, FP32, 3) | {"latencies_ms": [1, 2, 3], "load_ms": 5, "newer": {}}
    told["battery"] = {"percent": 80, "charging": None, "temperature_c": None}
    assert read(told).latencies_ms == [1.0, 2.0, 3.0]


def test_what_a_phone_says_is_one_printable_line(export: Path) -> None:
    told = benchmark(export, FP32, 3, model="Evil\n\x1b[31mPhone\u202e", chip="x" * 1000)
    name = read(told).device.name
    assert "\n" not in name and "\x1b" not in name and "\u202e" not in name
    assert name.startswith("Stand-in Evil [31mPhone") and len(name) < 400


def test_the_name_of_an_image_from_a_phone_cannot_steer_the_terminal(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = selftest(export, FP32)
    told["images"][0].update(file="odd\x1b[2J\nverified: all hold", differing_bytes=7)
    result = parse_result(PhoneSelfTest, json.dumps(told).encode(), "")
    manifest = read_manifest(export)
    show_phones(
        [check_phone("A", result, export, manifest, *read_golden_reference(export, manifest))],
        export,
    )
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert r"7 bytes of odd\x1b[2J\nverified: all hold's tensor" in shown


def test_a_maker_is_named_once(export: Path) -> None:
    told = benchmark(export, FP32, 3, manufacturer="Maker", model="maker X", chip=None)
    assert read(told).device.name == "maker X (Android 14)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "field 'schema'"),
        ({"threads": "1"}, "field 'threads'"),
        ({"latencies_ms": [1.0, "2", 3.0]}, "field 'latencies_ms.1'"),
        ({"latencies_ms": [1.0, 0.0, 3.0]}, "took no time"),
        ({"latencies_ms": None}, "latencies_ms"),
        ({"latencies_ms": [1.0]}, "1 of 3 runs"),
        ({"load_ms": float("nan")}, "field 'load_ms'"),
        ({"selftest": None}, "without a passed self-test"),
        ({"artefact": {"file": "x", "sha256": "../..", "format": "", "precision": ""}}, "sha256"),
        ({"token": "other"}, "of another run"),
    ],
)
def test_anything_else_is_refused(change: dict[str, Any], words: str, export: Path) -> None:
    with pytest.raises(DeviceError, match=words):
        read(benchmark(export, FP32, 3) | change)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": 1', b"\xff\xfe", b"[" * 100_000])
def test_damaged_files(content: bytes) -> None:
    with pytest.raises(DeviceError, match="cannot be read"):
        parse_result(PhoneSelfTest, content, "")


def test_a_name_that_stands_twice_is_refused(export: Path) -> None:
    content = json.dumps(benchmark(export, FP32, 3)).replace('"token":', '"token": "x", "token":')
    with pytest.raises(DeviceError, match="field 'token' stands there twice"):
        parse_result(PhoneBenchmark, content.encode(), "")


def test_logits_that_are_no_numbers_are_known_as_such(export: Path) -> None:
    told = selftest(export, FP32)
    told["images"][0]["logits"][1] = None
    result = parse_result(PhoneSelfTest, json.dumps(told).encode(), "")
    assert result.images[0].logits[1] is None
