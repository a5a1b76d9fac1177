"""The key findings of a report as sentences, each computed from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report.formatting import known, percent, points, three_digits
from benchmarks.report.rows import NumberedRow, Setting, sensitivity_change


@dataclass(frozen=True)
class Finding:
    """One sentence.

    Attributes:
        topic: two or three words.
        numbered: the row it is about; None where it is about all.
        text: what follows the row's name.
    """

    topic: str
    numbered: NumberedRow | None
    text: str


def findings(rows: Sequence[NumberedRow]) -> list[Finding]:
    """The fastest of each setting, the most accurate file, the largest losses against torch."""
    return [*_fastest(rows), *_most_accurate(rows), *_largest_loss(rows), *_at_threshold(rows)]


def _fastest(rows: Sequence[NumberedRow]) -> list[Finding]:
    settings: dict[Setting, list[NumberedRow]] = {}
    for numbered in rows:
        if numbered.to_fastest is not None and numbered.row.status == "measured":
            settings.setdefault(numbered.setting, []).append(numbered)
    found = []
    for setting, members in settings.items():
        first = min(members, key=lambda n: (n.to_fastest or 0.0, n.number))
        tied = [f"No. {n.number}" for n in members if n.tie]
        tie = f"; within the noise of it: {', '.join(tied)}" if tied else ""
        text = f"p50 {three_digits(first.latency)} ms on {setting}{tie}"
        found.append(Finding("Fastest", first, text))
    return found


def _most_accurate(rows: Sequence[NumberedRow]) -> list[Finding]:
    judged = [
        n
        for n in rows
        if n.row.status == "measured"
        and not n.is_reference
        and known(n.row.balanced_accuracy) is not None
    ]
    if not judged:
        return []
    best = max(judged, key=lambda n: (n.row.balanced_accuracy or 0.0, -n.number))
    interval = best.row.balanced_accuracy_interval
    between = f" ({percent(interval.low)} to {percent(interval.high)})" if interval else ""
    text = f"balanced accuracy {percent(best.row.balanced_accuracy)} %{between}"
    equal = [n for n in judged if n.row.balanced_accuracy == best.row.balanced_accuracy]
    others = [f"No. {n.number}" for n in equal if n.row.name != best.row.name]
    also = f"; as accurate: {', '.join(others)}" if others else ""
    return [Finding("Most accurate file", best, text + also)]


def _largest_loss(rows: Sequence[NumberedRow]) -> list[Finding]:
    losses = [
        (change, n.number, name, n)
        for n in rows
        if not n.is_reference
        for name in n.row.sensitivity
        if (change := sensitivity_change(n.row, name)) is not None
    ]
    if not losses:
        return []
    change, _, name, numbered = min(losses, key=lambda loss: loss[:3])
    if points(change) == "0.0" or change > 0:
        return [Finding("Classes", None, "no file lost sensitivity to any class against torch")]
    return [
        Finding(
            "Largest loss of a class", numbered, f"{name} {points(change)} points against torch"
        )
    ]


def _at_threshold(rows: Sequence[NumberedRow]) -> list[Finding]:
    """Named only where a file finds fewer melanomas than torch by the rule that apps flag by."""
    losses = [
        (change, n.number, n)
        for n in rows
        if not n.is_reference
        and (change := known(n.row.change_vs_torch.get("melanoma_at_threshold"))) is not None
    ]
    if not losses or (worst := min(losses, key=lambda loss: loss[:2]))[0] >= 0:
        return []
    change, _, numbered = worst
    found = percent(numbered.row.melanoma_at_threshold)
    text = f"melanoma sensitivity {found} % there, {points(change)} points against torch"
    return [Finding("Largest loss at the run's threshold", numbered, text)]
