"""``hierattn report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    print_json,
    progress_console,
    set_up_logging,
    standard_console,
)


def report(
    results: Annotated[
        Path, typer.Argument(help="results.json of a benchmark, or its report folder.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report; may be that of the results.")],
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Draw the page of a benchmark again; nothing is measured, and no photo is in it."""
    set_up_logging(verbose)
    from benchmarks.report.redraw import redraw_report

    with progress_console().status("drawing the page"):
        files = redraw_report(results, out)
    if json_output:
        print_json({"written": [str(file) for file in files]})
    else:
        names = ", ".join(file.name for file in files)
        standard_console().print(f"Written: {out}", f"      {names}", sep="\n", soft_wrap=True)
