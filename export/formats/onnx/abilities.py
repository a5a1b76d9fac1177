"""Abilities of ONNX files."""

from __future__ import annotations

from export.formats.abilities import Abilities, Platform, Runtime

ONNXRUNTIME = Runtime(
    "onnxruntime",
    "onnxruntime",
    "onnxruntime",
    frozenset({Platform.HOST, Platform.ANDROID, Platform.IOS, Platform.ARM64}),
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
)
