"""Builds the Swift core and its tests on Linux and runs them: what ``make test-ios`` does.

Exit code 0 only if every test passed and every other Swift file was parsed; 1 if not; 3 where
Swift cannot be had. ``--quick`` compares fewer pictures, which is what ``.ci/run`` has time for.
"""

from __future__ import annotations

import argparse
import json
import os
import plistlib
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from export.targets.results import PhoneBenchmark, parse_result
from hierattn.errors import HierAttnError
from ios_demo.linux.toolchain import (
    SwiftToolchain,
    ToolchainUnavailableError,
    default_home,
    ensure_toolchain,
)
from tests.android.vectors import Amounts, photos_folder, write_vectors

DEMO = Path(__file__).parents[2] / "ios_demo"
UNAVAILABLE = 3
_PACKAGE = "/mnt/source/HierAttnCore"
_STAND_INS = "linux/stand_ins"
STAND_INS = ("CoreGraphics", "ImageIO", "CoreML", "SwiftUI", "PhotosUI")
_APPLES = ("HierAttnCoreML", "HierAttnDemo.swiftpm")
_CHECKED = "-c release -Xswiftc -enable-testing -Xswiftc -warnings-as-errors --disable-sandbox"
_COUNTS = re.compile(r"Executed (\d+) tests?, with (?:(\d+) tests? skipped and )?(\d+) failures?")
QUICK = Amounts(photos=45, random_sides=40, damaged=60, large=False)
_SHOWN = ("preprocessing: ", "EXIF: ", "answers of ")


@dataclass(frozen=True)
class CoreRun:
    """What came of building and testing.

    Attributes:
        code: 0 where all passed.
        output: all that was said.
    """

    code: int
    output: str

    @property
    def counts(self) -> tuple[int, int, int]:
        """Tests that ran, those skipped and those that failed; all 0 where none was reached."""
        found = _COUNTS.findall(self.output)
        ran, skipped, failed = found[-1] if found else ("0", "0", "0")
        return int(ran), int(skipped or 0), int(failed)

    def facts(self) -> list[str]:
        """The lines in which the tests say how much they compared."""
        return [line for line in self.output.splitlines() if line.startswith(_SHOWN)]


def run_tests(
    toolchain: SwiftToolchain,
    build: Path,
    vectors: Path,
    variables: Mapping[str, str],
    only: str | None = None,
) -> CoreRun:
    """Build the package and run its tests, or those that ``only`` names.

    Args:
        build: where what is compiled is kept; a later call with the same folder compiles less.
        vectors: folder of :func:`tests.android.vectors.write_vectors`.
        variables: more of the tests' environment.
    """
    words = ["swift", "test", "--package-path", _PACKAGE, "--scratch-path", "/mnt/build"]
    environment = {"HIERATTN_VECTORS": "/mnt/data", **variables}
    done = toolchain.run(
        [*words, *_CHECKED.split(), *(["--filter", only] if only else [])],
        source=DEMO,
        build=build,
        data=vectors,
        variables=environment,
    )
    return CoreRun(done.returncode, done.stdout)


def parse_sources(toolchain: SwiftToolchain, scratch: Path) -> tuple[int, str]:
    """Parse the Swift files that need Apple's frameworks; how many, and what is wrong with them."""
    files = [path for path in swift_files() if path.parts[0] != "HierAttnCore"]
    for package in sorted({path.parts[0] for path in files}):
        wrong = _swiftc(toolchain, scratch, scratch, ["-parse", *_inside(files, package)])
        if wrong:
            return len(files), f"{package}: {wrong}"
    return len(files), ""


def check_types(toolchain: SwiftToolchain, build: Path, scratch: Path) -> tuple[int, str]:
    """Check the types of what needs Apple's frameworks, in Swift 6 mode, against stand-ins of them.

    Args:
        build: of :func:`run_tests`, where the core's module lies.

    Returns:
        How many files were checked, and what is wrong with them.
    """
    modules = {name: [f"/mnt/source/{_STAND_INS}/{name}.swift"] for name in STAND_INS}
    sources = [path for path in swift_files() if path.parts[1] == "Sources"]
    ours = {package.partition(".")[0]: _inside(sources, package) for package in _APPLES}
    for name, files in {**modules, **ours}.items():
        made = ["-emit-module", "-emit-module-path", f"/mnt/data/{name}.swiftmodule"]
        words = ["-parse-as-library", "-module-name", name, *made, *files]
        wrong = _swiftc(toolchain, build, scratch, words)
        if wrong:
            return 0, f"{name}: {wrong}"
    return sum(map(len, ours.values())), ""


def _inside(files: Sequence[Path], package: str) -> list[str]:
    return [f"/mnt/source/{path}" for path in files if path.parts[0] == package]


def _swiftc(toolchain: SwiftToolchain, build: Path, scratch: Path, words: Sequence[str]) -> str:
    """What the compiler says, where it is not content; it finds modules in both folders."""
    found = ["-I", "/mnt/data", "-I", "/mnt/build/release/Modules"]
    done = toolchain.run(
        ["swiftc", "-swift-version", "6", *found, *words], source=DEMO, build=build, data=scratch
    )
    return (done.stdout or f"exit code {done.returncode}") if done.returncode else ""


def swift_files() -> list[Path]:
    """Every Swift file of the packages, relative to the demo."""
    return sorted(path.relative_to(DEMO) for path in DEMO.glob("HierAttn*/**/*.swift"))


def read_property_lists() -> list[Path]:
    """Read every property list; a damaged one raises."""
    endings = (".plist", ".xcprivacy", ".entitlements")
    files = sorted(path for path in DEMO.rglob("*") if path.suffix in endings)
    for path in files:
        plistlib.loads(path.read_bytes())
    return files


def read_benchmarks(vectors: Path) -> str:
    """Read what the Swift tests wrote as the results of a benchmark; what is wrong with them."""
    for status in ("done", "error"):
        path = vectors / f"benchmark_{status}.json"
        try:
            result = parse_result(PhoneBenchmark, path.read_bytes(), "")
        except (OSError, HierAttnError) as error:
            return f"{path.name}: {error}"
        if result.status != status:
            return f"{path.name}: its status is {result.status}"
    return ""


def write_real_bundle(export: Path, vectors: Path) -> None:
    """Bundle an export's Core ML package of fp32, and write what its evaluator answers.

    Raises:
        HierAttnError: there is none, or as ``hierattn bundle``.
    """
    from export.checks.golden.selftest import golden_inputs, read_selftest
    from export.formats.load import load_artefact
    from export.schema.manifest import SELFTEST, read_manifest
    from export.targets.apps.bundle import bundle
    from export.targets.apps.choice import BundleRequest

    with tempfile.TemporaryDirectory(prefix="hierattn-app-") as folder:
        app = Path(folder)
        (app / "Package.swift").touch()
        able = (one for one in read_manifest(export).artefacts if one.format == "coreml")
        name = next((one.path for one in able if one.precision == "fp32"), None)
        done = bundle(BundleRequest(export, app, name))
        shutil.copytree(done.folder, vectors / "real_bundle")
    selftest = read_selftest(export / SELFTEST)
    ask = load_artefact(export / done.record.artefact)
    logits = [ask(image[None])[0] for image in golden_inputs(export / SELFTEST, selftest)]
    answers = zip((image.file for image in selftest.images), logits, strict=True)
    text = json.dumps({name: [float(value) for value in values] for name, values in answers})
    (vectors / "answers.json").write_text(text, encoding="utf-8")


def _say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the Swift core of the iOS package against Python."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--photos", type=int, help="how many real photos")
    parser.add_argument("--quick", action="store_true", help="compare fewer pictures")
    parser.add_argument("--export", type=Path, help="export with a Core ML package, to test too")
    parser.add_argument("--cache", type=Path, help="where Swift and what it compiled are kept")
    parser.add_argument(
        "--fetch-seconds", type=float, help="the fetch may take; after that Swift cannot be had"
    )
    asked = parser.parse_args(arguments)
    amounts = QUICK if asked.quick else Amounts()
    if asked.photos is not None:
        amounts = replace(amounts, photos=asked.photos)
    home = asked.cache or default_home()
    try:
        toolchain = ensure_toolchain(home, _say, asked.fetch_seconds)
    except ToolchainUnavailableError as error:
        print(f"NOT RUN: THE IOS CORE WAS NOT TESTED: {error}", file=sys.stderr)
        return UNAVAILABLE
    except HierAttnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for one in toolchain.unpinned:
        _say(f"NOTE: other than its pin, checked by Debian's signature: {one.name} {one.version}")
    build = home.with_name(f"{home.name}-build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hierattn-swift-") as folder:
        vectors = Path(folder)
        photos = write_vectors(vectors, photos_folder(), amounts)
        print(
            f"vectors: {photos} real photos and generated pictures"
            if photos
            else "vectors: NO real photos here (set HIERATTN_PHOTOS), generated pictures alone"
        )
        if asked.quick:
            print("A SMALLER PART: fewer pictures than 'make test-ios' compares")
        try:
            if asked.export:
                write_real_bundle(asked.export, vectors)
        except HierAttnError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print("building and testing, minutes", flush=True)
        run = run_tests(toolchain, build, vectors, {"HIERATTN_PROMISED_PHOTOS": str(photos)})
        parsed, wrong = parse_sources(toolchain, vectors)
        checked, mistyped = check_types(toolchain, build, vectors)
        wrong = wrong or mistyped or read_benchmarks(vectors)
    if run.code or wrong:
        print(run.output if run.code else wrong)
        return 1
    print(*run.facts(), sep="\n")
    ran, skipped, failed = run.counts
    print(f"Swift core: {ran} tests, {skipped} skipped, {failed} failed")
    print(f"parsed only, never compiled here: {parsed} files for Apple's frameworks")
    print(f"of these, types checked against stand-ins written by hand: {checked}")
    print(f"property lists: {len(read_property_lists())} read")
    return int(ran == 0 or failed > 0)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
