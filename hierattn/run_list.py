"""List of the run folders below a folder, finished or not, read without PyTorch."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from hierattn.common.files import regular_file
from hierattn.common.json_text import parse_json
from hierattn.common.quantities import Count, Positive, Share
from hierattn.errors import DataError
from hierattn.run_files import CHECKPOINT, CONFIG, HISTORY, METRICS, POOLED, RECIPE, STARTED

_DEPTH = 4
_LONGEST_CAVEAT = 500
_STRICT = ConfigDict(strict=True)
_SHARE: TypeAdapter[float] = TypeAdapter(Share, config=_STRICT)
_COUNT: TypeAdapter[int] = TypeAdapter(Positive, config=_STRICT)
_CONFUSION: TypeAdapter[list[list[int]]] = TypeAdapter(list[list[Count]], config=_STRICT)
_OF_ALL = ("path", "status", "changed")


@dataclass(frozen=True)
class ListedRun:
    """What is known of a run folder.

    Attributes:
        status: "finished", "pretrained" (features only), "pooled" (folds, without weights),
            "unfinished" or "damaged".
        model, data: names; None where an unfinished run does not say.
        epochs: finished ones.
        of_epochs: those asked for; None where an unfinished run does not say.
        judged_on: which part the accuracy is of: "test", "validation" or "cross_validation".
        interval: 95 %, of the balanced accuracy.
        caveat: why the accuracy flatters the run, or may.
        fold: I/K, of a cross-validation; None for a run of its own.
        pooled: of pooled folds, how many they are, and of how many; else None.
        changed: when its newest record was written, UTC; None without the checkpoint of a training
            or the recipe of a pool, as of shipped ones: such files have the date of the clone.
    """

    path: Path
    status: str
    model: str | None
    data: str | None
    epochs: int | None
    of_epochs: int | None
    fold: str | None
    pooled: tuple[int, int] | None
    judged_on: str | None
    balanced_accuracy: float | None
    interval: tuple[float, float] | None
    caveat: str | None
    changed: datetime | None


def list_runs(folder: Path) -> list[ListedRun]:
    """Runs in ``folder`` and up to four folders below, by balanced accuracy, then by date.

    Raises:
        DataError: ``folder`` is not a folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; give one that holds run folders")
    found = [run for path in _folders(folder) if (run := _read(path)) is not None]
    return sorted(
        found,
        key=lambda run: (
            -(run.balanced_accuracy or 0),
            -run.changed.timestamp() if run.changed else 0,
        ),
    )


def _folders(root: Path) -> Iterator[Path]:
    depth = len(root.parts)
    # Links are not followed, so none can lead back.
    for name, folders, _ in os.walk(root):
        path = Path(name)
        folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
        if len(path.parts) - depth >= _DEPTH:
            folders.clear()
        yield path


def _read(path: Path) -> ListedRun | None:
    config, checkpoint = path / CONFIG, path / CHECKPOINT
    if not config.is_file():
        if (path / POOLED).is_file():
            return _pooled(path)
        if not checkpoint.is_file():
            return None
        told = _json(path / STARTED) or {}  # which runs of earlier versions have not
        return _run(
            path,
            checkpoint,
            status="unfinished",
            model=str(told["model"]) if "model" in told else None,
            data=str(told["data"]) if "data" in told else None,
            epochs=_history(path / HISTORY) or (0 if told else None),
            of_epochs=asked if type(asked := told.get("epochs")) is int and asked > 0 else None,
        )
    content = _json(config)
    if content is None:
        return _run(path, config, status="damaged")
    if "training" not in content or "weights_sha256" not in content:
        return None  # Somebody else's config.json.
    try:
        judged_on, report = _judged(path / METRICS)
        return _run(
            path,
            config,
            status="pretrained" if content.get("kind") == "features" else "finished",
            model=str(content["model"]),
            data=str(content["data"]["name"]),
            epochs=_history(path / HISTORY),
            of_epochs=_COUNT.validate_python(content["training"]["epochs"]),
            judged_on=judged_on,
            fold=_fold(content["training"]),
            **(_accuracy(report) if judged_on is not None else {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return _run(path, config, status="damaged")


def _pooled(path: Path) -> ListedRun:
    file, recipe = path / POOLED, _json(path / RECIPE) or {}
    try:
        content = _json(file) or {}
        return _run(
            path,
            file,
            status="pooled",
            model=recipe["model"] if isinstance(recipe.get("model"), str) else None,
            judged_on="cross_validation",
            pooled=_part_of(content["folds"], content["of_folds"]),
            **_accuracy(content["report"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return _run(path, file, status="damaged")


def _judged(path: Path) -> tuple[str | None, Any]:
    """The part that a run's first report is of, and the report; none where it has none."""
    if not path.exists():
        return None, None
    metrics = _json(path)
    if metrics is None:
        raise ValueError(f"{path}: damaged")
    return next(iter(metrics.items()), (None, None))


def _accuracy(report: dict[str, Any]) -> dict[str, Any]:
    interval = report["intervals"]["balanced_accuracy"]
    ends = (
        (_SHARE.validate_python(interval["low"]), _SHARE.validate_python(interval["high"]))
        if interval
        else None
    )
    if ends is not None and ends[0] > ends[1]:
        raise ValueError(f"no interval: {ends}")
    return {
        "balanced_accuracy": _SHARE.validate_python(report["balanced_accuracy"]),
        "interval": ends,
        "caveat": _caveat(report),
    }


def _caveat(report: dict[str, Any]) -> str | None:
    """What the report says against its figures, or that one class was every answer."""
    if report.get("caveat"):
        return str(report["caveat"])[:_LONGEST_CAVEAT]
    names = list(report["classes"])
    confusion = _CONFUSION.validate_python(report["confusion"])
    if {len(confusion), *map(len, confusion)} != {len(names)}:
        raise ValueError("not a row and a column for every class")
    columns = zip(*confusion, strict=True)
    answered = [name for name, column in zip(names, columns, strict=True) if any(column)]
    if len(answered) == 1 and sum(map(any, confusion)) > 1:
        return f"one answer to every image: {answered[0]}"
    return None


def _part_of(some: Any, count: Any) -> tuple[int, int]:
    if _COUNT.validate_python(some) > _COUNT.validate_python(count):
        raise ValueError(f"{some} of {count}")
    return some, count


def _fold(training: dict[str, Any]) -> str | None:
    fold = training.get("fold")
    if fold is not None:
        index, count = str(fold).split("/")
        _part_of(int(index), int(count))
    return fold


def _run(path: Path, dated_by: Path, *, status: str, **known: Any) -> ListedRun:
    fields = dict.fromkeys(
        field.name for field in dataclasses.fields(ListedRun) if field.name not in _OF_ALL
    )
    made_here = (path / (RECIPE if status == "pooled" else CHECKPOINT)).is_file()
    changed = datetime.fromtimestamp(dated_by.stat().st_mtime, UTC) if made_here else None
    return ListedRun(path=path, status=status, changed=changed, **{**fields, **known})


def _json(path: Path) -> dict[str, Any] | None:
    try:
        content = parse_json(regular_file(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _history(path: Path) -> int | None:
    try:
        with regular_file(path).open(encoding="utf-8", newline="") as file:
            return sum(1 for _ in csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return None
