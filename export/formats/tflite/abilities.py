"""Abilities of TFLite files."""

from __future__ import annotations

from export.formats.abilities import Abilities, Platform, Runtime

LITERT = Runtime(
    "litert",
    "ai_edge_litert",
    "ai-edge-litert",
    frozenset({Platform.HOST, Platform.ANDROID, Platform.IOS, Platform.ARM64}),
)
TFLITE_RUNTIME = Runtime(
    "tflite-runtime",
    "tflite_runtime",
    "tflite-runtime",
    frozenset({Platform.HOST}),
    separate=True,
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
    rewrites=frozenset({"heads", "rms norm"}),
    tools=("litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
)
