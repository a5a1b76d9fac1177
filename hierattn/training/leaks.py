"""Leaks: photos that ``--init`` or ``--teacher`` learnt from must not evaluate the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hierattn.data.seen import NEW, recognise
from hierattn.data.split_file import SplitRow, read_split_rows
from hierattn.data.splits import Split
from hierattn.errors import ConfigError
from hierattn.lineage import pretraining_behind, run_behind
from hierattn.run_files import SPLITS
from hierattn.runs import earlier_rows, seen_rows
from hierattn.training.data import SplitFolder

_LEARNT = (Split.TRAIN, Split.VALIDATION)


@dataclass(frozen=True)
class EarlierTraining:
    """What the weights that a run takes, or is taught by, had learnt from.

    Attributes:
        rows: of the photos whose labels they were trained, chosen and calibrated by.
        leaked: how many photos of this run's test part are among them, and how many of its
            validation part are among those trained by; None where nobody can tell.
        without_labels: how many photos of these parts a pretraining had seen without labels; None
            where there was none.
    """

    rows: tuple[SplitRow, ...]
    leaked: dict[str, int] | None
    without_labels: dict[str, int] | None = None


def check_init(init: Path, data: SplitFolder, allow_seen: bool) -> EarlierTraining | None:
    """Look whether the photos that a run is chosen and judged by are new to its first weights.

    What a pretraining saw without labels is counted, and no reason to refuse.

    Returns:
        None where ``init`` is no run's, so that nothing is known.

    Raises:
        ConfigError: some are not, and ``allow_seen`` is not set; they are counted.
    """
    option = f"--init {init}"
    if pretraining_behind(init) is not None:
        folder = init if init.is_dir() else init.parent
        rows = _labelled(earlier_rows(folder))
        leaked = _check(f"{option}: its teacher, or a run before it,", rows, data, allow_seen)
        splits = folder / SPLITS
        shown = read_split_rows(splits) if splits.is_file() else ()
        of_pretraining = _parts(data, [row for row in shown if row.split is Split.TRAIN])
        held_out = (Split.TEST, Split.VALIDATION)
        counts = {str(part): _count(data, part, of_pretraining != NEW) for part in held_out}
        return EarlierTraining(rows, leaked, counts)
    run = run_behind(init)
    if run is None:
        return None
    return _check_run(option, run.path, data, allow_seen)


def check_teacher(source: str, run: Path, data: SplitFolder, allow_seen: bool) -> EarlierTraining:
    """Look whether the photos that a run is chosen and judged by are new to its teacher.

    Args:
        source: the teacher as the user named it.
        run: its folder.
        data: the photos of the run that it teaches.
        allow_seen: go on though some are not.

    Raises:
        ConfigError: ``allow_seen`` is not set, and some are not (they are counted), or nobody can
            tell.
    """
    return _check_run(f"--teacher {source}", run, data, allow_seen)


def _check_run(option: str, run: Path, data: SplitFolder, allow_seen: bool) -> EarlierTraining:
    rows = learnt_rows(run)
    if not (run / SPLITS).is_file():
        if not allow_seen:
            raise ConfigError(
                f"{option}: has no {SPLITS}, so nobody can tell whether it learnt from "
                "photos that judge this run; give the whole run folder, or pass --allow-seen"
            )
        return EarlierTraining(rows, None)
    return EarlierTraining(rows, _check(f"{option}:", rows, data, allow_seen))


def learnt_rows(run: Path) -> tuple[SplitRow, ...]:
    """The photos whose labels a run, those before it and its teachers learnt from."""
    return _labelled(seen_rows(run))


def _labelled(rows: Iterable[SplitRow]) -> tuple[SplitRow, ...]:
    return tuple(dict.fromkeys(row for row in rows if row.split in _LEARNT))


def _check(
    who: str, rows: Sequence[SplitRow], data: SplitFolder, allow_seen: bool
) -> dict[str, int]:
    parts = _parts(data, rows)
    # By validation photos nothing is learnt, so a run may choose its epoch by the same again.
    spoilt = {Split.TEST: parts != NEW, Split.VALIDATION: parts == Split.TRAIN}
    leaked = {split: _count(data, split, known) for split, known in spoilt.items()}
    if any(leaked.values()) and not allow_seen:
        total = {split: len(data.indices(split)) for split in spoilt}
        counts = " and ".join(f"{n} of {total[s]} {s} photos" for s, n in leaked.items() if n)
        how = "" if any(row.sha256 for row in rows) else " (by their names: it holds no hashes)"
        raise ConfigError(
            f"{who} learnt from {counts} of this run{how}; its figures would flatter it; "
            "train with the seed, fold and fractions of that run, give other photos, or pass "
            "--allow-seen to have it recorded"
        )
    return {split.value: count for split, count in leaked.items()}


def _parts(data: SplitFolder, rows: Sequence[SplitRow]) -> np.ndarray:
    return recognise(data.folder, rows).parts


def _count(data: SplitFolder, split: Split, known: np.ndarray) -> int:
    return int(known[data.indices(split)].sum())
