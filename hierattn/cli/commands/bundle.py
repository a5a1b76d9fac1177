"""``hierattn bundle``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    command,
    number,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.cli.tables import make_table, print_table
from hierattn.common.shell import quote

if TYPE_CHECKING:
    from export.targets.apps.bundle import BundleResult

_OFFLINE_NAME = "android_demo"
"""The package that builds the app beside it without an SDK, by which its modules are imported."""


def bundle(
    folder: Annotated[Path, typer.Argument(help="Folder of 'hierattn export'.")],
    app: Annotated[Path, typer.Option(help="Folder of an Android or iOS app.")],
    artefact: Annotated[
        str | None,
        typer.Option(help="Which {bundled}; needed where several passed their gates."),
    ] = None,
    allow_unverified: Annotated[
        bool,
        typer.Option(
            "--allow-unverified",
            help="Take a file whose gate failed or was not run; the app will say so.",
        ),
    ] = False,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Put a model, its labels, preprocessing, self-test and card into an Android or iOS app.

    The app's earlier bundle is replaced wholly; if anything is wrong, it stays as it was.
    """
    set_up_logging(verbose)
    from export.targets.apps.bundle import bundle as run_bundle
    from export.targets.apps.choice import BundleRequest

    done = run_bundle(BundleRequest(folder, app, artefact, allow_unverified))
    if json_output:
        record = done.record.model_dump(mode="json", by_alias=True)
        print_json({"place": str(done.folder), "bundle": record, "remarks": list(done.remarks)})
    else:
        show_bundle(done, folder, app)


def show_bundle(done: BundleResult, folder: Path, app: Path) -> None:
    """Print what was put where from an export folder into an app, and what to do next."""
    record, console = done.record, standard_console()
    images = len(record.selftest.images)
    rows = [
        (record.artefact, f"{record.model}, {record.precision} {record.format}"),
        *(
            [(record.fallback.artefact, f"{record.fallback.precision}, to fall back on")]
            if record.fallback
            else []
        ),
        ("bundle.json", "preprocessing, operating point, expected answers, hashes"),
        ("labels.txt", f"{len(record.classes)} classes, one a line, in index order"),
        ("MODEL_CARD.md", "what the model is for, and what not"),
    ]
    table = make_table(str(done.folder), (("file", "left"), ("MB", "right"), ("what", "prose")))
    for name, what in rows:
        table.add_row(name, _megabytes(done, name), what)
    photos = len(record.selftest.photos.images) if record.selftest.photos else 0
    size = _megabytes(done, "selftest")
    table.add_row("selftest/", size, f"{images} golden images, {photos} JPEGs, tensors")
    print_table(console, table)
    console.print(f"sha256 {record.sha256}")
    if record.fallback:
        console.print(
            f"On each phone the app takes the faster of {record.precision} and "
            f"{record.fallback.precision} that passes its self-test there; the second file costs "
            f"{number(record.fallback.bytes / 1e6, 2)} MB."
        )
    if record.verified:
        console.print("gate: passed")
    else:
        reasons = "; ".join(record.gate.reasons) or "no reason recorded"
        console.print(
            f"UNVERIFIED: gate {record.gate.status}: {reasons}. The app must say so on screen."
        )
    for line in done.remarks:
        console.print(f"NOTE {line}", style="bold")
    console.print(*_next_steps(done, folder, app), sep="\n", soft_wrap=True)


def _megabytes(done: BundleResult, name: str) -> str:
    """Size of a file of the bundle, or of all in a folder."""
    size = sum(
        size for path, size in done.sizes.items() if path == name or path.startswith(f"{name}/")
    )
    return number(size / 1e6, 2) if size >= 5000 else "<0.01"


def _next_steps(done: BundleResult, folder: Path, app: Path) -> tuple[str, ...]:
    from export.formats.abilities import Platform
    from export.formats.registry import all_abilities

    on_a_phone = f"      {command('verify', folder, '--device', 'adb')}"
    if (app / "offline" / "__main__.py").is_file():  # the Android app that comes with this package
        return (*_demo_steps(done.record.format, app), on_a_phone)
    if done.platform is Platform.IOS:
        if (sample := app / "HierAttnDemo.swiftpm").is_dir():
            return (f"Next: on a Mac with Xcode: open {quote(sample)}",)
        return (
            f"Next: add {done.folder.name} to the app as a folder, such as .copy in Package.swift",
            "      read it with HierAttnCore: docs/ios.md has the lines",
        )
    fit = [one for one in all_abilities() if done.platform not in one.not_in_apps]
    endings = ", ".join(f'"{one.suffix[1:]}"' for one in fit)
    return (
        f"Next: keep the model uncompressed: androidResources {{ noCompress {endings} }}",
        "      a shrunk build (minifyEnabled): -keep class ai.onnxruntime.** { *; }",
        "      read the assets with org.hierattn.core: docs/android.md has the lines",
        "      with the app on a phone at hand:",
        on_a_phone,
    )


def _demo_steps(format: str, app: Path) -> tuple[str, ...]:
    """How the demo app is built and put on a phone; ``make apk``'s own way packs ONNX Runtime only.

    They are run from the folder that the command was called in.
    """
    place = quote(app)
    gradle = (
        "Next: onto a phone at hand, with Android's SDK 36, a JDK 17 and Gradle:",
        f"      (cd {place} && gradle install{'Ort' if format == 'onnx' else 'Litert'}Debug)",
    )
    if format != "onnx":
        return (*gradle, "      (without an SDK there is a build for .onnx files alone)")
    if app.resolve().name != _OFFLINE_NAME:
        name = _OFFLINE_NAME
        return (*gradle, f"      (without an SDK it is built where its folder is called {name})")
    build, above = f"python -m {_OFFLINE_NAME}.offline --bundled", app.resolve().parent
    above = app.parent if app.parent.resolve() == above else above
    if above.resolve() != Path.cwd():
        build = f"(cd {quote(above)} && {build})"
    return (
        *gradle,
        "      or without the SDK, on Debian 12 with a JDK 17, npm and adb:",
        f"      {build}",
        f"      adb install -r {quote(above / 'build/hierattn-demo-ort.apk')}",
        "      then, wherever it was built:",
    )
