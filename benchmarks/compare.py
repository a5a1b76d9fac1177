"""Comparison with an earlier session on the same machine: what got slower or worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.results import (
    UNKNOWN_NOISE_RATIO,
    BenchmarkError,
    Environment,
    Results,
    Row,
    threads_of,
)
from export.checks.gates import TOLERANCES, Tolerance
from export.schema.metadata import Precision
from hierattn.data.readers.tables import name_some

SIZE_GROWTH = 1.02
"""A file this much larger is worse; metadata alone move it less."""

_MACHINE = ("system", "cpu", "cores", "features", "pinned_to")
_Key = tuple[str, ...]
_EXACT = 1e-9


@dataclass(frozen=True)
class Comparison:
    """What was found in the rows that both sessions have.

    Attributes:
        findings: for the worse, one line each.
        remarks: for the reader.
        floors: by which factor each row that was measured in both may differ unseen.
    """

    findings: list[str]
    remarks: list[str]
    floors: list[float]

    @property
    def nothing_worse(self) -> str:
        """The line for a comparison without findings: what it rests on, and what it cannot see."""
        told = [floor for floor in self.floors if floor <= UNKNOWN_NOISE_RATIO]
        blind = [floor for floor in self.floors if floor > UNKNOWN_NOISE_RATIO]
        lines = []
        if told:
            lines.append(
                f"nothing got slower or worse in {_rows(len(told))} (a p50 up to {max(told):.2f} "
                "times as long would pass unseen in the noisiest)"
            )
        if blind:
            lines.append(
                f"{_rows(len(blind))} too noisy to tell (a p50 {_times(max(blind))} as "
                "long would pass unseen): measure again on a quiet machine, or with more "
                "--launches"
            )
        return "; ".join(lines)


def _times(floor: float) -> str:
    return f"up to {floor:.2f} times" if floor < 9.995 else "more than 10 times"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def check_comparable(old: Environment, new: Environment) -> None:
    """Refuse latencies of another machine.

    Raises:
        BenchmarkError: names the first field that differs.
    """
    for name in _MACHINE:
        before, now = getattr(old, name), getattr(new, name)
        if name == "system":
            # A kernel's patch level does not make another machine.
            before, now = before.split(" ")[0], now.split(" ")[0]
        if before != now:
            raise BenchmarkError(
                f"the earlier results are of another machine ({name}: {before}; here {now}); "
                "latencies can only be compared on one"
            )


def compare(old: Results, new: Results) -> Comparison:
    """Compare row by row: model, format, precision, runtime, device and threads.

    A row is slower if its p50 grew by more than the larger noise floor of the two sessions and
    more than the whole machine slowed down: by its matrix product, or by the median of the rows
    whose file and runtime are the same as before. Accuracy is worse beyond what its precision is
    allowed against torch, where both were judged on the same photos.

    Raises:
        BenchmarkError: other machines, or no row in common.
    """
    for environment in new.environments:
        for earlier in old.environments:
            if earlier.device == environment.device:
                check_comparable(earlier, environment)
    pairs = _pairs(old.rows, new.rows)
    if not pairs:
        raise BenchmarkError("the earlier results have no row in common with these")
    if not old.environments:
        raise BenchmarkError("--compare: the earlier results name no machine")
    same_photos = bool(old.photos and new.photos and old.photos.sha256 == new.photos.sha256)
    remarks = [*_renamed(pairs), *_new(new.rows, pairs), *_remarks(old, new, same_photos)]
    findings: list[str] = []
    drifts = {
        setting: _drift(old, new, pairs, *setting)
        for setting in sorted({(now.device, now.threads) for _, now in pairs})
    }
    for (device, threads), drift in drifts.items():
        if drift > 1.02:
            remarks.append(
                f"{device}, {threads_of(threads)}: the machine itself was {drift:.2f} times slower "
                "than in the earlier session; only what slowed down more is named"
            )
    for before, now in pairs:
        findings += _status(before, now)
        # Its own change is what is asked, so it does not tell how the machine changed.
        others = [pair for pair in pairs if pair[1] is not now]
        drift = _drift(old, new, others, now.device, now.threads)
        findings += _slower(before, now, old, new, drift)
        findings += _larger(before, now)
        if same_photos:
            findings += _less_accurate(before, now)
    findings += _gone(old.rows, pairs)
    timed = [(before, now) for before, now in pairs if before.p50_ms and now.p50_ms]
    if not findings and not timed:
        raise BenchmarkError(
            "--compare: no row was measured in both sessions, so nothing was compared"
        )
    floors = [_floor(before, now, old, new) for before, now in timed]
    return Comparison(findings, remarks, floors)


def _pairs(old: Sequence[Row], new: Sequence[Row]) -> list[tuple[Row, Row]]:
    full = _ambiguous(old) or _ambiguous(new)
    before = {_key(row, full): row for row in old}
    return [(before[key], row) for row in new if (key := _key(row, full)) in before]


def _ambiguous(rows: Sequence[Row]) -> bool:
    return max(Counter(_key(row, False) for row in rows).values(), default=0) > 1


def _key(row: Row, full: bool) -> _Key:
    key = (row.model, row.format, row.precision, row.runtime, row.device, str(row.threads))
    return (*key, row.export) if full else key


def _name(row: Row) -> str:
    return f"{row.model} {row.format} {row.precision}, {row.runtime}, {threads_of(row.threads)}"


def _gone(old: Sequence[Row], pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    met = {id(before) for before, _ in pairs}
    # What was not asked for this time is not missing.
    asked = {(now.model, now.runtime, now.device, now.threads) for _, now in pairs}
    for row in old:
        setting = row.model, row.runtime, row.device, row.threads
        if id(row) not in met and row.status == "measured" and setting in asked:
            yield f"{_name(row)}: was measured before, is missing now"


def _status(before: Row, now: Row) -> Iterator[str]:
    order = ("measured", "gate failed", "not run", "failed")
    if order.index(now.status) > order.index(before.status):
        yield f"{_name(now)}: was {before.status}, is {now.status} ({now.reason})"


def _floor(before: Row, now: Row, old: Results, new: Results) -> float:
    return max(old.floor_between(before, before), new.floor_between(now, now))


def _slower(before: Row, now: Row, old: Results, new: Results, drift: float) -> Iterator[str]:
    if before.p50_ms is None or now.p50_ms is None:
        return
    floor = _floor(before, now, old, new)
    ratio = now.p50_ms / before.p50_ms
    if ratio > floor * drift:
        beyond = f"beyond the noise floor of {floor:.3f}"
        beyond += f" and the machine's own {drift:.2f}" if drift > 1 else ""
        yield (
            f"{_name(now)}: slower, p50 {before.p50_ms:.2f} -> {now.p50_ms:.2f} ms "
            f"({ratio:.2f} times), {beyond}"
        )


def _drift(
    old: Results, new: Results, pairs: Sequence[tuple[Row, Row]], device: str, threads: int
) -> float:
    """How many times slower the machine itself was, at least 1."""
    before, now = _environment(old, device), _environment(new, device)
    found = [1.0]
    if before is None or now is None:
        return 1.0
    rates = before.matrix_product_gmacs.get(threads), now.matrix_product_gmacs.get(threads)
    if rates[0] and rates[1]:
        found.append(rates[0] / rates[1])
    unchanged = [
        later.p50_ms / earlier.p50_ms
        for earlier, later in pairs
        if (later.device, later.threads) == (device, threads)
        and earlier.p50_ms
        and later.p50_ms
        and earlier.sha256 is not None
        and earlier.sha256 == later.sha256
        and before.versions.get(later.runtime) == now.versions.get(later.runtime)
    ]
    if unchanged:
        found.append(float(np.median(unchanged)))
    return max(found)


def _environment(results: Results, device: str) -> Environment | None:
    return next((one for one in results.environments if one.device == device), None)


def _larger(before: Row, now: Row) -> Iterator[str]:
    if before.size_mb and now.size_mb and now.size_mb > SIZE_GROWTH * before.size_mb:
        yield f"{_name(now)}: larger, {before.size_mb:.2f} -> {now.size_mb:.2f} MB"


def _less_accurate(before: Row, now: Row) -> Iterator[str]:
    allowed = _tolerance(now)
    for words, loss, was, found in (
        (
            "balanced accuracy",
            allowed.balanced_accuracy_loss,
            before.balanced_accuracy,
            now.balanced_accuracy,
        ),
        (
            "melanoma sensitivity",
            allowed.melanoma_sensitivity_loss,
            before.melanoma_sensitivity,
            now.melanoma_sensitivity,
        ),
        (
            "melanoma sensitivity at the run's threshold",
            allowed.melanoma_sensitivity_loss,
            before.melanoma_at_threshold,
            now.melanoma_at_threshold,
        ),
    ):
        if was is not None and found is not None and was - found > loss + _EXACT:
            yield (
                f"{_name(now)}: worse, {words} {was:.3f} -> {found:.3f} "
                f"(at most {loss:g} less is allowed)"
            )


def _tolerance(row: Row) -> Tolerance:
    """What the row's precision may lose against torch, which is what it was before, too."""
    known = {precision.value: bound for precision, bound in TOLERANCES.items()}
    return known.get(row.precision, TOLERANCES[Precision.FP32])


def _renamed(pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    """A line where files of other names stand against each other, as of another image size."""
    names = dict.fromkeys((before.name, now.name) for before, now in pairs)
    other = [f"{before} with {now}" for before, now in names if before != now]
    if other:
        yield (
            f"compared by format and precision, {', '.join(other)}: another name may mean another "
            "image size, and so other work"
        )


def _new(rows: Sequence[Row], pairs: Sequence[tuple[Row, Row]]) -> Iterator[str]:
    met = {id(now) for _, now in pairs}
    alone = [_name(row) for row in rows if id(row) not in met and row.p50_ms is not None]
    if alone:
        told = name_some(alone, "row")
        yield f"without a counterpart in the earlier session, not compared: {told}"


def _remarks(old: Results, new: Results, same_photos: bool) -> Iterator[str]:
    for label, results in (("earlier", old), ("new", new)):
        if not results.complete:
            yield f"the {label} session was interrupted; what it lacks is not compared"
        if results.noise_floor is None:
            yield f"the {label} session has no noise floor; small differences may be noise"
    if not same_photos and (old.photos or new.photos):
        yield "accuracy was not compared: the two sessions did not judge the same images"
    for environment in new.environments:
        earlier = _environment(old, environment.device)
        if earlier is None:
            yield f"{environment.device}: not in the earlier session"
            continue
        for name, version in environment.versions.items():
            if earlier.versions.get(name, version) != version:
                yield f"{name} was {earlier.versions[name]}, is {version}"
