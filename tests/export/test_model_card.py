from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.model_card import (
    _code,
    _finalise,
    read_reports,
    render_model_card,
)
from export.schema.manifest import (
    ArtefactRecord,
    Gate,
    JudgedData,
    Manifest,
    Quality,
    QualityChange,
    QuantisationRecord,
    RuntimeCheck,
    Source,
)
from export.schema.metadata import Precision
from export.schema.parity import Parity
from hierattn.errors import CheckpointError
from hierattn.lineage import data_sources
from hierattn.run_files import METRICS
from hierattn.runs import Run, RunConfig, load_run

SHIPPED = "hierattn_xs.pad_ufes_20"


@pytest.fixture(scope="module")
def run() -> Run:
    return load_run(SHIPPED)


def _quality(run: RunConfig, change: float | None) -> Quality:
    return Quality(
        images=100,
        max_relative=3e-6,
        agreement=0.9871,
        top1=0.5,
        balanced_accuracy=0.4321,
        sensitivity=dict.fromkeys(run.classes, 0.4),
        melanoma_at_threshold=0.8,
        ece=0.08,
        delta_vs_torch=None
        if change is None
        else QualityChange(
            balanced_accuracy=change,
            sensitivity=dict.fromkeys(run.classes, change),
            melanoma_at_threshold=0.0,
            ece=-1e-6,
        ),
    )


def _record(config: RunConfig, form: str, precision: Precision, **changes: Any) -> ArtefactRecord:
    fields: dict[str, Any] = {
        "path": f"{config.model}-256-{precision}.{form}",
        "format": form,
        "precision": precision,
        "bytes": 4_321_000,
        "sha256": "0" * 64,
        "input": None,
        "output": None,
        "operators": {"Conv": 3},
        "delegated": None,
        "quantisation": QuantisationRecord(scheme="convolutions static", left_in_float={"Gelu": 9})
        if precision is Precision.INT8
        else None,
        "parity": Parity(
            evaluator=f"{form} evaluator 1.0",
            images=110,
            max_abs=1e-5,
            max_relative=2.5e-6,
            relative_l2=1e-6,
            cosine=1,
            top1_agreement=1,
        ),
        "quality": _quality(config, -0.012),
        "other_runtimes": [],
        "gate": Gate(status="passed"),
    }
    return ArtefactRecord.model_validate({**fields, **changes})


def _manifest(config: RunConfig, records: list[ArtefactRecord], seen: int | None = 80) -> Manifest:
    return Manifest(
        schema=1,
        model=config.model,
        classes=config.classes,
        image_size=config.image_size,
        preprocessing=config.preprocessing,
        operating_point=config.operating_point,
        intended_use=config.intended_use,
        source=Source(
            run=SHIPPED,
            graph="deploy",
            rewrites=["pooling", "fold_batch_norm"],
            weights_sha256=config.weights_sha256,
            tools={},
            licence="photos behind the weights: CC BY 4.0",
        ),
        data=JudgedData(
            name="pad_ufes_20",
            path="../photos",
            sha256="1" * 64,
            images=645,
            calibration=64,
            judged=100,
            seen_in_training=seen,
        ),
        torch_quality=_quality(config, None),
        files={},
        artefacts=records,
    )


@pytest.fixture(scope="module")
def card(run: Run) -> str:
    config = run.config
    records = [
        _record(config, "onnx", Precision.FP32),
        _record(
            config,
            "tflite",
            Precision.INT8,
            gate=Gate(status="failed", reasons=["melanoma sensitivity", "a | b"]),
            other_runtimes=[
                RuntimeCheck(
                    runtime="tflite-runtime 2.14", loads=True, agrees=None, reason="no\nanswer"
                )
            ],
        ),
        _record(
            config,
            "coreml",
            Precision.FP16,
            bytes=None,
            sha256=None,
            parity=None,
            quality=None,
            gate=Gate(status="failed", reasons=["not converted"]),
        ),
        _record(config, "coreml", Precision.FP32),
    ]
    return render_model_card(_manifest(config, records), config, read_reports(run.path / METRICS))


def _tables(card: str) -> list[list[str]]:
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\|\n)+", card, flags=re.MULTILINE)]


def _cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row)) - 1


def test_tables_are_whole(card: str) -> None:
    tables = _tables(card)
    assert len(tables) == 6
    for table in tables:
        assert re.fullmatch(r"\|(---\|)+", table[1]), table[0]
        assert {_cells(row) for row in table} == {_cells(table[0])}
    # No row stands outside a table.
    assert sum(line.startswith("|") for line in card.splitlines()) == sum(map(len, tables))


def test_says_what_a_reader_must_know(card: str, run: Run) -> None:
    flat = " ".join(card.split())
    assert "**Not a medical device.**" in flat
    assert run.config.intended_use in flat
    assert "CC BY 4.0 (PAD-UFES-20, doi:10.17632/zr7vgbcyr2.1)" in flat
    assert "CC0 1.0 (ISIC 2017 challenge)" in flat
    found = read_reports(run.path / METRICS)["cross_validation"]
    interval = found.intervals.balanced_accuracy
    assert interval is not None
    words = f"{found.balanced_accuracy:.3f} | {interval.low:.3f} to {interval.high:.3f}"
    assert f"| balanced accuracy | {words} |" in card
    assert "these weights themselves learnt from all photos" in flat
    assert "**The weights learnt from 80 of them" in flat
    assert (
        f"Only {found.per_class['MEL'].support} of the {found.images} judged photos are melanomas"
        in flat
    )
    assert "Skin tone is not recorded" in flat
    assert "coreml evaluator 1.0" in flat and "have not run on Apple's runtime" in flat
    point = run.config.operating_point
    assert f"softmax(logits / {point.temperature:.4f})" in flat
    assert f"at least {point.melanoma_threshold:.4f}" in flat
    assert "hierattn verify FOLDER" in flat


def test_every_file_has_its_row(card: str) -> None:
    files = next(table for table in _tables(card) if "same decision" in table[0])
    assert files[2].startswith("| torch, float32 |")
    assert files[3] == (
        "| `hierattn_xs-256-fp32.onnx` | 4.32 | passed | 2.5e-06 | 0.9871 | 0.432 (-1.20) | "
        "0.400 (-1.20) | 0.800 (0) | 0.080 (0) |"
    )
    assert "| n/a | failed | n/a | n/a |  |  |  |  |" in files[5]
    assert "`hierattn_xs-256-int8.tflite`, failed: melanoma sensitivity; a \\| b" in card
    assert "- `hierattn_xs-256-int8.tflite`: Gelu 9. convolutions static" in card
    assert "| tflite-runtime 2.14 | yes | not run | no answer |" in card


def test_the_same_card_every_time(run: Run) -> None:
    config = run.config
    manifest = _manifest(config, [_record(config, "onnx", Precision.FP32)])
    assert render_model_card(manifest, config, {}) == render_model_card(manifest, config, {})


def test_has_no_holes(card: str) -> None:
    """No value was forgotten, and no template mark is left."""
    for hole in ("None", "Undefined", "{{", "{%", "}}", "nan", " ,", "( )"):
        assert hole not in card, hole
    assert "\n\n\n" not in card


def test_without_photos_and_without_metrics(run: Run) -> None:
    record = _record(run.config, "onnx", Precision.FP32, quality=None)
    manifest = _manifest(run.config, [record]).model_copy(
        update={"data": None, "torch_quality": None}
    )
    card = render_model_card(manifest, run.config, {})
    assert "Judged on the golden images alone" in card
    assert "has no photos of its own" in card
    assert "Core ML" not in card
    assert "\n\n\n" not in card


@pytest.mark.parametrize(
    ("seen", "words"),
    [(None, "is unknown"), (0, "The weights learnt from none of them"), (3, "learnt from 3 of")],
)
def test_training_photos_are_owned_up_to(run: Run, seen: int | None, words: str) -> None:
    manifest = _manifest(run.config, [_record(run.config, "onnx", Precision.FP32)], seen)
    assert words in render_model_card(manifest, run.config, {})


def test_painted_pictures_are_never_called_photographs(finished: Path) -> None:
    run = load_run(finished)
    manifest = _manifest(run.config, [_record(run.config, "onnx", Precision.FP32)])
    card = render_model_card(manifest, run.config, read_reports(finished / METRICS))
    assert "it knows nothing of real skin" in card
    assert "painted\\_" not in card and "painted_melanoma" in card
    reports = {
        name: report.model_copy(update={"caveat": "its teacher had learnt from 3 of them"})
        for name, report in read_reports(finished / METRICS).items()
    }
    card = render_model_card(manifest, run.config, reports)
    assert card.count("**its teacher had learnt from 3 of them.**") == len(reports)


def test_names_cannot_break_out(run: Run) -> None:
    evil = "x | y\n# Heading\r\n<script>alert(1)</script> [a](http://b) `c` *d* ${{7*7}}"
    data = run.config.data.model_copy(update={"name": evil, "counts": {evil: 1}, "sources": [evil]})
    classes = [evil, *run.config.classes[1:]]
    config = run.config.model_copy(update={"data": data, "classes": classes, "intended_use": evil})
    record = _record(
        config,
        "onnx",
        Precision.FP32,
        quality=None,
        gate=Gate(status="failed", reasons=[evil]),
        other_runtimes=[RuntimeCheck(runtime=evil, loads=None, agrees=None, reason=evil)],
    )
    card = render_model_card(_manifest(config, [record]), config, {})
    assert "<script" not in card
    assert "\n# Heading" not in card
    assert "49" not in re.sub(r"\d{3,}", "", card.split("alert")[1][:80])
    assert not re.search(r"(?<!\\)\[a", card)
    for table in _tables(card):
        assert {_cells(row) for row in table} == {_cells(table[0])}


@given(st.text())
def test_no_text_leaves_its_cell(text: str) -> None:
    for written in (_finalise(text), _code(text)):
        assert len(written.splitlines()) <= 1
        assert not re.search(r"(?<!\\)(?:\\\\)*\|", written) or written.startswith("`")
        assert _cells(f"| {written} |") == 1
    assert not re.search(r"[<>]", _finalise(text))


def test_the_chain_of_pretraining_is_followed(run: Run) -> None:
    roles = [(source.role, source.data.name) for source in data_sources(run.config)]
    assert roles == [
        ("training", "pad_ufes_20"),
        ("pretraining, without labels", "isic_2017+pad_ufes_20"),
    ]
    broken = {"pretraining": {"data": {"name": 3}}}
    with pytest.raises(CheckpointError, match=r"initialisation\.pretraining\.data"):
        data_sources(run.config.model_copy(update={"initialisation": broken}))


@pytest.mark.parametrize("content", ["", "[1]", '{"test": {"images": 1}}', "{" * 100_000])
def test_damaged_metrics_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / METRICS).write_text(content)
    with pytest.raises(CheckpointError, match=METRICS) as caught:
        read_reports(tmp_path / METRICS)
    assert "\n" not in str(caught.value)
