"""Abilities of TFLite files."""

from __future__ import annotations

from pathlib import Path

from export.formats.abilities import Abilities, Platform, Runtime

_ENGINE = str(Path(__file__).with_name("engine.py"))

LITERT = Runtime(
    "litert",
    "ai_edge_litert",
    "ai-edge-litert",
    frozenset({Platform.HOST, Platform.ANDROID, Platform.IOS, Platform.ARM64}),
    _ENGINE,
    minimum="1.0.1",
)
TFLITE_RUNTIME = Runtime(
    "tflite-runtime",
    "tflite_runtime",
    "tflite-runtime",
    frozenset({Platform.HOST}),
    _ENGINE,
    minimum="2.14.0",
    requirements=("tflite-runtime==2.14.0", "numpy==1.26.4"),
)

ABILITIES = Abilities(
    name="tflite",
    title="TFLite",
    suffix=".tflite",
    extra="tflite",
    implementation="export.formats.tflite.format:TfliteFormat",
    packages=("litert_torch", "ai_edge_litert", "ai_edge_quantizer"),
    packages_to_run=("ai_edge_litert",),
    runtimes=(LITERT, TFLITE_RUNTIME),
    rewrites=frozenset({"heads", "rms norm", "stripes", "winograd"}),
    not_in_int8=frozenset({"winograd"}),
    tools=("litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
    fallbacks={"fp16": "fp32"},
    evaluators=("LiteRT",),
    not_in_apps={Platform.IOS: "the iOS app has no LiteRT"},
)
