"""Chooses the photos that every file of a session is evaluated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.exports import Export
from benchmarks.results import PhotoSet
from export.checks.learnt import choose_for_export
from hierattn.data.groups import group_keys
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import read_labelled
from hierattn.data.pixels.decode import decode_folder
from hierattn.data.provenance import describe_data
from hierattn.data.records import DataFolder
from hierattn.errors import DataError
from hierattn.metrics.predictions import Predictions
from hierattn.preprocessing import PreprocessSpec

_AS_IS = ClassTable()


@dataclass
class EvalPhotos:
    """The chosen photos.

    Attributes:
        folder: the chosen ones.
        groups: their patients, lesions or own names.
        record: for the results.
        whole_sha256: fingerprint of all readable photos of the data folder.
    """

    folder: DataFolder
    groups: tuple[str, ...]
    record: PhotoSet
    whole_sha256: str
    _decoded: dict[PreprocessSpec, np.ndarray] = field(default_factory=dict, repr=False)

    def pixels(self, spec: PreprocessSpec) -> np.ndarray:
        """uint8 [N, S, S, 3], decoded when first asked for.

        Raises:
            UnreadableImagesError: some cannot be decoded.
        """
        if spec not in self._decoded:
            self._decoded[spec] = decode_folder(self.folder, spec).pixels
        return self._decoded[spec]

    def predictions(self, logits: np.ndarray, classes: Sequence[str]) -> Predictions:
        """Join logits [N, K] to what is known of the photos."""
        return Predictions.from_records(self.folder.records, logits, classes, groups=self.groups)


def choose_eval_photos(
    data: Path,
    exports: Sequence[Export],
    table: ClassTable = _AS_IS,
    *,
    skip_unreadable: bool = False,
) -> EvalPhotos:
    """Choose photos that no export's weights learnt from and no int8 file was calibrated by.

    Where an export was itself judged on this folder, its photos are taken; else those that the
    run behind it did not learn from; else all, with a note. Of several exports, the photos that
    all of them may be judged on.

    Raises:
        DataError: no folder, an empty one, classes that a model does not know, or a class table
            that names a class that the folder does not have.
    """
    known = dict.fromkeys(name for export in exports for name in export.manifest.classes)
    remembered = {
        old: new
        for export in exports
        if (judged := export.manifest.data) is not None
        for old, new in judged.class_map.items()
    }
    whole = read_labelled([data], replace(table, remembered=remembered), tuple(known))
    for export in exports:
        _check_classes(whole, export)
    skipped = 0
    if skip_unreadable and exports:
        spec = exports[0].manifest.preprocessing
        cache = decode_folder(whole, spec, skip_unreadable=True)
        whole, skipped = cache.folder, len(cache.skipped)
    groups = group_keys(whole)
    sha256 = describe_data(whole, groups).sha256
    chosen = {record.file for record in whole.records}
    notes = list(whole.remarks)
    for export in exports:
        files, note = _of_export(whole, export)
        chosen &= files
        notes += [note] if note and note not in notes else []
    if not chosen:
        chosen = {record.file for record in whole.records}
        notes = [
            *whole.remarks,
            "no photo is new to every model; all were taken, so the figures flatter some",
        ]
    if skipped:
        notes.append(f"{skipped} unreadable photos left out")
    kept = [index for index, record in enumerate(whole.records) if record.file in chosen]
    folder = replace(whole, records=tuple(whole.records[index] for index in kept))
    taken = tuple(groups[index] for index in kept)
    provenance = describe_data(folder, taken)
    record = PhotoSet(
        name=provenance.name,
        sha256=provenance.sha256,
        images=len(kept),
        note="; ".join(notes) or None,
    )
    return EvalPhotos(folder, taken, record, sha256)


def _check_classes(folder: DataFolder, export: Export) -> None:
    known = export.manifest.classes
    unknown = sorted(set(folder.classes) - set(known))
    if unknown:
        raise DataError(
            f"{folder.root} has classes that {export.label} does not know: {', '.join(unknown)} "
            f"(its own: {', '.join(known)}); say which is which with --map-class FROM=TO, or "
            "leave one out with --map-class FROM="
        )


def _of_export(whole: DataFolder, export: Export) -> tuple[set[str], str | None]:
    """Photos that one export may be judged on, and what is to be said of them."""
    chosen = choose_for_export(whole, export.folder, export.manifest, export.run)
    remark = "; ".join(filter(None, (chosen.warning, *chosen.remarks)))
    files = {record.file for record in chosen.folder.records}
    return files, f"for '{export.label}' {remark}" if remark else None
