"""Words of a manifest on runtimes, changed one at a time."""

import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from export.checks.declared import THIS_PACKAGE, undeclared_words
from export.formats.registry import abilities_of
from export.schema.manifest import ArtefactRecord, Gate, RuntimeCheck
from tests.benchmarks.helpers import record_of

OTHER = "tflite-runtime 2.14.0"


def words_of(told: ArtefactRecord, version: str | None = None) -> list[str]:
    """Of a manifest of this version, or of another."""
    tools = {THIS_PACKAGE: version or metadata.version(THIS_PACKAGE)}
    return undeclared_words(told, tools)


def record(**changed: Any) -> ArtefactRecord:
    """Of a TFLite file on which both runtimes agree."""
    made = record_of(Path("m-32-fp32.tflite"), format="tflite")
    assert made.parity is not None
    parity = made.parity.model_copy(update={"evaluator": OTHER})
    known = {
        "other_runtimes": [RuntimeCheck(runtime=OTHER, loads=True, agrees=True, parity=parity)],
        "minimum_runtimes": abilities_of("tflite").minimum_runtimes,
    }
    return made.model_copy(update=known | changed)


def checked(**changed: Any) -> ArtefactRecord:
    """With another check of the other runtime."""
    (check,) = record().other_runtimes
    parity = check.parity
    assert parity is not None
    if "max_relative" in changed:
        changed["parity"] = parity.model_copy(update={"max_relative": changed.pop("max_relative")})
    return record(other_runtimes=[check.model_copy(update=changed)])


def test_what_an_export_writes_is_declared() -> None:
    assert words_of(record()) == []
    assert words_of(checked(loads=None, agrees=None, parity=None)) == []
    assert words_of(checked(loads=False, agrees=None, parity=None, reason="no")) == []
    failed = {"gate": Gate(status="failed", reasons=["it departs"])}
    told = checked(agrees=False, max_relative=0.5, reason="far").model_copy(update=failed)
    assert words_of(told) == []
    # Earlier exports say nothing of minimum versions; a file that was not made, of runtimes.
    assert words_of(record(minimum_runtimes={})) == []
    assert words_of(record(parity=None, other_runtimes=[], **failed)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (record(minimum_runtimes={"ai-edge-litert": "0.1"}), "minimum_runtimes .*litert 1.0.1"),
        (record(other_runtimes=[]), "does not say whether tflite-runtime agrees"),
        (checked(runtime="TensorRT 10"), "does not say whether tflite-runtime agrees"),
        (checked(loads=None, agrees=True, parity=None), "that it agrees, or how far, not both"),
        (checked(agrees=None), "that it agrees, or how far, not both"),
        (checked(max_relative=0.5), "agrees, with a relative difference of 0.5"),
        (checked(agrees=False), "disagrees, with a relative difference of 0 "),
        (
            record(gate=Gate(status="passed", reasons=["Approved"])),
            "passed, with a reason: Approved",
        ),
        (checked(loads=False), "answered, but did not load"),
        (checked(agrees=False, max_relative=0.5), "said to be passed, but tflite-runtime 2.14.0"),
    ],
)
def test_a_changed_word_is_told(changed: ArtefactRecord, words: str) -> None:
    lines = words_of(changed)
    assert any(re.search(words, line) for line in lines), lines


def test_the_evaluator_is_the_formats() -> None:
    made = record()
    assert made.parity is not None
    other = made.parity.model_copy(update={"evaluator": "Core ML on the CPU (macOS 15)"})
    (line,) = words_of(made.model_copy(update={"parity": other}))
    assert line.endswith("but what answers for TFLite files is LiteRT")


def test_another_version_may_have_declared_others() -> None:
    told = record(minimum_runtimes={"ai-edge-litert": "0.1"}, other_runtimes=[])
    assert len(words_of(told)) == 2
    assert words_of(told, "0.0.1") == []
    assert words_of(checked(agrees=None), "0.0.1")
