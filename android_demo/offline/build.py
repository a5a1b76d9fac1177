"""The build from sources to a signed, checked APK."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from android_demo.offline import apk, checks, classes, resources, signing
from android_demo.offline.assets import check_bundled
from android_demo.offline.errors import BuildError
from android_demo.offline.packages import fetch
from android_demo.offline.packages.toolbox import Toolbox, require
from android_demo.offline.project import ABIS, assets_folder, read_versions
from hierattn.common.files import atomic_path, file_sha256

Say = Callable[[str], None]
_STALE_SECONDS = 6 * 3600


@dataclass
class StepTimes:
    """Seconds that each step took."""

    steps: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.perf_counter)

    def done(self, step: str) -> None:
        """Note the end of a step."""
        now = time.perf_counter()
        self.steps[step] = now - self._began
        self._began = now


@dataclass(frozen=True)
class BuildResult:
    """What came out.

    Args:
        apk: the signed APK.
        unsigned_sha256: of the APK before signing, the same for the same sources and bundle.
        findings: one line a check.
        seconds: by step.
    """

    apk: Path
    unsigned_sha256: str
    findings: list[str]
    seconds: dict[str, float]


def build(
    target: Path, abis: tuple[str, ...], cache: Path, say: Say, assets: Path | None = None
) -> BuildResult:
    """Build the ``ort`` flavour with the bundle that lies among the assets.

    Args:
        target: the APK; written last, under a temporary name first.
        abis: kinds of processor it serves.
        cache: folder of fetched packages and of the debug key.
        say: takes lines of progress.
        assets: folder that becomes ``assets/``; the app's own unless given.

    Raises:
        PackageUnavailableError: a package or program cannot be had here.
        BuildError: a step failed, or a promise does not hold.
    """
    unknown = [abi for abi in abis if abi not in ABIS]
    if unknown or not abis:
        raise BuildError(f"unknown processor {unknown}; known are {', '.join(ABIS)}")
    assets = assets or assets_folder()
    check_bundled(assets)
    for program in ("java", "javac", "keytool"):
        require(program)
    clock = StepTimes()
    tools = Toolbox(fetch.fetch_tools(cache, say))
    runtime = fetch.fetch_runtime(cache, say)
    clock.done("packages")
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    work = Path(tempfile.mkdtemp(prefix=".apk-", dir=target.parent))
    try:
        unsigned = build_unsigned(tools, runtime, assets, abis, work, clock, say)
        with atomic_path(target) as part:
            signing.sign(tools, read_versions(), unsigned, part, signing.debug_key(cache))
            clock.done("sign")
            say("checking")
            subject = checks.CheckedApk(part, assets, abis, read_versions(), work)
            findings = checks.check_apk(tools, subject)
            clock.done("check")
        return BuildResult(target, file_sha256(unsigned), findings, clock.steps)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what builds that were killed outright left here; none runs for hours."""
    for left in folder.glob(".apk-*"):
        if time.time() - left.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def build_unsigned(
    tools: Toolbox,
    runtime: Path,
    assets: Path,
    abis: tuple[str, ...],
    work: Path,
    clock: StepTimes,
    say: Say,
) -> Path:
    """Everything up to the signature; see :func:`build`."""
    versions = read_versions()
    say("linking resources")
    linked = resources.link_resources(tools, versions, work)
    clock.done("resources")
    say("type-checking the litert flavour against stubs (no LiteRT to be had here)")
    classes.check_litert_flavour(tools, work)
    clock.done("litert stubs")
    say("compiling, lowering and dexing the ort flavour")
    dex = classes.build_dex(tools, versions, runtime, work)
    clock.done("classes")
    say("packing")
    unsigned = work / "unsigned.apk"
    apk.write_apk(apk.collect(linked, dex, assets, runtime, abis), unsigned)
    clock.done("pack")
    return unsigned
