"""Tiny export folders, written by hand: converting a real network takes half a minute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.results import Environment, NoiseFloor, Results, Row
from export.checks.integrity import path_bytes, path_sha256
from export.formats.registry import abilities_of
from export.schema.file_facts import InputFacts, OutputFacts
from export.schema.manifest import (
    MANIFEST,
    ArtefactRecord,
    Gate,
    JudgedData,
    Manifest,
    RuntimeCheck,
    Source,
)
from export.schema.metadata import Precision
from export.schema.parity import Parity
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec

SIZE = 32
CLASSES = ("mel", "nv", "other")


def write_onnx(path: Path, *, layers: int = 0, scale: float = 1.0, classes: int = 3) -> Path:
    """Mean colour to logits; each of ``layers`` adds a convolution that only costs time."""
    random = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(
            (scale * random.standard_normal((3, classes))).astype(np.float32), "matrix"
        )
    ]
    nodes, last = [], "input"
    kernel = np.zeros((32, 3, 3, 3), np.float32)
    kernel[:3, :, 1, 1] = np.eye(3)
    for layer in range(layers):
        weights.append(numpy_helper.from_array(kernel, f"up{layer}"))
        weights.append(
            numpy_helper.from_array(np.eye(3, 32, dtype=np.float32)[:, :, None, None], f"d{layer}")
        )
        nodes.append(
            helper.make_node("Conv", [last, f"up{layer}"], [f"wide{layer}"], pads=[1, 1, 1, 1])
        )
        nodes.append(helper.make_node("Conv", [f"wide{layer}", f"d{layer}"], [f"out{layer}"]))
        last = f"out{layer}"
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
    nodes.append(helper.make_node("MatMul", ["flat", "matrix"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return path


def record_of(
    path: Path,
    *,
    format: str = "onnx",
    precision: Precision = Precision.FP32,
    gate: Gate | None = None,
) -> ArtefactRecord:
    """The manifest's record of a file that is there, or was not made."""
    there = path.exists()
    abilities = abilities_of(format)
    parity = Parity(
        evaluator=" ".join([*abilities.evaluator_names[:1], "1"]),
        images=1,
        max_abs=0.25,
        max_relative=0.0,
        relative_l2=0.0,
        cosine=1.0,
        top1_agreement=1.0,
    )
    return ArtefactRecord(
        path=path.name,
        format=format,
        precision=precision,
        bytes=path_bytes(path) if there else None,
        sha256=path_sha256(path) if there else None,
        input=InputFacts(name="input", layout="NCHW", dtype="float32", shape=[-1, 3, SIZE, SIZE]),
        output=OutputFacts(name="logits"),
        operators={},
        delegated=None,
        quantisation=None,
        parity=parity,
        quality=None,
        other_runtimes=[
            RuntimeCheck(runtime=f"{one.distribution} {one.pinned}", loads=None, agrees=None)
            for one in abilities.runtimes
            if one.requirements
        ],
        gate=gate or Gate(status="passed"),
    )


def write_manifest(
    folder: Path,
    artefacts: list[ArtefactRecord],
    *,
    classes: tuple[str, ...] = CLASSES,
    run: str | None = "somewhere",
    weights: str = "0" * 64,
    data: JudgedData | None = None,
    model: str = "hierattn_xs",
    files: dict[str, str] | None = None,
    tools: dict[str, str] | None = None,
    licence: str = "none",
) -> Path:
    """An export folder's manifest."""
    manifest = Manifest(
        model=model,
        classes=list(classes),
        image_size=SIZE,
        preprocessing=PreprocessSpec(image_size=SIZE),
        operating_point=OperatingPoint(melanoma_class=classes[0], melanoma_threshold=0.3),
        intended_use="tests",
        source=Source(
            run=run,
            graph="deploy",
            rewrites=[],
            weights_sha256=weights,
            tools=tools or {},
            licence=licence,
        ),
        data=data,
        torch_quality=None,
        files=files or {},
        artefacts=artefacts,
    )
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return folder


def write_export(
    folder: Path, *, layers: int = 0, classes: tuple[str, ...] = CLASSES, scale: float = 1.0
) -> Path:
    """An export folder with one ONNX file."""
    folder.mkdir(parents=True)
    path = write_onnx(
        folder / "hierattn_xs-32-fp32.onnx", layers=layers, classes=len(classes), scale=scale
    )
    return write_manifest(folder, [record_of(path)], classes=classes)


def row(**fields: object) -> Row:
    """A measured row."""
    known: dict[str, object] = {
        "export": "export",
        "name": "m-fp32.onnx",
        "sha256": "a" * 64,
        "model": "m",
        "format": "onnx",
        "precision": "fp32",
        "runtime": "onnxruntime",
        "device": "host",
        "threads": 1,
        "size_mb": 4.0,
        "p50_ms": 10.0,
        "status": "measured",
    }
    return Row.model_validate(known | fields)


def results(*rows: Row, floor: float = 1.05, **fields: object) -> Results:
    """A session on one machine."""
    known: dict[str, object] = {
        "date": "2026-01-01",
        "command": "hierattn benchmark",
        "environments": [environment()],
        "photos": None,
        "noise_floor": NoiseFloor(
            name="m-fp32.onnx", ratio=floor, by_threads={1: floor}, controls={1: (10.0, 10.1)}
        ),
        "rows": list(rows),
    }
    return Results.model_validate(known | fields)


def environment(**fields: object) -> Environment:
    """A machine."""
    known: dict[str, object] = {
        "device": "host",
        "system": "Linux 6.1",
        "cpu": "A CPU",
        "cores": 2,
        "features": ["avx2"],
        "governor": None,
        "load_before": 0.1,
        "load_after": 0.2,
        "memory_gb": 8.0,
        "pinned_to": None,
        "thermal": None,
        "versions": {"onnxruntime": "1.32.0"},
        "matrix_product_gmacs": {1: 50.0},
    }
    return Environment.model_validate(known | fields)
