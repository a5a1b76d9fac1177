"""Abilities of Core ML packages."""

from __future__ import annotations

from pathlib import Path

from export.formats.abilities import Abilities, Platform, Runtime

_ENGINE = str(Path(__file__).with_name("engine.py"))

COREML = Runtime(
    "coreml",
    "coremltools",
    "coremltools",
    frozenset({Platform.MACOS, Platform.IOS}),
    _ENGINE,
    minimum="iOS 16, macOS 13",
)

ABILITIES = Abilities(
    name="coreml",
    title="Core ML",
    suffix=".mlpackage",
    extra="coreml",
    implementation="export.formats.coreml.format:CoremlFormat",
    packages=("coremltools",),
    packages_to_run=("coremltools",),
    runtimes=(COREML,),
    tools=("coremltools",),
    long_jobs=True,
    evaluators=("graph and weights verified; not Apple's runtime", "Core ML on the CPU"),
    not_in_apps={Platform.ANDROID: "Core ML does not run on Android"},
)
