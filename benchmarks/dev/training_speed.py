"""Training speed and peak memory, end to end: decode cached, augmentation included.

Run it on a quiet machine:  python -m benchmarks.dev.training_speed
"""

from __future__ import annotations

import platform
import resource
import statistics
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from hierattn.cli.console import JsonFlag, print_json, standard_console
from hierattn.cli.tables import make_table, print_table
from hierattn.models.registry import create_model
from hierattn.training.distributed import bf16_pays, process_group
from hierattn.training.epochs import deterministic
from hierattn.training.loop import TrainingLoop, TrainingPhotos
from hierattn.training.memory import keep_freed_memory
from hierattn.training.recipe.config import TrainingConfig

_CLASSES = 8


def main(
    model: Annotated[str, typer.Option(help="Network.")] = "hierattn_xs",
    image_size: Annotated[int, typer.Option(help="Side, pixels.")] = 256,
    batch_size: Annotated[int, typer.Option(help="Photos a step.")] = 64,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    epochs: Annotated[int, typer.Option(help="Measured epochs, after one to warm up.")] = 5,
    steps: Annotated[int, typer.Option(help="Batches an epoch.")] = 4,
    photos: Annotated[
        int | None, typer.Option(help="Photos held; by default those of an epoch.")
    ] = None,
    precision: Annotated[str, typer.Option(help="auto, bf16 or fp32.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    default_malloc: Annotated[
        bool, typer.Option("--default-malloc", help="Leave glibc's settings as they are.")
    ] = False,
    json_output: JsonFlag = False,
) -> None:
    """Time whole training epochs of noise pictures (the content does not change the speed)."""
    kept = not default_malloc and keep_freed_memory()
    torch.set_num_threads(threads)
    random = np.random.default_rng(0)
    count = batch_size * steps
    held = max(count, photos or 0)
    pixels = _allocate(held, image_size)
    for photo in pixels:
        photo[:] = random.integers(0, 256, photo.shape, np.uint8)
    labels = np.arange(held) % _CLASSES
    config = TrainingConfig.model_validate(
        {
            "model": model,
            "image_size": image_size,
            "batch_size": batch_size,
            "precision": precision,
        }
    )
    with process_group(device) as group, deterministic():
        chosen = group.device
        loop = TrainingLoop(
            config,
            group,
            create_model(model, _CLASSES),
            _CLASSES,
            TrainingPhotos(pixels, labels),
            np.arange(count),
            np.arange(0),
            bf16=precision == "bf16" or (precision == "auto" and bf16_pays(chosen)),
        )
        loop.run_epoch(0, lambda: None)
        rates = []
        for epoch in range(1, epochs + 1):
            group.wait()
            began = time.perf_counter()
            loop.run_epoch(epoch, lambda: None)
            rates.append(count / (time.perf_counter() - began))
    if not group.is_main:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "model": model,
        "image_size": image_size,
        "batch_size": batch_size,
        "threads": threads,
        "processes": group.size,
        "photos": held,
        "device": str(chosen),
        "bf16": loop.bf16,
        "malloc_kept": kept,
        "images_per_second": {
            "minimum": min(rates),
            "median": statistics.median(rates),
            "maximum": max(rates),
        },
        "epochs": epochs,
        "peak_memory_gb": usage.ru_maxrss * 1024 / 1e9,
        "own_memory_gb": _own_memory(),
        "kernel_share_of_cpu_time": usage.ru_stime / (usage.ru_stime + usage.ru_utime),
        "machine": platform.processor() or platform.machine(),
        "torch": torch.__version__,
    }
    if json_output:
        print_json(result)
        return
    table = make_table("Training speed", [("figure", "left"), ("value", "prose")])
    for name, value in result.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {number:.1f}" for key, number in value.items())
        table.add_row(
            name.replace("_", " "), f"{value:.2f}" if isinstance(value, float) else str(value)
        )
    print_table(standard_console(), table)


def _allocate(count: int, side: int) -> np.ndarray:
    try:
        from hierattn.data.pixels.allocate import allocate_pixels
    except ModuleNotFoundError:  # an older hierattn, which training_table compares with
        return np.empty((count, side, side, 3), np.uint8)
    return allocate_pixels(count, side)


def _own_memory() -> float | None:
    """Gigabytes in memory that belong to no file (a mapped file's the system may take back)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024 / 1e9


if __name__ == "__main__":
    typer.run(main)
