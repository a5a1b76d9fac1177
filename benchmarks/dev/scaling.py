"""How training grows: memory with the photos it holds, speed with its processes.

Run it on a quiet machine:  python -m benchmarks.dev.scaling memory
                            python -m benchmarks.dev.scaling processes
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benchmarks.stats import exponent
from hierattn.cli.console import JsonFlag, print_json, standard_console
from hierattn.cli.tables import make_table, print_table

app = typer.Typer(help=__doc__, no_args_is_help=True)

_SPEED = ["-m", "benchmarks.dev.training_speed", "--json"]
Counts = Annotated[str, typer.Option(help="Separated by commas, at least two.")]
ImageSize = Annotated[int, typer.Option(help="Side, pixels.")]
BatchSize = Annotated[int, typer.Option(help="Photos a step, all processes.")]
Model = Annotated[str, typer.Option(help="Network.")]


@app.command()
def memory(
    photos: Counts = "2000,4000,8000,16000",
    model: Model = "hierattn_xs",
    image_size: ImageSize = 128,
    batch_size: BatchSize = 32,
    json_output: JsonFlag = False,
) -> None:
    """Memory of a training against the photos it holds: each count in a process of its own.

    The exponent is of what belongs to no file: HIERATTN_PHOTO_MEMORY_GB=0 has all photos mapped.
    """
    shared = _options(model, image_size, batch_size, epochs=1, steps=1)
    found = []
    for count in _counts(photos):
        measured = _measure([], [*shared, "--photos", str(count)])
        found.append({"photos": count, _PEAK: measured[_PEAK], _OWN: measured[_OWN]})
    sizes, costs = ([one[name] for one in found] for name in ("photos", _OWN))
    slope = 1e9 * (costs[-1] - costs[0]) / (sizes[-1] - sizes[0])
    told = {
        "exponent": exponent(sizes, costs),
        "bytes_a_photo": slope,
        "bytes_of_its_pixels": 3 * image_size**2,
    }
    _show("Training memory by photos", found, told, json_output)


@app.command()
def processes(
    counts: Counts = "1,2",
    model: Model = "hierattn_xs",
    image_size: ImageSize = 128,
    batch_size: BatchSize = 32,
    epochs: Annotated[int, typer.Option(help="Measured epochs, after one to warm up.")] = 4,
    steps: Annotated[int, typer.Option(help="Batches an epoch.")] = 8,
    json_output: JsonFlag = False,
) -> None:
    """Images a second of one training over processes of one thread each, of the same batch."""
    options = [*_options(model, image_size, batch_size, epochs, steps), "--threads", "1"]
    found = []
    for count in _counts(counts):
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
        speed = _measure(torchrun if count > 1 else [], options)
        rates = {f"{name}_images_a_second": rate for name, rate in speed[_RATES].items()}
        found.append({"processes": count, **rates, _PEAK: speed[_PEAK]})
    medians = [one["median_images_a_second"] for one in found]
    told = {"exponent": exponent([one["processes"] for one in found], medians)}
    _show("Training speed by processes", found, told, json_output)


_PEAK, _OWN, _RATES = "peak_memory_gb", "own_memory_gb", "images_per_second"


def _options(model: str, image_size: int, batch_size: int, epochs: int, steps: int) -> list[str]:
    given = {"model": model, "image-size": image_size, "batch-size": batch_size}
    given |= {"epochs": epochs, "steps": steps}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))]


def _measure(launcher: Sequence[str], options: Sequence[str]) -> dict[str, Any]:
    """What ``benchmarks.dev.training_speed`` says in a process of its own."""
    done = subprocess.run(
        [sys.executable, *launcher, *_SPEED, *options],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _counts(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if len(set(parts)) < 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"'{text}': give at least two numbers such as 1,2")
    return sorted({int(part) for part in parts})


def _show(
    title: str, found: Sequence[dict[str, Any]], told: dict[str, Any], json_output: bool
) -> None:
    if json_output:
        print_json({"measured": found, **told})
        return
    table = make_table(title, [(name.replace("_", " "), "right") for name in found[0]])
    for one in found:
        table.add_row(*(f"{v:.2f}" if isinstance(v, float) else str(v) for v in one.values()))
    console = standard_console()
    print_table(console, table)
    for name, value in told.items():
        console.print(f"{name.replace('_', ' ')}: {value:.4g}")


if __name__ == "__main__":
    app()
