"""Photos that the weights a run starts from have learnt: they must not judge it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hierattn.data.seen import NEW, recognise
from hierattn.data.splits import Split, SplitRow
from hierattn.errors import ConfigError
from hierattn.runs import run_behind, seen_rows
from hierattn.training.data import PreparedData

_LEARNT = (Split.TRAIN, Split.VALIDATION)


@dataclass(frozen=True)
class Earlier:
    """What the run behind ``--init``, and the runs before it, learnt from.

    Attributes:
        rows: of the photos they were trained, chosen and calibrated by.
        leaked: how many photos of this run's test part are among them, and how many of its
            validation part are among those trained by.
    """

    rows: tuple[SplitRow, ...]
    leaked: dict[str, int]


def check_leaks(init: Path, data: PreparedData, allow_seen: bool) -> Earlier | None:
    """Look whether the photos that a run is chosen and judged by are new to its weights.

    Returns:
        None where ``init`` is no run's, so that nothing is known.

    Raises:
        ConfigError: some are not, and ``allow_seen`` is not set; they are counted.
    """
    run = run_behind(init)
    if run is None:
        return None
    rows = tuple(dict.fromkeys(row for row in seen_rows(run.path) if row.split in _LEARNT))
    seen = recognise(data.folder, rows)
    parts = np.array([split.value for split in data.splits])
    # By validation photos nothing is learnt, so a run may choose its epoch by the same again.
    spoilt = {Split.TEST: seen.parts != NEW, Split.VALIDATION: seen.parts == Split.TRAIN}
    total = {split: int((parts == split).sum()) for split in spoilt}
    leaked = {split: int((known & (parts == split)).sum()) for split, known in spoilt.items()}
    if any(leaked.values()) and not allow_seen:
        counts = " and ".join(f"{n} of {total[s]} {s} photos" for s, n in leaked.items() if n)
        how = "" if any(row.sha256 for row in rows) else " (by their names: it holds no hashes)"
        raise ConfigError(
            f"--init {init}: learnt from {counts} of this run{how}; its figures would flatter it; "
            "train with the seed, fold and fractions of that run, give other photos, or pass "
            "--allow-seen to have it recorded"
        )
    return Earlier(rows, {split.value: count for split, count in leaked.items()})
