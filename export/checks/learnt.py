"""Which photos of a folder an export's weights learnt from: by its own record, or by its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from export.schema.manifest import PARITY, Manifest
from export.schema.parity import read_parity_record
from hierattn.data.groups import group_keys
from hierattn.data.provenance import describe_data
from hierattn.data.records import DataFolder
from hierattn.evaluation.evaluate import ChosenPhotos, choose_photos
from hierattn.run_files import SPLITS
from hierattn.runs import Run

NOT_KNOWN = "not known whether its weights learnt from them"


def choose_for_export(
    whole: DataFolder, export: Path, manifest: Manifest, run: Run | None, split: str = "auto"
) -> ChosenPhotos:
    """The photos to judge an export's files on, and whether its weights have seen them.

    Args:
        whole: the photos.
        export: the folder that the manifest lies in.
        run: behind its files, where it is at hand.
        split: ``auto`` takes the photos that the export itself was judged on, where this is their
            folder; else those that the run did not learn from, wherever that leaves some. ``all``
            takes every photo.

    Raises:
        ManifestError: ``parity.json`` cannot be read.
        DataError: a table of the run is malformed.
    """
    judged = manifest.data
    same = judged is not None and judged.sha256 == describe_data(whole, group_keys(whole)).sha256
    if judged is not None and same and split == "auto":
        files = {answer.file for answer in read_parity_record(export / PARITY).photos}
        kept = tuple(record for record in whole.records if record.file in files)
        seen, others = judged.seen_in_training, len(whole.records) - len(kept)
        words = f"{len(kept)} images, those that the export was judged on"
        left = f"left out: {others} that the export was not judged on, as learnt from or set apart"
        remarks = (left,) if others else ()
        return ChosenPhotos(replace(whole, records=kept), words, _warning(seen, len(kept)), remarks)
    if run is not None and (run.path / SPLITS).is_file():
        return choose_photos(whole, run.path / SPLITS, split)
    count = len(whole.records)
    words = f"{count} images"
    if judged is None or not same or judged.seen_in_training is None:
        return ChosenPhotos(whole, words, NOT_KNOWN, ())
    # What was neither judged nor set apart was left out as learnt from.
    learnt = judged.seen_in_training + judged.images - judged.judged - judged.calibration
    return ChosenPhotos(whole, words, _warning(learnt, count), ())


def _warning(learnt: int | None, count: int) -> str | None:
    if learnt is None:
        return NOT_KNOWN
    return f"its weights learnt from {learnt} of these {count} photos" if learnt else None
