"""``hierattn export`` and ``hierattn verify``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    beside,
    command,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.cli.tables import WideFlag, print_table
from hierattn.errors import ConfigError

if TYPE_CHECKING:
    from export.pipeline import ExportOutcome
    from export.request import ExportRequest
    from export.schema.manifest import Manifest
    from export.verification import Verification


DEFAULT_SIZE = 256
DEVICE_SECONDS = 600.0
"""How long a phone may take."""


def export(
    run: Annotated[str, typer.Argument(help="Run folder, or name of a shipped checkpoint.")],
    out: Annotated[Path, typer.Option(help="Export folder to make.")],
    formats: Annotated[
        str | None,
        typer.Option("--format", help="Of {formats}; separated by commas; default {defaults}."),
    ] = None,
    precisions: Annotated[
        str | None,
        typer.Option(
            "--precision", help="Of fp32, fp16, int8; without --data int8 is left out by default."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Photos to judge the files by and to calibrate int8 with.")
    ] = None,
    graph: Annotated[
        str, typer.Option(help="deploy: exactly rewritten for phones; naive: as trained.")
    ] = "deploy",
    image_input: Annotated[
        bool, typer.Option("--coreml-image-input", help="Core ML takes an image, not a tensor.")
    ] = False,
    classifier: Annotated[
        bool, typer.Option("--coreml-classifier", help="Core ML answers with class names, too.")
    ] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable photos out.")
    ] = False,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="RUN is a model's name: export random weights.")
    ] = False,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the input, pixels; with --untrained only.")
    ] = None,
    wide: WideFlag = False,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Export a run to phone formats and prove each file equal to it.

    Exit code 0 only if every file was made and passed its gate.
    """
    set_up_logging(verbose)
    from export.formats.conversion_input import FormatOptions
    from export.formats.registry import default_formats
    from export.request import ExportRequest

    if image_size is not None and not untrained:
        raise ConfigError("--image-size: a run has its own; it is for --untrained only")
    size = DEFAULT_SIZE if image_size is None else image_size
    request = ExportRequest(
        run,
        out,
        default_formats() if formats is None else _names(formats),
        None if precisions is None else _names(precisions),
        data,
        graph,
        FormatOptions(image_input, classifier),
        skip_unreadable,
        untrained_size=size if untrained else None,
    )
    outcome = export_with_progress(request)
    if json_output:
        print_json(outcome.manifest.model_dump(mode="json", by_alias=True))
    else:
        show_export(outcome, out, data=data, wide=wide)
    if not outcome.manifest.passed:
        raise typer.Exit(1)


def export_with_progress(request: ExportRequest) -> ExportOutcome:
    """Export, drawing what is being done on stderr."""
    from export.pipeline import export as run_export
    from hierattn.cli.progress import PartsProgress

    with PartsProgress() as parts:
        return run_export(request, parts.follow)


def show_export(
    outcome: ExportOutcome,
    out: Path,
    *,
    data: Path | None = None,
    wide: bool = False,
    next_steps: bool = True,
) -> None:
    """Print the table, what does not fit it, and what to do next, if that is not done anyway."""
    from hierattn.cli.export_tables import export_table, judged_line, legend, remarks

    manifest, console = outcome.manifest, standard_console()
    title = f"{out}: {manifest.model} at {manifest.image_size} px, {manifest.source.graph} graph"
    print_table(console, export_table(manifest, title, outcome.seconds, wide=wide), wide=wide)
    words = legend(((record, record.parity) for record in manifest.artefacts), wide=wide)
    console.print(judged_line(manifest), *words, sep="\n")
    for line in remarks(manifest):
        console.print(line)
    console.print(f"Converters' own words: {out}/export.log", soft_wrap=True)
    if next_steps and any(record.sha256 for record in manifest.artefacts):
        console.print(f"Next: {command('verify', out)}", soft_wrap=True)
        _print_next(manifest, out, data)


def _photos(manifest: Manifest, data: Path | None) -> list[str | Path]:
    """The photos again, as options of a command to paste."""
    options: list[str | Path] = ["--data", data] if data else []
    if manifest.data is not None and manifest.data.skipped:
        options.append("--skip-unreadable")
    return options


def _shortened(folder: Path) -> Path:
    """A folder without the steps back in its path, where no link makes that another one."""
    short = Path(os.path.normpath(folder))
    return short if short.is_dir() and short.samefile(folder) else folder


def _print_next(manifest: Manifest, folder: Path, data: Path | None) -> None:
    """What can be done with files that hold, as commands to paste."""
    console = standard_console()
    photos = _photos(manifest, data)
    told = command("benchmark", folder, *photos, "--out")
    console.print(f"      {told} {beside(folder, 'report')}", soft_wrap=True)
    passed = [record for record in manifest.artefacts if record.gate.status == "passed"]
    if data and passed:
        renamed = manifest.data.class_map.items() if manifest.data else ()
        maps = [word for old, new in renamed for word in ("--map-class", f"{old}={new}")]
        told = command("evaluate", folder / passed[0].path, *photos, *maps)
        console.print(f"      {told}", soft_wrap=True)


def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of 'hierattn export'.")],
    data: Annotated[
        Path | None, typer.Option(help="Its photos, if they are no longer where they were.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Name the first layer where each file departs.")
    ] = False,
    run: Annotated[
        str | None,
        typer.Option(help="The run or shipped name behind the files, to compare its own figures."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Ask {devices}, all or one of a kind, for the golden images."),
    ] = None,
    apk: Annotated[
        Path | None, typer.Option(help="For --device: app to install first; see 'make apk'.")
    ] = None,
    device_timeout: Annotated[
        float | None,
        typer.Option(help="For --device: seconds to wait for its result; default 600.", min=1),
    ] = None,
    apple_record: Annotated[
        Path | None,
        typer.Option(help="Record of ios_demo/verify_on_mac.sh to take in: Apple's own answers."),
    ] = None,
    wide: WideFlag = False,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Check every exported file again: hash, parity and gate. Exit code 1 if one falls short.

    With --device, phones answer the golden images, and their logits are judged here.
    """
    set_up_logging(verbose)
    if device is not None:
        if data is not None or explain or run is not None or apple_record is not None:
            raise ConfigError(
                "--device: asks phones alone; leave --data, --explain, --run and --apple-record out"
            )
        from hierattn.cli.commands.devices import verify_phones

        verify_phones(folder, device, apk, device_timeout or DEVICE_SECONDS, json_output)
        return
    for option, given in (("--apk", apk), ("--device-timeout", device_timeout)):
        if given is not None:
            raise ConfigError(f"{option}: is for --device")
    from export.verify import verify as run_verify
    from hierattn.cli.commands.explain import (
        explain_files,
        explanation_document,
        find_run,
        show_explanation,
    )
    from hierattn.cli.export_tables import verification_document
    from hierattn.cli.progress import PartsProgress

    if apple_record is not None:
        from export.targets.apple.record import take_record

        take_record(folder, apple_record)
    # Before the long part: a run that is not there should not cost minutes.
    behind = find_run(folder, run) if explain or run is not None else None
    with PartsProgress() as parts:
        found = run_verify(folder, data, parts.follow, behind)
    explanations = explain_files(folder, found, behind) if explain and behind else {}
    if json_output:
        documents = {path: explanation_document(e) for path, e in explanations.items()}
        print_json(verification_document(found, documents))
    else:
        show_verification(found, folder, wide=wide)
        for path, explanation in explanations.items():
            show_explanation(path, explanation)
    if not found.passed:
        raise typer.Exit(1)


def show_verification(
    found: Verification, folder: Path, *, wide: bool = False, next_steps: bool = True
) -> None:
    """Print the table and every problem, and what to do next, if that is not done anyway."""
    from hierattn.cli.export_tables import legend, verify_table

    console = standard_console()
    print_table(console, verify_table(found, f"{folder}, verified", wide=wide), wide=wide)
    words = legend(((file.record, file.parity) for file in found.files), wide=wide)
    console.print(f"Images asked again: {found.photos}.")
    console.print(*words, sep="\n")
    for line in [*found.arm64, *found.apple]:
        console.print(line)
    for line in found.remarks:
        console.print(f"NOTE {line}", style="bold")
    for problem in [*found.problems, *(line for file in found.files for line in file.problems)]:
        console.print(f"FAILED {problem}")
    console.print(f"verified: {found.conclusion}")
    if found.passed and next_steps:
        photos = _photos(found.manifest, found.data and _shortened(found.data))
        told = command("benchmark", folder, *photos, "--out")
        console.print(f"Next: {told} {beside(folder, 'report')}", soft_wrap=True)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
