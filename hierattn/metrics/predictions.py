"""Predictions: logits of a set of photos with their labels and groups; input of all metrics."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hierattn.common.csv_text import csv_text, read_cell
from hierattn.common.files import regular_file, write_text
from hierattn.data.readers.tables import FITZPATRICK
from hierattn.data.records import STRATA, Record
from hierattn.errors import DataError, HierAttnError

AGE_BANDS = ("under 40", "40 to 60", "over 60")

_LOGIT = "logit:"
_FITZPATRICK = {roman.casefold(): roman for roman in FITZPATRICK}
_KNOWN_NOTHING = frozenset({"", "unknown", "not available", "n/a", "na", "nan", "none", "unk"})


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's logits for N photos and K classes, in one order throughout.

    Attributes:
        logits: float64 [N, K], finite.
        labels: int64 [N], indices into ``classes``.
        classes: K class names, in the model's order.
        groups: the unit of each photo that intervals resample: patient, else lesion, else image.
        files: names relative to the data folder, unique.
        splits: "train", "validation", "test" or "" where no split applies.
        strata: for each of :data:`STRATA` the photo's value, None where not known; age as a band.

    Raises:
        DataError: lengths, shapes, labels or file names that do not fit together.
        HierAttnError: logits that are not finite.
    """

    logits: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    files: tuple[str, ...]
    splits: tuple[str, ...]
    strata: Mapping[str, tuple[str | None, ...]]

    def __post_init__(self) -> None:
        """Copy the arrays, make them read-only, and check that everything fits together."""
        for field, dtype in (("logits", np.float64), ("labels", np.int64)):
            column = np.array(getattr(self, field), dtype=dtype)
            column.setflags(write=False)
            object.__setattr__(self, field, column)
        count, names = len(self.files), len(self.classes)
        if self.logits.shape != (count, names):
            raise DataError(
                f"logits of shape {list(self.logits.shape)} do not fit {count} photos and "
                f"{names} classes; expected [{count}, {names}]"
            )
        if len(set(self.classes)) != names or names < 2:
            raise DataError(f"two or more different classes are needed, not {list(self.classes)}")
        lengths = {name: len(getattr(self, name)) for name in ("labels", "groups", "splits")}
        lengths |= {name: len(column) for name, column in self.strata.items()}
        for name, length in lengths.items():
            if length != count:
                raise DataError(f"{name}: {length} entries for {count} photos")
        if set(self.strata) != set(STRATA):
            raise DataError(f"strata must be {', '.join(STRATA)}, not {', '.join(self.strata)}")
        if count and not (self.labels.min() >= 0 and self.labels.max() < names):
            raise DataError(f"labels must lie in 0..{names - 1}")
        if len(set(self.files)) != count:
            raise DataError("a file occurs twice in the predictions")
        damaged = np.flatnonzero(~np.isfinite(self.logits).all(axis=1))
        if damaged.size:
            raise HierAttnError(
                f"the logits of {damaged.size} photos are not finite (first: "
                f"{self.files[damaged[0]]}); the weights are damaged or the arithmetic overflows"
            )

    def __len__(self) -> int:
        """Return N, the number of photos."""
        return len(self.files)

    @classmethod
    def from_records(
        cls,
        records: Sequence[Record],
        logits: np.ndarray,
        classes: Sequence[str],
        splits: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
    ) -> Predictions:
        """Join logits [N, K] to the N records they were computed from.

        Args:
            records: in the order of ``logits``.
            logits: any float dtype.
            classes: the model's classes, in its order; every record's label must be among them.
            splits: one name a record, or None where no split applies.
            groups: wider groups than ``Record.group`` (exact duplicates joined), if known.

        Raises:
            DataError: a record's class that the model does not know; see also the class.
        """
        index = {name: position for position, name in enumerate(classes)}
        unknown = sorted({record.label for record in records} - index.keys())
        if unknown:
            raise DataError(
                f"the data has classes the model does not know: {', '.join(unknown)} "
                f"(the model's: {', '.join(classes)}); rename or leave out these folders"
            )
        return cls(
            logits=logits,
            labels=np.array([index[record.label] for record in records], dtype=np.int64),
            classes=tuple(classes),
            groups=tuple(groups or (record.group for record in records)),
            files=tuple(record.file for record in records),
            splits=tuple(map(str, splits)) if splits is not None else ("",) * len(records),
            strata={
                "age": tuple(age_band(record.age) for record in records),
                "sex": tuple(_known(record.sex) for record in records),
                "site": tuple(_known(record.site) for record in records),
                "skin_tone": tuple(_skin_tone(record.skin_tone) for record in records),
            },
        )

    def take(self, indices: Sequence[int] | np.ndarray) -> Predictions:
        """Return the photos at ``indices``, in that order."""
        order = [int(position) for position in indices]

        def pick(column: Sequence[str]) -> tuple[str, ...]:
            return tuple(column[position] for position in order)

        return Predictions(
            logits=self.logits[order].reshape(len(order), len(self.classes)),
            labels=self.labels[order],
            classes=self.classes,
            groups=pick(self.groups),
            files=pick(self.files),
            splits=pick(self.splits),
            strata={k: tuple(column[i] for i in order) for k, column in self.strata.items()},
        )

    def of_split(self, split: str) -> Predictions:
        """Return the photos of one split, which may be none."""
        return self.take([i for i, name in enumerate(self.splits) if name == split])


def age_band(age: float | None) -> str | None:
    """Return the band of an age in years: under 40, 40 to 60 (both included), over 60."""
    if age is None or not np.isfinite(age):
        return None
    return AGE_BANDS[0] if age < 40 else AGE_BANDS[1] if age <= 60 else AGE_BANDS[2]


def _known(value: str | None) -> str | None:
    """Fold case, so that "Male" and "male" are one stratum; words for "unknown" become None."""
    folded = (value or "").strip().casefold()
    return None if folded in _KNOWN_NOTHING else folded


def _skin_tone(value: str | None) -> str | None:
    """A Fitzpatrick type in its capitals; another scale's words folded."""
    known = _known(value)
    return _FITZPATRICK.get(known, known) if known else None


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Join predictions of one model's classes, such as the test parts of k folds.

    Raises:
        DataError: no parts, other classes, or a file in two parts.
    """
    if not parts:
        raise DataError("no predictions to join")
    classes = parts[0].classes
    for part in parts:
        if part.classes != classes:
            raise DataError(
                f"predictions of other classes cannot be joined: {', '.join(part.classes)} "
                f"and {', '.join(classes)}"
            )
    return Predictions(
        logits=np.concatenate([part.logits for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        classes=classes,
        groups=tuple(group for part in parts for group in part.groups),
        files=tuple(file for part in parts for file in part.files),
        splits=tuple(split for part in parts for split in part.splits),
        strata={k: tuple(value for part in parts for value in part.strata[k]) for k in STRATA},
    )


def write_csv(path: str | Path, predictions: Predictions) -> None:
    """Write a ``predictions.csv`` atomically; every logit reads back to the same bits."""
    logit_columns = [_LOGIT + name for name in predictions.classes]
    rows: list[Sequence[object]] = [["file", "class", "group", "split", *logit_columns, *STRATA]]
    for i, file in enumerate(predictions.files):
        label = predictions.classes[predictions.labels[i]]
        numbers = map(float, predictions.logits[i])
        known = [predictions.strata[name][i] for name in STRATA]
        rows.append([file, label, predictions.groups[i], predictions.splits[i], *numbers, *known])
    write_text(path, csv_text(rows))


def read_csv(path: str | Path) -> Predictions:
    """Read what :func:`write_csv` wrote.

    Raises:
        DataError: a missing or damaged file; the message names the file and the line or column.
    """
    path = Path(path)
    try:
        with regular_file(path).open(newline="", encoding="utf-8") as source:
            rows = [[*map(read_cell, row)] for row in csv.reader(source, strict=True)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as predictions ({error})") from error
    header = rows[0] if rows else []
    missing = [name for name in ("file", "class", "group", "split", *STRATA) if name not in header]
    if missing:
        raise DataError(f"{path}: the columns {', '.join(missing)} are missing; evaluate again")
    logit_columns = [i for i, name in enumerate(header) if name.startswith(_LOGIT)]
    classes = tuple(header[i].removeprefix(_LOGIT) for i in logit_columns)
    index = {name: position for position, name in enumerate(classes)}
    logits, labels = [], []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(f"{path}: line {line} has {len(row)} fields, the head {len(header)}")
        label = row[header.index("class")]
        if label not in index:
            raise DataError(f"{path}: line {line}: no logit column for the class '{label}'")
        labels.append(index[label])
        try:
            logits.append([float(row[i]) for i in logit_columns])
        except ValueError as error:
            raise DataError(f"{path}: line {line}: a logit is not a number ({error})") from error

    def column(name: str) -> tuple[str, ...]:
        position = header.index(name)
        return tuple(row[position] for row in rows[1:])

    try:
        return Predictions(
            logits=np.array(logits, dtype=np.float64).reshape(len(labels), len(classes)),
            labels=np.array(labels, dtype=np.int64),
            classes=classes,
            groups=column("group"),
            files=column("file"),
            splits=column("split"),
            strata={
                name: tuple(
                    _skin_tone(value) if name == "skin_tone" else value or None
                    for value in column(name)
                )
                for name in STRATA
            },
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
