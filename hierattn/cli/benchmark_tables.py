"""The tables of ``hierattn benchmark``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.devices.rows import UNKNOWN
from benchmarks.environment import busy_warning
from benchmarks.results import (
    HOST,
    LARGEST_FLOOR,
    NoiseFloor,
    Results,
    Row,
    SweepPoint,
    threads_of,
)
from benchmarks.stats import exponent
from hierattn.cli.console import number
from hierattn.cli.tables import make_table, print_table

_LATENCY = (
    ("file", "left"),
    ("runtime", "left"),
    ("p50", "right"),
    ("rank", "right"),
    ("×best", "right"),
    ("balanced", "right"),
    ("melanoma", "right"),
    ("status", "left"),
)
_MORE = (
    ("MB", "right"),
    ("load", "right"),
    ("first", "right"),
    ("p99", "right"),
    ("noise", "right"),
    ("RAM", "right"),
    ("left", "right"),
)
_KEYS = 2
"""The columns that name a row: file and runtime."""
_LEGEND = (
    "p50: milliseconds of steady runs (median). ×best: p50 over that of the fastest measured row. "
    "rank: by p50; 1-3 may be first to third, as it differs from the rows it could change places "
    "with by less than their own noise or its own, or than the session's noise floor: a tie. A "
    "row whose gate failed has no rank, and is not the best.",
)
_MORE_LEGEND = (
    "load, first, p99: milliseconds to open the file, of the first answer, and 99th percentile of "
    "steady runs. noise: how far this row's p50, against another's, may differ in another session "
    "(–: not to be told from one launch).",
    "RAM: peak memory of the row's own process, MB, Python included. left: operators that the "
    "delegate (XNNPACK) did not take; 0 is fully delegated, – has no delegate.",
)
_ACCURACY = (
    "balanced, melanoma: balanced accuracy and melanoma sensitivity (highest class) of this very "
    "file in this runtime on the images"
)


def print_latency(console: Console, results: Results, *, wide: bool = False) -> None:
    """Print a table for each device and thread count; ``wide`` adds the columns of detail."""
    for table in latency_tables(results, wide=wide):
        print_table(console, table, keys=_KEYS, wide=wide)
        console.print()


def latency_tables(results: Results, *, wide: bool = False) -> Iterator[Table]:
    """A table for each device and thread count; ties are found within one only."""
    several = len({row.export for row in results.rows}) > 1
    for device, threads in sorted({(row.device, row.threads) for row in results.rows}):
        rows = [row for row in results.rows if (row.device, row.threads) == (device, threads)]
        words = threads_of(threads)
        floor = results.noise_floor if device == HOST else None
        title = f"{device}, {words}{_floor_words(floor, threads)}"
        table = make_table(title, (*_LATENCY, *_MORE * wide))
        ranks = rank(results, rows)
        measured = [row.p50_ms for row in rows if row.status == "measured" and row.p50_ms]
        for row in rows:
            cells = _cells(row, several, ranks.get(id(row), ""), min(measured, default=0))
            table.add_row(*cells, *(_more_cells(row) if wide else ()))
        yield table


def rank(results: Results, rows: Sequence[Row]) -> dict[int, str]:
    """The places by p50 that each row may hold, by its id: ``2``, or ``1-3`` among ties.

    A file that failed its gate has no rank: it must not be shipped, however fast.
    """
    measured = [row for row in rows if row.status == "measured" and row.p50_ms]
    ranks = {}
    for row in measured:
        others = [other for other in measured if not results.is_tie(other, row)]
        first = 1 + sum((other.p50_ms or 0) < (row.p50_ms or 0) for other in others)
        last = len(measured) - sum((other.p50_ms or 0) > (row.p50_ms or 0) for other in others)
        ranks[id(row)] = f"{first}" if first == last else f"{first}-{last}"
    return ranks


def legend(results: Results, *, wide: bool = False) -> Iterator[str]:
    """What the columns mean, and what the figures rest on."""
    yield from _LEGEND
    if wide:
        yield from _MORE_LEGEND
    else:
        yield "With --wide, and in results.csv: size, load, first answer, p99, noise and memory."
    if {"litert", "tflite-runtime"} <= {row.runtime for row in results.rows}:
        yield "litert, tflite-runtime: Google's runtimes of .tflite files, today's and the earlier."
    if results.photos is not None:
        photos = results.photos
        against = "; after it, points more or less than torch"
        compared = any(row.change_vs_torch for row in results.rows)
        told = f"{_ACCURACY}{against if compared else ''}"
        yield f"{told}. Images: {photos.images} of '{photos.name}'."
        if photos.note:
            yield f"Images: {photos.note}."
    floor, method = results.noise_floor, results.method
    if floor is not None and method is not None:
        pairs = ", ".join(
            f"{first:.2f} and {second:.2f} ms ({threads} thread{'' if threads == 1 else 's'})"
            for threads, (first, second) in floor.controls.items()
        )
        launches = f"{method.launches} launch{'' if method.launches == 1 else 'es'}"
        yield (
            f"Noise floor: by how much a typical row may differ in another session (19 in 20), "
            f"from {launches} in turns of all rows, and no less than between two measurements of "
            f"{floor.name}: {pairs}."
        )


def remarks(results: Results) -> Iterator[str]:
    """A line for whatever a cell has no room for; the same words for several rows once."""
    busy = [busy_warning(environment) for environment in results.environments]
    yield from (remark for remark in results.remarks if remark not in busy)  # said above, loudly
    told: dict[str, None] = {}
    for row in results.rows:
        if row.reason:
            # A phone that told nothing has neither file nor runtime to name.
            names = [row.device] if row.device != HOST else []
            names += [name for name in (row.name, row.runtime) if name != UNKNOWN]
            told[f"{', '.join(names)}: {row.status}: {row.reason}"] = None
    yield from told
    for row in results.rows:
        words = f"{row.name}, {row.runtime}, {threads_of(row.threads)}"
        if row.sustained is not None:
            yield (
                f"{words}: after {row.sustained.seconds:.0f} s of sustained load "
                f"{row.sustained.last_to_first:.2f} times its first latency"
            )
        if row.profile:
            costly = ", ".join(f"{one.operator} {one.share:.0%}" for one in row.profile[:6])
            yield f"{words}: {costly}"
        elif row.profile_note:
            yield f"{words}: {row.profile_note}"


def sweep_table(results: Results) -> Table:
    """Latency against image size, threads and batch."""
    table = make_table(
        "Cost by image size, threads and batch",
        (
            ("model", "left"),
            ("runtime", "left"),
            ("px", "right"),
            ("threads", "right"),
            ("batch", "right"),
            ("p50 ms", "right"),
            ("ms an image", "right"),
            ("10^9 MAC", "right"),
            ("10^9 MAC/s", "right"),
            ("of matrix product", "right"),
        ),
    )
    for point in results.sweep:
        table.add_row(
            point.model,
            point.runtime,
            str(point.image_size),
            str(point.threads),
            str(point.batch),
            f"{point.p50_ms:.2f}",
            f"{point.p50_ms / point.batch:.2f}",
            f"{point.multiply_adds / 1e9:.3f}",
            f"{point.gmacs:.1f}",
            f"{point.of_matrix_product:.0%}",
        )
    return table


def growth(results: Results) -> Iterator[str]:
    """How p50 grows with the side of the image, and with the batch, by model and runtime."""
    series: dict[tuple[str, str, int], list[SweepPoint]] = {}
    for point in results.sweep:
        series.setdefault((point.model, point.runtime, point.threads), []).append(point)
    for (model, runtime, threads), points in series.items():
        single = [point for point in points if point.batch == 1]
        size = max((point.image_size for point in points if point.batch > 1), default=None)
        batched = [point for point in points if point.image_size == size]
        powers = {
            "px": exponent([p.image_size for p in single], [p.p50_ms for p in single]),
            "batch": exponent([p.batch for p in batched], [p.p50_ms for p in batched]),
        }
        known = [f"{name}^{power:.2f}" for name, power in powers.items() if power is not None]
        if known:
            yield f"{model}, {runtime}, {threads_of(threads)}: p50 grows as {', '.join(known)}"


def _floor_words(floor: NoiseFloor | None, threads: int) -> str:
    if floor is None:
        return ""
    ratio = floor.of(threads)
    told = f"above {LARGEST_FLOOR:g} times"
    return f": noise floor {f'{100 * (ratio - 1):.1f} %' if ratio < LARGEST_FLOOR else told}"


def _cells(row: Row, several: bool, place: str, best: float) -> list[str]:
    file = row.name if row.name == row.runtime else f"{row.precision} {row.format}"
    return [
        f"{row.export}: {file}" if several else file,
        row.runtime,
        number(row.p50_ms, 2),
        place or "–",
        number(row.p50_ms / best if row.p50_ms and best else None, 2),
        _with_change(row.balanced_accuracy, row.change_vs_torch.get("balanced_accuracy")),
        _with_change(row.melanoma_sensitivity, row.change_vs_torch.get("melanoma_sensitivity")),
        row.status,
    ]


def _more_cells(row: Row) -> list[str]:
    return [
        number(row.size_mb, 2),
        number(row.load_ms, 0),
        number(row.first_ms, 1),
        number(row.p99_ms, 1),
        _percent(row.noise_ratio),
        number(row.peak_rss_mb, 0),
        "–" if row.operators_left is None else str(row.operators_left),
    ]


def _percent(ratio: float | None) -> str:
    if ratio is None:
        return "–"
    return f"{100 * (ratio - 1):.0f}%" if ratio < 10 else ">10×"


def _with_change(value: float | None, change: float | None) -> str:
    if value is None or change is None:
        return number(value)
    return f"{value:.3f} {100 * change:+.1f}"
