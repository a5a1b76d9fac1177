"""Images a second of trainings of several networks, sizes and threads, against plain PyTorch.

Each is measured by ``benchmarks.dev.training_speed`` in a process of its own, in turns. Run it on a
quiet machine:  python -m benchmarks.dev.training_table
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer

from hierattn.cli.console import JsonFlag, print_json, standard_console
from hierattn.cli.tables import make_table, print_table

PLAIN = ("--precision", "fp32", "--default-malloc")
"""What PyTorch does on its own: float32, and glibc as it is."""


def main(
    models: Annotated[str, typer.Option(help="By commas.")] = "hierattn_xs,hierattn_s",
    image_sizes: Annotated[str, typer.Option(help="Sides, pixels, by commas.")] = "96,128,256",
    threads: Annotated[str, typer.Option(help="By commas.")] = "1,2",
    batch_size: Annotated[int, typer.Option(help="Photos a step.")] = 32,
    rounds: Annotated[int, typer.Option(help="Turns, each of 2 epochs of 3 batches.")] = 1,
    before: Annotated[
        Path | None, typer.Option(help="Folder that holds another hierattn, to compare with.")
    ] = None,
    json_output: JsonFlag = False,
) -> None:
    """Time trainings of noise pictures, in float32 with glibc as it is, and as they are."""
    variants: dict[str, tuple[tuple[str, ...], Path | None]] = {"plain": (PLAIN, None)}
    if before is not None:
        variants["before"] = ((), before.resolve())
    variants["now"] = ((), None)
    cases = list(itertools.product(models.split(","), image_sizes.split(","), threads.split(",")))
    rates: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for _, case, name in itertools.product(range(rounds), cases, variants):
        options, package = variants[name]
        rate = _measure(case, batch_size, options, package)
        rates[*case, name].append(rate)
        print(*case, name, f"{rate:.1f} images/s", file=sys.stderr, flush=True)
    rows = [
        {
            "model": model,
            "image_size": int(size),
            "threads": int(count),
            **{name: statistics.median(rates[model, size, count, name]) for name in variants},
        }
        for model, size, count in cases
    ]
    if json_output:
        print_json({"batch_size": batch_size, "images_per_second": rows})
        return
    table = make_table("Images a second", [(key.replace("_", " "), "right") for key in rows[0]])
    for row in rows:
        table.add_row(*(f"{v:.1f}" if isinstance(v, float) else str(v) for v in row.values()))
    print_table(standard_console(), table)


def _measure(
    case: tuple[str, str, str], batch_size: int, options: tuple[str, ...], package: Path | None
) -> float:
    model, size, threads = case
    paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    # -P: else the working folder would come before the other hierattn.
    command = [
        *(sys.executable, "-P", "-m", "benchmarks.dev.training_speed", "--json"),
        *("--model", model, "--image-size", size, "--threads", threads),
        *("--batch-size", str(batch_size), "--epochs", "2", "--steps", "3", *options),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(package or ""), *paths])},
        stdout=subprocess.PIPE,
        check=True,
    )
    return float(json.loads(done.stdout)["images_per_second"]["median"])


if __name__ == "__main__":
    typer.run(main)
