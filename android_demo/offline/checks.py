"""Checks of the finished APK: signature, permissions, classes, libraries, bundle."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from android_demo.offline.apk import LIBRARY_ALIGNMENT, PLAIN_ALIGNMENT, STORED, content_offset
from android_demo.offline.classes import TELEMETRY
from android_demo.offline.errors import BuildError
from android_demo.offline.packages.pins import ONNX_RUNTIME_VERSION
from android_demo.offline.packages.toolbox import Toolbox
from android_demo.offline.project import PACKAGE, Versions

_BUNDLE = "assets/hierattn/"
# Activities that adb may start; its shell holds this permission, other apps do not.
_GUARD = "android.permission.DUMP"


@dataclass(frozen=True)
class CheckedApk:
    """What is checked.

    Args:
        apk: the signed APK.
        assets: folder that its assets should be.
        abis: kinds of processor it should serve.
        versions: figures it should carry.
        work: folder for what a check unpacks.
    """

    apk: Path
    assets: Path
    abis: tuple[str, ...]
    versions: Versions
    work: Path


Check = Callable[[Toolbox, CheckedApk], str]


def check_apk(tools: Toolbox, subject: CheckedApk) -> list[str]:
    """Run every check.

    Returns:
        One line of findings each.

    Raises:
        BuildError: the first promise that does not hold.
    """
    checks: tuple[Check, ...] = (
        check_signature,
        check_badging,
        check_permissions,
        check_manifest,
        check_components,
        check_dex,
        check_libraries,
        check_runtime,
        check_stored,
        check_bundle,
    )
    return [check(tools, subject) for check in checks]


def check_signature(tools: Toolbox, subject: CheckedApk) -> str:
    """Schemes 2 and 3."""
    oldest = str(subject.versions.min_sdk)
    said = tools.apksigner("verify", "-v", "--min-sdk-version", oldest, subject.apk)
    for scheme in ("v2", "v3"):
        if not re.search(rf"using {scheme} scheme.*: true", said):
            raise BuildError(f"{subject.apk}: not signed with scheme {scheme}")
    return "signature: schemes v2 and v3"


def check_badging(tools: Toolbox, subject: CheckedApk) -> str:
    """Name, versions, levels, processors, the activity to launch."""
    said = tools.aapt("dump", "badging", subject.apk)
    versions = subject.versions
    wanted = (
        f"package: name='{PACKAGE}' versionCode='{versions.code}' versionName='{versions.name}'",
        f"sdkVersion:'{versions.min_sdk}'",
        f"targetSdkVersion:'{versions.target_sdk}'",
        f"launchable-activity: name='{PACKAGE}.MainActivity'",
        "native-code: " + " ".join(f"'{abi}'" for abi in sorted(subject.abis)),
    )
    for line in wanted:
        if line not in said:
            raise BuildError(f"{subject.apk}: badging lacks {line}")
    return f"badging: {PACKAGE} {versions.name}, API {versions.min_sdk} to {versions.target_sdk}"


def check_permissions(tools: Toolbox, subject: CheckedApk) -> str:
    """None asked for."""
    lines = tools.aapt("dump", "permissions", subject.apk).splitlines()
    asked = [line for line in lines if "permission" in line]
    if asked:
        raise BuildError(f"{subject.apk}: asks for {asked[0]}; the app promises to ask for none")
    return "permissions: none"


def check_manifest(tools: Toolbox, subject: CheckedApk) -> str:
    """No backup, no debugger, only our own provider, guarded doors."""
    tree = tools.aapt("dump", "xmltree", subject.apk, "AndroidManifest.xml")
    for name in ("allowBackup", "extractNativeLibs", "usesCleartextTraffic"):
        if not re.search(rf"android:{name}\(0x[0-9a-f]+\)=\(type 0x12\)0x0\b", tree):
            raise BuildError(f"{subject.apk}: android:{name} is not false")
    if "android:dataExtractionRules" not in tree:
        raise BuildError(f"{subject.apk}: no data extraction rules")
    if "android:debuggable" in tree:
        raise BuildError(f"{subject.apk}: debuggable")
    parts = re.split(r"\n +E: (?=activity|provider|service|receiver)", tree)[1:]
    kinds = [part.split(" ", 1)[0] for part in parts]
    if kinds.count("provider") != 1 or set(kinds) != {"activity", "provider"}:
        raise BuildError(f"{subject.apk}: components beside its activities and its one provider")
    for part in parts:
        is_open = re.search(r"android:exported\(0x[0-9a-f]+\)=\(type 0x12\)0xffffffff", part)
        if is_open and "android.intent.action.MAIN" not in part and _GUARD not in part:
            raise BuildError(f"{subject.apk}: a component is open to every app: {part[:200]}")
    return "manifest: no backup, not debuggable, no door open but the first screen"


def check_components(tools: Toolbox, subject: CheckedApk) -> str:
    """Every class that the manifest names is in the dex; Android finds out only at its start."""
    tree = tools.aapt("dump", "xmltree", subject.apk, "AndroidManifest.xml")
    parts = re.split(r"\n +E: (?=activity|provider|service|receiver)", tree)[1:]
    names = [re.search(r'android:name\(0x[0-9a-f]+\)="([^"]+)"', part) for part in parts]
    dex = tools.dexdump("-f", _unpack_dex(subject))
    for name in (found[1] for found in names if found):
        whole = f"{PACKAGE}{name}" if name.startswith(".") else name
        if f"'L{whole.replace('.', '/')};'" not in dex:
            raise BuildError(f"{subject.apk}: the manifest names {whole}, which is not in the dex")
    return f"components: {len(names)}, all in the dex"


def _unpack_dex(subject: CheckedApk) -> Path:
    dex = subject.work / "checked.dex"
    with zipfile.ZipFile(subject.apk) as apk:
        names = [name for name in apk.namelist() if name.endswith(".dex")]
        if names != ["classes.dex"]:
            raise BuildError(f"{subject.apk}: dex files are {names}, not classes.dex alone")
        dex.write_bytes(apk.read("classes.dex"))
    return dex


def check_dex(tools: Toolbox, subject: CheckedApk) -> str:
    """Instructions that Android 7 knows; nothing that could send anything."""
    said = tools.dexdump("-d", _unpack_dex(subject))
    for word in ("invoke-custom", "invoke-polymorphic"):
        if word in said:
            raise BuildError(f"{subject.apk}: {word} in the dex, which Android 7 does not know")
    for word in (*TELEMETRY, "java/net/", "android/net/http", "javax/net/"):
        if f"L{word}" in said:
            raise BuildError(f"{subject.apk}: {word} in the dex; the app promises to send nothing")
    classes = said.count("Class descriptor")
    return f"dex: {classes} classes, no invoke-custom, no telemetry, nothing of java.net"


def check_libraries(tools: Toolbox, subject: CheckedApk) -> str:
    """Stored, on pages of 16 KiB in the file, and loadable on such pages if 64-bit."""
    with zipfile.ZipFile(subject.apk) as apk:
        libraries = [info for info in apk.infolist() if info.filename.startswith("lib/")]
        for info in libraries:
            _check_stored(subject.apk, info, LIBRARY_ALIGNMENT)
            is_64 = "64" in info.filename.split("/")[1]
            if is_64 and _segment_alignment(apk.read(info)) < LIBRARY_ALIGNMENT:
                raise BuildError(f"{subject.apk}: {info.filename} needs pages under 16 KiB")
    if {info.filename.split("/")[1] for info in libraries} != set(subject.abis):
        raise BuildError(f"{subject.apk}: libraries are not those of {', '.join(subject.abis)}")
    return f"libraries: {len(libraries)} for {', '.join(subject.abis)}, stored on 16 KiB pages"


def check_runtime(tools: Toolbox, subject: CheckedApk) -> str:
    """ONNX Runtime is the version that the lab has, by what its libraries say of themselves."""
    commits = set()
    with zipfile.ZipFile(subject.apk) as apk:
        names = [name for name in apk.namelist() if name.endswith("/libonnxruntime.so")]
        for name in names:
            library = apk.read(name)
            if f"\0VERS_{ONNX_RUNTIME_VERSION}\0".encode() not in library:
                raise BuildError(
                    f"{subject.apk}: {name} is not ONNX Runtime {ONNX_RUNTIME_VERSION}"
                )
            commits |= set(re.findall(rb"git-commit-id=([0-9a-f]+)", library))
    if len(names) != len(subject.abis):
        raise BuildError(f"{subject.apk}: ONNX Runtime is not there for every processor: {names}")
    stated = ", ".join(sorted(commit.decode() for commit in commits)) or "unknown"
    return f"runtime: ONNX Runtime {ONNX_RUNTIME_VERSION}, of its source's commit {stated}"


def _segment_alignment(library: bytes) -> int:
    """The smallest alignment of an ELF file's loadable segments, bytes."""
    is_64 = library[4] == 2
    if is_64:
        start, size, count = struct.unpack_from("<Q", library, 32)[0], *_pair(library, 54)
    else:
        start, size, count = struct.unpack_from("<I", library, 28)[0], *_pair(library, 42)
    alignments = []
    for place in range(count):
        header = start + place * size
        if struct.unpack_from("<I", library, header)[0] == 1:
            alignments.append(
                struct.unpack_from("<Q", library, header + 48)[0]
                if is_64
                else struct.unpack_from("<I", library, header + 28)[0]
            )
    return min(alignments)


def _pair(library: bytes, offset: int) -> tuple[int, int]:
    size, count = struct.unpack_from("<HH", library, offset)
    return size, count


def check_stored(tools: Toolbox, subject: CheckedApk) -> str:
    """Whatever is read in place."""
    with zipfile.ZipFile(subject.apk) as apk:
        stored = [info for info in apk.infolist() if info.filename.endswith(STORED)]
    for info in stored:
        _check_stored(subject.apk, info, PLAIN_ALIGNMENT)
    return f"stored: {len(stored)} files, aligned to {PLAIN_ALIGNMENT} bytes or more"


def _check_stored(apk: Path, info: zipfile.ZipInfo, alignment: int) -> None:
    if info.compress_type != zipfile.ZIP_STORED:
        raise BuildError(f"{apk}: {info.filename} is compressed")
    if content_offset(apk, info) % alignment:
        raise BuildError(f"{apk}: {info.filename} is not aligned to {alignment} bytes")


def check_bundle(tools: Toolbox, subject: CheckedApk) -> str:
    """Every asset is the bundled file, byte for byte; the model has the sha256 it states."""
    wanted = {
        f"assets/{path.relative_to(subject.assets).as_posix()}": path.read_bytes()
        for path in subject.assets.rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(subject.apk) as apk:
        found = {name: apk.read(name) for name in apk.namelist() if name.startswith("assets/")}
    if found != wanted:
        raise BuildError(f"{subject.apk}: assets are not those of {subject.assets}")
    record = json.loads(found[f"{_BUNDLE}bundle.json"])
    model = found.get(_BUNDLE + record["artefact"], b"")
    if hashlib.sha256(model).hexdigest() != record["sha256"]:
        raise BuildError(f"{subject.apk}: {record['artefact']} is not the file of bundle.json")
    return f"model: {record['artefact']}, {len(model):,} bytes, stored, as bundled"
