"""Abilities of ExecuTorch programs."""

from __future__ import annotations

from pathlib import Path

from export.formats.abilities import Abilities, Platform, Runtime

EXECUTORCH = Runtime(
    "executorch",
    "executorch",
    "executorch",
    frozenset({Platform.HOST, Platform.ANDROID, Platform.IOS}),
    str(Path(__file__).with_name("engine.py")),
    minimum="1.5.1",
)

ABILITIES = Abilities(
    name="executorch",
    title="ExecuTorch",
    suffix=".pte",
    extra="executorch",
    implementation="export.formats.executorch.format:ExecutorchFormat",
    packages=("executorch",),
    packages_to_run=("executorch",),
    runtimes=(EXECUTORCH,),
    precisions=("fp32",),
    tools=("executorch",),
    by_default=False,
    not_in_apps={
        Platform.ANDROID: "the Android app has no ExecuTorch runtime",
        Platform.IOS: "the iOS app has no ExecuTorch runtime",
    },
)
