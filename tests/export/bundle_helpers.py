"""A whole tiny export folder with self-test and answers, written by hand in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from export.checks.gates import relative_tolerances
from export.checks.golden.selftest import golden_inputs, write_selftest
from export.checks.integrity import path_sha256
from export.checks.parity import logits_by_image
from export.formats.tflite.archive import append_archive
from export.model_card import render_model_card
from export.run_record import RunRecord, licence_words, write_run_record
from export.schema.manifest import (
    MANIFEST,
    MODEL_CARD,
    PARITY,
    PARTS,
    RUN_RECORD,
    SELFTEST,
    Gate,
    Manifest,
    read_manifest,
)
from export.schema.metadata import METADATA_KEY, Description, Precision
from export.schema.parity import ParityRecord
from hierattn.model_metadata import ModelMetadata
from hierattn.runs import load_run, tool_versions
from tests.benchmarks.helpers import record_of, write_manifest, write_onnx

FP32, INT8, TFLITE = "tiny-32-fp32.onnx", "tiny-32-int8.onnx", "tiny-32-fp32.tflite"
TFLITE_HALF = "tiny-32-fp16.tflite"
COREML = "tiny-32-fp32.mlpackage"


def write_whole_export(folder: Path, *, gates: dict[str, Gate] | None = None) -> Path:
    """ONNX in fp32 and, for the tests, the same model called int8 and .tflite, or a package.

    Args:
        gates: by file name; passed by default, and which files there are: all three by default.
    """
    gates = {FP32: Gate(status="passed")} if gates is None else gates
    folder.mkdir(parents=True)
    model = write_onnx(folder / FP32)
    content = model.read_bytes()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def predict(images: np.ndarray) -> np.ndarray:
        answers: np.ndarray = session.run(None, {"input": images})[0]
        return answers

    shipped = load_run("hierattn_xs.pad_ufes_20").config
    data = shipped.data.model_copy(update={"sources": []})
    config = shipped.model_copy(update={"initialisation": None, "data": data})
    words = {"tools": tool_versions(), "licence": licence_words(config)}
    write_manifest(folder, [record_of(model)], **words)
    description = description_of(read_manifest(folder))
    for name in gates:
        describe_file(folder / name, content, description)
    if FP32 not in gates:
        model.unlink()
    records = [
        record_of(
            folder / name,
            format={".tflite": "tflite", ".mlpackage": "coreml"}.get(Path(name).suffix, "onnx"),
            precision=_precision(name),
            gate=gate,
        )
        for name, gate in gates.items()
    ]
    write_manifest(folder, records, **words)
    manifest = read_manifest(folder)
    selftest = write_selftest(
        folder / SELFTEST, description_of(manifest), predict, relative_tolerances()
    )
    names = [image.file for image in selftest.images]
    logits = predict(golden_inputs(folder / SELFTEST, selftest))
    answers = ParityRecord(
        torch="none: a hand-made file",
        golden=logits_by_image(names, selftest.logits()),
        photos=[],
        # The int8 stand-in answered otherwise where it was "exported".
        artefacts={
            name: logits_by_image(names, logits + 0.01 * ("int8" in name)) for name in gates
        },
    )
    (folder / PARITY).write_text(answers.model_dump_json(), encoding="utf-8")
    fields = ModelMetadata.fields_of(manifest) | {"weights_sha256": manifest.source.weights_sha256}
    write_run_record(
        folder / RUN_RECORD, RunRecord(config=config.model_copy(update=fields), reports={})
    )
    relist(folder)
    return folder


def describe_file(path: Path, content: bytes, description: Description) -> None:
    """Write a file that holds its own description, as an exported one does."""
    description = description.model_copy(update={"precision": _precision(path.name)})
    if path.suffix == ".mlpackage":
        write_mean_package(path, description)
        return
    if path.suffix == ".tflite":
        path.write_bytes(append_archive(content, description))
        return
    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {METADATA_KEY: description.to_json()})
    onnx.save(model, path)


def _precision(name: str) -> Precision:
    return next(precision for precision in Precision if precision.value in name)


def write_mean_package(path: Path, description: Description) -> None:
    """A Core ML package that answers with a mean, whatever the manifest says of its logits."""
    # coremltools takes seconds to import; most tests need none.
    from export.formats.coreml.package import write_model
    from tests.export.formats.coreml.evaluator.programs import to_model

    side = description.image_size
    model = to_model(lambda builder, x: builder.reduce_mean(x=x), (1, 3, side, side))
    write_model(model, description, path)


def relist(folder: Path, *, card: bool = True, **update: object) -> Manifest:
    """Write the manifest anew, with the hashes of what lies there and other fields.

    Args:
        card: write the card of these fields.
    """
    manifest = read_manifest(folder).model_copy(update=update)
    if card:
        record = RunRecord.model_validate_json((folder / RUN_RECORD).read_bytes())
        text = render_model_card(manifest, record.config, record.reports)
        (folder / MODEL_CARD).write_text(text, encoding="utf-8")
    files = {name: path_sha256(folder / name) for name in (*PARTS, RUN_RECORD)}
    manifest = manifest.model_copy(update={"files": files})
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def description_of(manifest: Manifest) -> Description:
    return Description(
        **ModelMetadata.fields_of(manifest),
        precision=Precision.FP32,
        weights_sha256=manifest.source.weights_sha256,
        licence=manifest.source.licence,
    )


def write_app(folder: Path) -> Path:
    """The folder of an Android app, as far as a bundle needs it."""
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "build.gradle").write_text("// an app\n", encoding="utf-8")
    return folder


def write_ios_app(folder: Path) -> Path:
    """The folder of an iOS app, as far as a bundle needs it."""
    folder.mkdir(parents=True)
    (folder / "Package.swift").write_text("// an app\n", encoding="utf-8")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file's content, by its path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
