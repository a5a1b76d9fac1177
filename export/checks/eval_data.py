"""Photos for evaluation and for int8 calibration, read from a data folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os.path import realpath, relpath
from pathlib import Path

import numpy as np

from export.errors import ExportError, ManifestError
from export.schema.manifest import JudgedData
from export.schema.parity import PhotoAnswer
from hierattn.data.groups import group_keys
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import read_labelled
from hierattn.data.pixels.decode import decode_folder
from hierattn.data.provenance import describe_data
from hierattn.data.records import DataFolder
from hierattn.data.splits import Split
from hierattn.errors import DataError
from hierattn.evaluation.evaluate import choose_photos, split_parts
from hierattn.metrics.predictions import Predictions
from hierattn.preprocessing import PreprocessSpec
from hierattn.runs import seen_rows

CALIBRATION_PHOTOS = 96
"""Photos set aside for int8 calibration, at most a quarter of all."""

CROSS_CHECK_IMAGES = 64
"""Number of images, spread evenly over the golden ones and the photos, for other runtimes."""

MINIMUM_PHOTOS = 8


@dataclass(frozen=True, eq=False)
class EvaluationPhotos:
    """Decoded photos for evaluation, and those set aside for calibration.

    Attributes:
        folder: the evaluation photos.
        pixels: uint8 [N, S, S, 3] of the evaluation photos.
        groups: their patients, lesions or own names.
        calibration: uint8 [M, S, S, 3] of other photos; M is 0 without int8.
        record: what the manifest says of them.
    """

    folder: DataFolder
    pixels: np.ndarray
    groups: tuple[str, ...]
    calibration: np.ndarray
    record: JudgedData

    def predictions(self, logits: np.ndarray, classes: Sequence[str]) -> Predictions:
        """Predictions from logits [N, K] of the evaluation photos, with labels and groups."""
        return Predictions.from_records(self.folder.records, logits, classes, groups=self.groups)


def read_evaluation_photos(
    data: Path,
    spec: PreprocessSpec,
    classes: Sequence[str],
    *,
    splits: Path,
    out: Path,
    calibrate: bool,
    class_map: Mapping[str, str] | None = None,
    skip_unreadable: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> EvaluationPhotos:
    """Read a data folder, and split it into evaluation and calibration photos.

    Evaluation takes photos that were not in the training set, where there are any, as ``hierattn
    evaluate`` does. Calibration takes photos outside of the evaluation set where there are enough,
    else some of that set, stratified by class; their labels are not used otherwise.

    Args:
        splits: the run's ``splits.csv``, which may not exist.
        out: the export folder, to which the data's path is recorded.
        class_map: new names of classes by the old, as the run was trained with.

    Raises:
        DataError: classes the model does not know, unreadable photos.
        ExportError: too few photos.
    """
    renames = dict(class_map or {})
    whole = read_labelled([data], ClassTable(remembered=renames), classes)
    unknown = sorted(set(whole.classes) - set(classes))
    if unknown:
        raise DataError(
            f"{data} has classes the model does not know: {', '.join(unknown)} (the model's: "
            f"{', '.join(classes)}); name them as the model does"
        )
    if len(whole.records) < MINIMUM_PHOTOS:
        raise ExportError(f"{data}: {len(whole.records)} photos; at least {MINIMUM_PHOTOS} needed")
    cache = decode_folder(whole, spec, skip_unreadable=skip_unreadable, progress=progress)
    judged, calibration = _choose(cache.folder, splits, calibrate)
    return _split_photos(
        cache.folder, cache.pixels, judged, calibration, cache.skipped, splits, out, renames
    )


def _choose(folder: DataFolder, splits: Path, calibrate: bool) -> tuple[np.ndarray, np.ndarray]:
    """Which photos are judged, and which calibrate: bool [N] each."""
    kept = choose_photos(folder, splits, "auto").folder
    chosen = {record.file for record in kept.records}
    judged = np.array([record.file in chosen for record in folder.records])
    labels, wanted = _labels(folder), _calibration_wanted(folder, calibrate)
    calibration = np.zeros(len(labels), bool)
    if wanted:
        pool = ~judged if (~judged).sum() >= wanted else np.ones(len(labels), bool)
        calibration = _stratified_sample(labels, pool, wanted)
        judged &= ~calibration
    return judged, calibration


def _calibration_wanted(folder: DataFolder, calibrate: bool) -> int:
    return min(CALIBRATION_PHOTOS, len(folder.records) // 4) if calibrate else 0


def _labels(folder: DataFolder) -> np.ndarray:
    return np.array([record.label for record in folder.records])


def _split_photos(
    folder: DataFolder,
    pixels: np.ndarray,
    judged: np.ndarray,
    calibration: np.ndarray,
    skipped: tuple[str, ...],
    splits: Path,
    out: Path,
    class_map: dict[str, str],
) -> EvaluationPhotos:
    groups = group_keys(folder)
    provenance = describe_data(folder, groups)
    record = JudgedData(
        name=provenance.name,
        path=_relative(folder.root, out),
        sha256=provenance.sha256,
        images=len(folder.records),
        calibration=int(calibration.sum()),
        judged=int(judged.sum()),
        seen_in_training=_count_seen_in_training(folder, judged, splits),
        class_map=class_map,
        remarks=list(folder.remarks),
        skipped=_without_root(skipped, folder),
    )
    taken = np.flatnonzero(judged)
    return EvaluationPhotos(
        DataFolder(folder.root, folder.classes, tuple(folder.records[i] for i in taken)),
        pixels[taken],
        tuple(groups[i] for i in taken),
        pixels[calibration],
        record,
    )


def reread_evaluation_photos(
    data: Path,
    record: JudgedData,
    spec: PreprocessSpec,
    classes: Sequence[str],
    answers: Sequence[PhotoAnswer],
    *,
    calibrated: bool = False,
    splits: Path | None = None,
) -> EvaluationPhotos:
    """Read the photos of an earlier export again; its record is counted anew, but for the name.

    Args:
        calibrated: whether an int8 file was asked for.
        splits: ``splits.csv`` of the run behind the export, where it is at hand: without it,
            nobody knows which photos the run has seen.

    Raises:
        ManifestError: the folder's photos are not those of the export, or others of them would
            have been judged.
    """
    whole = read_labelled([data], ClassTable(remembered=record.class_map), classes)
    cache = decode_folder(whole, spec, skip_unreadable=bool(record.skipped))
    groups = group_keys(cache.folder)
    if describe_data(cache.folder, groups).sha256 != record.sha256:
        raise ManifestError(
            f"{data}: not the photos the files were judged on ('{record.name}', sha256 "
            f"{record.sha256[:12]}...); pass those with --data, or export again"
        )
    place = {r.file: index for index, r in enumerate(cache.folder.records)}
    missing = [answer.file for answer in answers if answer.file not in place]
    if missing:
        raise ManifestError(f"parity.json lists photos that {data} lacks, such as {missing[0]}")
    taken = np.array([place[answer.file] for answer in answers], dtype=np.int64)
    records = tuple(cache.folder.records[i] for i in taken)
    for answer, photo in zip(answers, records, strict=True):
        if answer.label != photo.label:
            raise ManifestError(f"parity.json gives {answer.file} another class than {data} does")
    judged = np.zeros(len(place), bool)
    judged[taken] = True
    counted = {
        "images": len(place),
        "judged": len(answers),
        "skipped": _without_root(cache.skipped, cache.folder),
        "remarks": [_under(line, cache.folder.name, record.name) for line in cache.folder.remarks],
    }
    if splits is None:
        possible = _possible_calibrations(cache.folder, judged, calibrated)
        counted["calibration"] = min(possible, key=lambda count: abs(count - record.calibration))
    else:
        chosen, calibration = _choose(cache.folder, splits, calibrated)
        if (chosen != judged).any():
            raise ManifestError(
                f"parity.json lists {judged.sum()} photos of {data}, but by its splits.csv the run "
                f"{splits.parent} is to be judged on {chosen.sum()} of them, or on others"
            )
        counted["calibration"] = int(calibration.sum())
        counted["seen_in_training"] = _count_seen_in_training(cache.folder, judged, splits)
    return EvaluationPhotos(
        DataFolder(cache.folder.root, cache.folder.classes, records),
        cache.pixels[taken],
        tuple(groups[i] for i in taken),
        cache.pixels[:0],
        record.model_copy(update=counted),
    )


def _possible_calibrations(folder: DataFolder, judged: np.ndarray, calibrate: bool) -> set[int]:
    """How many photos may have calibrated, where it is not known which ones the run has seen."""
    labels, wanted = _labels(folder), _calibration_wanted(folder, calibrate)
    if not wanted:
        return {0}
    pools = (~judged, np.ones(len(labels), bool))
    samples = [_stratified_sample(labels, pool, wanted) for pool in pools if pool.sum() >= wanted]
    return {int(sample.sum()) for sample in samples if not (sample & judged).any()} or {0}


def _without_root(lines: Sequence[str], folder: DataFolder) -> list[str]:
    """Absolute paths of this machine do not belong into a published record."""
    return [line.replace(f"{folder.root}/", "") for line in lines]


def _under(line: str, name: str, recorded: str) -> str:
    """A folder's remark under the name that the folder had."""
    return line.replace(f"{name}: ", f"{recorded}: ", 1) if line.startswith(f"{name}: ") else line


def _stratified_sample(labels: np.ndarray, pool: np.ndarray, wanted: int) -> np.ndarray:
    """About ``wanted`` photos of ``pool``, stratified by class, at least one of each; seeded."""
    generator = np.random.default_rng(0)
    taken = np.zeros(len(labels), bool)
    for name in np.unique(labels[pool]):
        members = np.flatnonzero(pool & (labels == name))
        # At least one, but never a class's only photo: it must also be evaluated.
        count = min(max(1, round(wanted * len(members) / pool.sum())), len(members) - 1)
        taken[generator.permutation(members)[:count]] = True
    return taken


def _count_seen_in_training(folder: DataFolder, judged: np.ndarray, splits: Path) -> int | None:
    if not splits.is_file():
        return None
    played = split_parts(folder, seen_rows(splits.parent))
    return int(np.isin(played[judged], [Split.TRAIN, Split.VALIDATION]).sum())


def _relative(data: Path, out: Path) -> str:
    return Path(relpath(realpath(data), realpath(out))).as_posix()
