"""The comparison table, as data and as Markdown."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from benchmarks.paper.published import OURS, SYSTEMS
from hierattn.metrics.bootstrap import Interval, PairedDifference, paired_bootstrap
from hierattn.metrics.predictions import Predictions


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Latency(_Part):
    """Median of one runtime, milliseconds, one thread."""

    runtime: str
    p50_ms: float


class SystemRow(_Part):
    """One system on one data set.

    Attributes:
        lr: the highest learning rate of the folds' training.
        trials: validation balanced accuracy of each rate that was tried; empty for none.
        top1: on the held-out folds, 95 % interval over groups; the value alone where resampling
            changes nothing.
        parts: balanced accuracy on each data folder's photos alone, where there are several; None
            where resampling changes nothing.
        size_mb: of the float32 TFLite file.
        verified: every exported file passed its gate.
    """

    model: str
    lr: float | None = None
    trials: dict[float, float] = Field(default_factory=dict)
    parameters: int
    multiply_adds: int
    top1: Interval | float
    balanced_accuracy: Interval | float
    parts: dict[str, Interval | None] = Field(default_factory=dict)
    latencies: list[Latency]
    size_mb: float | None
    verified: bool
    run_weights_sha256: str


class Comparison(_Part):
    """HierAttn against a peer on the same photos; positive where HierAttn is better.

    Attributes:
        part: the data folder whose photos these are; empty for all.
    """

    part: str = ""
    ours: str
    peer: str
    difference: PairedDifference

    @property
    def verdict(self) -> Literal["better", "worse", "undecided"]:
        """By whether the 95 % interval of the difference lies wholly on one side of 0."""
        if self.difference.difference.low > 0:
            return "better"
        return "worse" if self.difference.difference.high < 0 else "undecided"


class SystemsTable(_Part):
    """All systems on one data set.

    Attributes:
        recipe: what all systems share.
        initialisation: what all started from.
        images: of the held-out folds; ``groups`` of them.
    """

    version: Literal[1] = 1
    data: str
    date: str
    command: str
    machine: str
    recipe: dict[str, object]
    initialisation: str
    image_size: int
    images: int
    groups: int
    rows: list[SystemRow]
    comparisons: list[Comparison]


def compare_systems(
    predictions: dict[str, Predictions], replicates: int = 2000, part: str = ""
) -> list[Comparison]:
    """HierAttn_xs and _s against every peer that is there: balanced accuracy, groups resampled.

    ``part`` names the photos where they are not all.
    """
    found = []
    for ours in OURS:
        for system in SYSTEMS:
            if system.model in OURS or not {ours, system.model} <= predictions.keys():
                continue
            difference = paired_bootstrap(
                predictions[system.model], predictions[ours], replicates=replicates
            )
            found.append(Comparison(part=part, ours=ours, peer=system.model, difference=difference))
    return found


def to_markdown(table: SystemsTable) -> str:
    """The table beside the published figures, and the comparisons."""
    runtimes = sorted({latency.runtime for row in table.rows for latency in row.latencies})
    published = {system.model: system for system in SYSTEMS}
    tried = any(row.trials for row in table.rows)
    parts = list(dict.fromkeys(name for row in table.rows for name in row.parts))
    heads = [
        "",
        "params, M",
        "GMACs",
        *["rate"] * tried,
        "balanced accuracy",
        *(f"on {name} alone" for name in parts),
        "top-1",
        *(f"{r}, ms" for r in runtimes),
    ]
    heads += ["TFLite, MB", "published top-1 (other data)"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for row in table.rows:
        times = {latency.runtime: f"{latency.p50_ms:.1f}" for latency in row.latencies}
        paper = published[row.model]
        lines.append(
            _line(
                [
                    row.model if row.verified else f"{row.model} (gate failed)",
                    f"{row.parameters / 1e6:.2f}",
                    f"{row.multiply_adds / 1e9:.3f}",
                    *["–" if row.lr is None else f"{row.lr:g}"] * tried,
                    _interval(row.balanced_accuracy),
                    *(_interval(row.parts.get(name)) for name in parts),
                    _interval(row.top1),
                    *(times.get(runtime, "–") for runtime in runtimes),
                    "–" if row.size_mb is None else f"{row.size_mb:.2f}",
                    f"{paper.ihisic20000} / {paper.ihpad3000}",
                ]
            )
        )
    lines += ["", _line(["", "against", "balanced accuracy, difference", "verdict"])]
    lines.append(_line(["---"] * 4))
    for comparison in table.comparisons:
        found = comparison.difference.difference
        lines.append(
            _line(
                [
                    f"{comparison.ours}{f', on {comparison.part}' if comparison.part else ''}",
                    comparison.peer,
                    f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]",
                    comparison.verdict,
                ]
            )
        )
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _interval(found: Interval | float | None) -> str:
    if found is None:
        return "–"
    if isinstance(found, float):
        return f"{found:.3f} (no interval)"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
