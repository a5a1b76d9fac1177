"""``hierattn verify``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierattn.cli.commands.export import photo_options
from hierattn.cli.console import (
    DAY_S,
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
    from export.verification import Verification, VerifiedFile

DEVICE_SECONDS = 600.0
"""How long a phone may take."""


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
        typer.Option(help="The run behind the files, if not shipped, here or beside the export."),
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
        typer.Option(
            help="For --device: seconds to wait for its result; default 600.", min=1, max=DAY_S
        ),
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
        run_behind,
        show_explanations,
    )
    from hierattn.cli.export_tables import verification_document
    from hierattn.cli.progress import PartsProgress

    if apple_record is not None:
        from export.targets.apple.record import take_record

        take_record(folder, apple_record)
    # Before the long part: a run that is not there should not cost minutes.
    behind = run_behind(folder, run) if explain or run is not None else None
    with PartsProgress() as parts:
        found = run_verify(folder, data, parts.follow, behind)
    explanations = explain_files(folder, found, behind) if explain and behind else {}
    if json_output:
        documents = {path: explanation_document(e) for path, e in explanations.items()}
        print_json(verification_document(found, documents))
    else:
        show_verification(found, folder, wide=wide)
        show_explanations(explanations, wide=wide)
        show_next(found, folder, run, explained=explain)
    if not found.passed:
        raise typer.Exit(1)


def show_verification(found: Verification, folder: Path, *, wide: bool = False) -> None:
    """Print the table and every problem."""
    from hierattn.cli.export_tables import at_threshold, legend, verify_table

    console = standard_console()
    print_table(console, verify_table(found, f"{folder}, checked again", wide=wide), wide=wide)
    words = legend(((file.record, file.parity, file.quality) for file in found.files), wide=wide)
    console.print(f"Images asked again: {found.photos}.")
    console.print(*words, sep="\n")
    for file in found.files:
        for line in at_threshold(found.manifest, file.record.path, file.quality):
            console.print(line)
    for line in [*found.arm64, *found.apple]:
        console.print(line)
    for line in found.remarks:
        console.print(f"NOTE {line}", style="bold")
    for problem in [*found.problems, *(line for file in found.files for line in file.problems)]:
        console.print(f"FAILED {problem}")
    unasked = [file.record.path for file in found.files if file.parity is None]
    if unasked:
        console.print(
            f"–: not asked, or without an answer, for what FAILED says: {', '.join(unasked)}"
        )
    console.print(f"verified: {found.conclusion}")


def _fails_by_decisions(file: VerifiedFile) -> bool:
    from export.checks.gates import TOLERANCES

    if file.gate is None or file.gate.status != "failed" or file.worst is None:
        return False
    by_logits = file.worst.error > TOLERANCES[file.record.precision].max_relative
    return not by_logits and all(check.agrees is not False for check in file.other_runtimes)


def show_next(
    found: Verification, folder: Path, run: str | None = None, *, explained: bool = False
) -> None:
    """Print what can be done with files that hold, or to see why some do not.

    Args:
        run: as it was given, where the run behind the files is not found by itself.
        explained: it was seen already.
    """
    from export.run_record import find_run

    console = standard_console()
    photos = photo_options(found.manifest, found.data and _shortened(found.data))
    if not found.passed:
        gates = [gate for file in found.files for gate in (file.record.gate, file.gate)]
        departs = any(gate is not None and gate.status == "failed" for gate in gates)
        if departs and not explained and (run or find_run(folder, found.manifest) is not None):
            behind = ["--run", run] if run else []
            told = command("verify", folder, *photos[:2], "--explain", *behind)
            console.print(f"Next: {told}", soft_wrap=True)
        if explained and any(_fails_by_decisions(file) for file in found.files):
            console.print(
                "What failed by decisions alone: judge it by more photos (export with another "
                "--data), or ship a file that passed."
            )
        return
    told = command("benchmark", folder, *photos, "--out")
    console.print(f"Next: {told} {beside(folder, 'report')}", soft_wrap=True)
    if (app := Path("android_demo")).is_dir() and (file := _for_android(found)):
        told = command("bundle", folder, "--app", app, "--artefact", file)
        console.print(f"      {told}", soft_wrap=True)


def _for_android(found: Verification) -> str | None:
    """The file to begin with: fp32, of a format that the app can read."""
    from export.formats.abilities import Platform
    from export.formats.registry import all_abilities

    formats = [one.name for one in all_abilities() if Platform.ANDROID not in one.not_in_apps]
    records = (file.record for file in found.files)
    fit = [one.path for one in records if one.precision == "fp32" and one.format in formats]
    return fit[0] if fit else None


def _shortened(folder: Path) -> Path:
    """A folder without the steps back in its path, where no link makes that another one."""
    short = Path(os.path.normpath(folder))
    return short if short.is_dir() and short.samefile(folder) else folder
