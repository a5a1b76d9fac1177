"""Abilities of ONNX files."""

from __future__ import annotations

from pathlib import Path

from export.formats.abilities import Abilities, Platform, Runtime

_ENGINE = str(Path(__file__).with_name("engine.py"))

ONNXRUNTIME = Runtime(
    "onnxruntime",
    "onnxruntime",
    "onnxruntime",
    frozenset({Platform.HOST, Platform.ANDROID, Platform.IOS, Platform.ARM64}),
    _ENGINE,
    minimum="1.17.0",
)

ABILITIES = Abilities(
    name="onnx",
    title="ONNX",
    suffix=".onnx",
    extra="onnx",
    implementation="export.formats.onnx.format:OnnxFormat",
    packages=("onnx", "onnx_ir", "onnxscript", "onnxsim", "onnxruntime"),
    packages_to_run=("onnx", "onnxruntime"),
    runtimes=(ONNXRUNTIME,),
    rewrites=frozenset({"heads", "gates"}),
    tools=("onnx", "onnxscript", "onnxruntime", "onnxsim"),
    any_batch=True,
    not_in_apps={Platform.IOS: "the iOS app has no ONNX Runtime"},
)
