"""Abilities of Core ML packages."""

from __future__ import annotations

from export.formats.abilities import Abilities, Platform, Runtime

COREML = Runtime("coreml", "coremltools", "coremltools", frozenset({Platform.MACOS, Platform.IOS}))

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
    not_bundled="Core ML does not run on Android",
)
