"""``python -m benchmarks.other_runtimes EXPORT --data PHOTOS --out RESULTS.json``."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.environment import describe_host
from benchmarks.other_runtimes.registry import choose_runtimes
from benchmarks.other_runtimes.results import Trial, read_trial
from benchmarks.other_runtimes.table import NOTES, reasons, to_markdown, to_table
from benchmarks.other_runtimes.trial import open_files, read_inputs, try_runtime
from export.errors import ManifestError
from export.runtime.environments import default_home
from export.schema.manifest import read_manifest
from hierattn.cli.console import JsonFlag, print_json, progress_console, standard_console
from hierattn.cli.tables import WideFlag, print_table
from hierattn.common.files import write_text
from hierattn.errors import HierAttnError
from hierattn.outputs import check_output


def main(
    export: Annotated[
        Path, typer.Argument(help="Export folder; or results, to be printed once more.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="The export's photos; without them its golden images.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the results, JSON.")] = None,
    runtimes: Annotated[str, typer.Option(help="Names, separated by commas; all.")] = "",
    photos: Annotated[int, typer.Option(min=1, help="How many, evenly spread.")] = 42,
    environments: Annotated[
        Path | None, typer.Option(help="Where the runtimes are installed; beside this Python.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table for docs.")] = False,
    wide: WideFlag = False,
    json_output: JsonFlag = False,
) -> None:
    """Try exported files on other runtimes than those they are checked with.

    Each runtime is installed in an environment of its own when it is first needed (in all about
    3 GB). Exit code 1 where a file fails or departs without a known reason.
    """
    try:
        if export.is_file():
            trial = read_trial(export)
        else:
            if out is not None:
                check_output(out, export, data, file=True)
            home = environments or default_home("other-runtimes")
            trial = _try_all(export, data, runtimes, photos, home.absolute())
        if out is not None:
            write_text(out, trial.to_json())
    except HierAttnError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if json_output:
        print_json(trial.model_dump(mode="json"))
    elif markdown:
        typer.echo(to_markdown(trial), nl=False)
    else:
        console = standard_console()
        print_table(console, to_table(trial), keys=2, wide=wide)
        console.print(*NOTES, *reasons(trial), sep="\n")
    missing = {f"{row.title}: {row.reason}" for row in trial.rows if row.status == "not run"}
    for line in sorted(missing):
        progress_console().print(f"NOT TRIED: {line}", style="bold red")
    if any(row.unexplained for row in trial.rows):
        raise typer.Exit(1)


def _try_all(folder: Path, data: Path | None, names: str, count: int, home: Path) -> Trial:
    chosen = choose_runtimes(names)
    manifest = read_manifest(folder)
    console = progress_console()
    console.print("reading images, asking our own runtimes")
    inputs = read_inputs(folder, manifest, data, count)
    suffixes = frozenset(runtime.suffix for runtime in chosen)
    files = list(open_files(folder, manifest, suffixes, inputs))
    if not files:
        raise ManifestError(f"{folder}: has no file that these runtimes read")
    rows = []
    for number, runtime in enumerate(chosen, 1):
        told = f"{runtime.name} {runtime.pinned} {runtime.setting}".strip()
        console.print(f"{number} of {len(chosen)}: {told}, {runtime.suffix}")
        rows += try_runtime(runtime, files, inputs, home)
    host = describe_host()
    return Trial(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        command=_command(folder, data, names, count),
        machine=f"{host.cpu}, {host.system}, Python {sys.version.split()[0]}",
        model=manifest.model,
        image_size=manifest.image_size,
        weights_sha256=manifest.source.weights_sha256,
        tools=manifest.source.tools,
        data=manifest.data.name if data is not None and manifest.data else "the self-test",
        asked="golden images" if inputs.photos is None else "photos",
        images=len(inputs.images),
        scale=float(np.abs(inputs.torch).max()),
        rows=rows,
    )


def _command(folder: Path, data: Path | None, names: str, count: int) -> str:
    """With names alone: where they lie is of this machine."""
    given = ["python -m benchmarks.other_runtimes", folder.name]
    given += ["--data", data.name, "--photos", str(count)] if data is not None else []
    return " ".join([*given, *(["--runtimes", names] if names else [])])


if __name__ == "__main__":
    typer.run(main)
