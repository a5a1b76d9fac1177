"""``hierattn export``."""

from __future__ import annotations

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

DEFAULT_SIZE = 256


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
        Path | None, typer.Option(help="Photos to judge the files by; some are set apart for int8.")
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
        int | None,
        typer.Option(help="Side of the input, pixels; with --untrained only.", min=1, max=4096),
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
    from hierattn.cli.export_tables import (
        SECONDS_LEGEND,
        export_table,
        judged_line,
        legend,
        remarks,
    )

    manifest, console = outcome.manifest, standard_console()
    title = f"{out}: {manifest.model} at {manifest.image_size} px, {manifest.source.graph} graph"
    print_table(console, export_table(manifest, title, outcome.seconds, wide=wide), wide=wide)
    shown = ((record, record.parity, record.quality) for record in manifest.artefacts)
    words = legend(shown, others=True, wide=wide)
    words = [*words, "deploy graph: rewritten for phones, exact up to rounding; naive: as trained."]
    seconds = [SECONDS_LEGEND] * wide
    console.print(judged_line(manifest), *seconds, *words, sep="\n")
    for line in remarks(manifest):
        console.print(line)
    console.print(f"Converters' own words: {out}/export.log", soft_wrap=True)
    if next_steps and any(record.sha256 for record in manifest.artefacts):
        from export.judged_photos import is_near
        from export.run_record import find_run

        # Elsewhere 'verify' asks only photos that its user names.
        photos = photo_options(manifest, data) if data and not is_near(data, out) else []
        failed = any(record.gate.status == "failed" for record in manifest.artefacts)
        if failed:
            console.print("Files whose gate failed are not to be shipped; reasons are above.")
        explain = ["--explain"] if failed and find_run(out, manifest) is not None else []
        console.print(f"Next: {command('verify', out, *photos[:2], *explain)}", soft_wrap=True)
        _print_next(manifest, out, data)


def photo_options(manifest: Manifest, data: Path | None) -> list[str | Path]:
    """The photos again, as options of a command to paste."""
    options: list[str | Path] = ["--data", data] if data else []
    if manifest.data is not None and manifest.data.skipped:
        options.append("--skip-unreadable")
    return options


def _print_next(manifest: Manifest, folder: Path, data: Path | None) -> None:
    """What can be done with files that hold, as commands to paste."""
    console = standard_console()
    photos = photo_options(manifest, data)
    told = command("benchmark", folder, *photos, "--out")
    console.print(f"      {told} {beside(folder, 'report')}", soft_wrap=True)
    passed = [record for record in manifest.artefacts if record.gate.status == "passed"]
    if data and passed:
        told = command("evaluate", folder / passed[0].path, *photos)
        console.print(f"      {told}", soft_wrap=True)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
