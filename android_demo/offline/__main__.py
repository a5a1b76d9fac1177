"""``python -m android_demo.offline``: what ``make apk`` runs."""

from __future__ import annotations

import argparse
import signal
import sys
import zipfile
from pathlib import Path
from types import FrameType

from android_demo.offline.assets import bundle_shipped
from android_demo.offline.build import BuildResult, build
from android_demo.offline.errors import ELSEWHERE, UNAVAILABLE_EXIT, PackageUnavailableError
from android_demo.offline.packages import fetch
from android_demo.offline.project import ABIS, APP
from hierattn.errors import HierAttnError

_BUILD = APP.parent / "build"
# What nearly every phone of today has; more processors make a larger file.
_ABIS = ("arm64-v8a",)


def main(words: list[str] | None = None) -> int:
    """Build the APK; 0 done, 1 failed, 2 wrong usage, 3 something cannot be had on this machine."""
    signal.signal(signal.SIGTERM, _interrupt)
    options = _parser().parse_args(words)
    try:
        if not options.bundled:
            bundle_shipped(options.export, _say)
        built = build(options.out, tuple(options.abi or _ABIS), fetch.cache_folder(), _say)
    except PackageUnavailableError as error:
        print(f"NO APK: {error}; {ELSEWHERE}", file=sys.stderr)
        return UNAVAILABLE_EXIT
    except HierAttnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        return 1
    _report(built)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m android_demo.offline",
        description="Build the Android app without an SDK, from Debian and npm packages alone.",
    )
    parser.add_argument(
        "--out", type=Path, default=_BUILD / "hierattn-demo-ort.apk", help="the APK to write"
    )
    parser.add_argument(
        "--abi",
        action="append",
        choices=ABIS,
        help="kind of processor, repeatable (default: arm64-v8a)",
    )
    parser.add_argument(
        "--export", type=Path, default=_BUILD / "export", help="where the checkpoint is exported to"
    )
    parser.add_argument(
        "--bundled",
        action="store_true",
        help="take the bundle that 'hierattn bundle' put there, instead of the shipped checkpoint",
    )
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _report(built: BuildResult) -> None:
    for line in built.findings:
        print(f"  {line}")
    with zipfile.ZipFile(built.apk) as apk:
        sizes: dict[str, int] = {}
        for info in apk.infolist():
            kind = info.filename.split("/")[0]
            sizes[kind] = sizes.get(kind, 0) + info.compress_size
    listed = ", ".join(f"{kind} {size:,}" for kind, size in sizes.items() if size > 10000)
    print(f"  sizes in bytes: {listed}")
    taken = ", ".join(f"{step} {seconds:.1f}" for step, seconds in built.seconds.items())
    print(f"  seconds: {taken}; together {sum(built.seconds.values()):.1f}")
    print(f"  sha256 before signing: {built.unsigned_sha256}")
    print(f"{built.apk}: {built.apk.stat().st_size:,} bytes, all checks passed")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
