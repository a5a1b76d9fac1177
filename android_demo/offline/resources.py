"""Manifest and resources: compiled and linked by aapt2."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import APP, OFFLINE, PACKAGE, Versions

_ANDROID = "http://schemas.android.com/apk/res/android"


def link_resources(tools: Toolbox, versions: Versions, work: Path, app: Path = APP) -> Path:
    """Compile and link resources.

    Args:
        tools: the programs.
        versions: what Gradle would put into the manifest.
        work: empty folder; ``generated/`` in it gets ``R.java``.
        app: the app's project folder.

    Returns:
        An archive with the binary manifest, the resource table and compiled resources.
    """
    compiled = work / "compiled"
    compiled.mkdir(parents=True)
    for file in sorted((app / "app/src/main/res").rglob("*.xml")):
        tools.aapt2("compile", "-o", compiled, file)
    manifest = work / "AndroidManifest.xml"
    _write_manifest(app / "app/src/main/AndroidManifest.xml", manifest)
    linked = work / "linked.apk"
    tools.aapt2(
        "link",
        *("-o", linked),
        *("--manifest", manifest),
        *("-I", tools.framework_resources),
        *("-I", _newer_attributes(tools, work)),
        *("--java", work / "generated"),
        *("--min-sdk-version", str(versions.min_sdk)),
        *("--target-sdk-version", str(versions.target_sdk)),
        *("--version-code", str(versions.code)),
        *("--version-name", versions.name),
        *sorted(compiled.iterdir()),
    )
    return linked


def _write_manifest(source: Path, target: Path) -> None:
    """Name the package and say how libraries lie, which Gradle takes from its own files."""
    ET.register_namespace("android", _ANDROID)
    manifest = ET.parse(source)
    manifest.getroot().set("package", PACKAGE)
    for application in manifest.iter("application"):
        # In a source manifest, Android's Gradle plugin warns of it.
        application.set(f"{{{_ANDROID}}}extractNativeLibs", "false")
    manifest.write(target, encoding="utf-8", xml_declaration=True)


def _newer_attributes(tools: Toolbox, work: Path) -> Path:
    """A second framework package with the few attributes that the first is too old for."""
    source = OFFLINE / "framework_additions"
    compiled = work / "framework"
    compiled.mkdir()
    tools.aapt2("compile", "-o", compiled, source / "values/attrs.xml")
    package = work / "framework.apk"
    # -x: the framework's own package number.
    tools.aapt2(
        *("link", "-o", package, "--manifest", source / "AndroidManifest.xml", "-x"),
        *sorted(compiled.iterdir()),
    )
    return package
