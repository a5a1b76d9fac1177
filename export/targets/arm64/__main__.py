"""``python -m export.targets.arm64 EXPORT``: parity on the phone's instruction set.

Exit code 0 if every row of the report passed, 1 if one did not; 3 if the packages are not available
here, or a file took too long, so that there is no result.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from export.schema.arm64_report import Arm64Record
from export.schema.manifest import ARM64_PARITY, read_manifest
from export.targets.arm64.packages import PackagesUnavailableError, default_home, ensure_machine
from export.targets.arm64.parity import DEFAULT_CPUS, EmulatedRunner, check_on_arm64, choose_files
from export.targets.arm64.report import write_record
from hierattn.cli.console import (
    JsonFlag,
    print_json,
    progress_console,
    standard_console,
)
from hierattn.cli.progress import PartsProgress
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import HierAttnError

UNAVAILABLE = 3


def check(
    folder: Annotated[Path, typer.Argument(help="Folder of 'hierattn export'.")],
    file: Annotated[
        list[str] | None,
        typer.Option(help="File to ask; default: fp32, int8, and fp16 TFLite."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Ask every file that runs there.")] = False,
    cpu: Annotated[
        list[str] | None, typer.Option(help="Processor, in the emulator's words, such as max.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where the emulator and its Python are kept.")
    ] = None,
    json_output: JsonFlag = False,
) -> None:
    """Ask exported files the golden images on an emulated ARM processor; minutes a file."""
    manifest = read_manifest(folder)
    files = choose_files(manifest, file or (), every)
    missing = {"fp32", "int8"} - {record.precision.value for record in files}
    if missing and not file:
        words = " nor ".join(sorted(missing))
        progress_console().print(f"this export has no {words} file: not checked")
    progress_console().print("fetching the emulated machine, once; then minutes a file")
    machine = ensure_machine((cache or default_home()).absolute())
    with PartsProgress() as parts:
        found = check_on_arm64(
            folder,
            files,
            tuple(cpu or DEFAULT_CPUS),
            EmulatedRunner(machine),
            machine.packages,
            parts.follow,
        )
    for line in found.unanswered:
        print(f"NOT RUN: {line}", file=sys.stderr)
    record = write_record(folder, found.record) if found.record.rows else found.record
    if json_output:
        print_json(record.model_dump(mode="json", by_alias=True))
    elif record.rows:
        show(record, folder / ARM64_PARITY)
    if not record.passed:
        raise typer.Exit(1)
    if found.unanswered:
        raise typer.Exit(UNAVAILABLE)


def show(record: Arm64Record, path: Path) -> None:
    """Print one row for each file and processor."""
    console = standard_console()
    columns = ("file", "cpu", "runtime", "against", "difference", "allowed", "same", "gate")
    table = make_table(
        "ARM64, emulated: parity on the golden images", [(name, "left") for name in columns]
    )
    for row in record.rows:
        found = row.parity
        table.add_row(
            row.path,
            row.cpu,
            found.evaluator if found else "–",
            "torch" if row.reference == "torch" else "own, at export",
            f"{found.max_relative:.1e}" if found else "–",
            f"{row.allowed:g}",
            "–" if row.decisions is None else f"{row.decisions}/{row.images}",
            "passed" if row.passed else "FAILED",
        )
    print_table(console, table, keys=2)
    for row in record.rows:
        if row.reason:
            console.print(f"FAILED {row.path}, {row.cpu}: {row.reason}", soft_wrap=True)
    console.print(
        "difference: largest of a logit, as a share of its image's scale; same: decisions.",
        f"Written: {path}; 'hierattn verify' shows it.",
        sep="\n",
        soft_wrap=True,
    )


def main() -> None:
    """Run; one line for every error a user can cause."""
    try:
        typer.run(check)
    except PackagesUnavailableError as error:
        print(f"NOT RUN: ARM64 parity was not checked: {error}", file=sys.stderr)
        sys.exit(UNAVAILABLE)
    except HierAttnError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
