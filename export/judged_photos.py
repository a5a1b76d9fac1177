"""The photos that an export was judged on, found again for its verification."""

from __future__ import annotations

from pathlib import Path

from export.checks.eval_data import EvaluationPhotos, reread_evaluation_photos
from export.errors import ManifestError
from export.progress import Observer, Progress
from export.schema.manifest import Manifest
from export.schema.metadata import Precision
from export.schema.parity import ParityRecord
from hierattn.errors import HierAttnError
from hierattn.run_files import SPLITS
from hierattn.runs import Run


def find_judged_photos(
    folder: Path,
    manifest: Manifest,
    answers: ParityRecord,
    data: Path | None,
    progress: Observer,
    run: Run | None = None,
) -> tuple[EvaluationPhotos | None, str, list[str]]:
    """The evaluation photos, a description of them in words, and problems with them.

    Args:
        data: their folder, if it is not to be taken from the manifest.
        run: behind the export, where it is at hand: tells which photos are judged.

    Raises:
        ManifestError: ``data`` holds other photos, or the export was made without any.
        HierAttnError: ``data`` cannot be read.
    """
    record = manifest.data
    if record is None:
        if data is not None:
            raise ManifestError(f"{folder}: was exported without photos; export it with --data")
        return None, "none: exported without photos; decisions were never compared", []
    place = data or folder / record.path
    if data is None and not place.is_dir():
        words = (
            f"none: '{record.name}' is no longer at {record.path}; decisions were not compared "
            "again (pass it with --data)"
        )
        return None, words, []
    if data is None and not is_near(place, folder):
        words = (
            f"none: the manifest looks for '{record.name}' at {record.path}, which is neither "
            "beside the export nor in the current folder: no path that a file brings is followed "
            "elsewhere; decisions were not compared again (name it with --data)"
        )
        return None, words, []
    progress(Progress("", "decoding images"))
    try:
        photos = reread_evaluation_photos(
            place,
            record,
            manifest.preprocessing,
            manifest.classes,
            answers.photos,
            calibrated=any(one.precision is Precision.INT8 for one in manifest.artefacts),
            splits=run.path / SPLITS if run else None,
        )
    except HierAttnError as error:
        if data is not None:
            raise
        return None, "none: they are not as they were", [str(error)]
    return photos, f"{len(answers.photos)} of '{record.name}'", []


def is_near(place: Path, folder: Path) -> bool:
    """Whether a manifest's path stays where the user works: who sent it must not choose more."""
    real = place.resolve()
    allowed = (folder.resolve().parent, Path.cwd())
    return any(real != root and real.is_relative_to(root) for root in allowed) and not (
        folder.resolve().is_relative_to(real)
    )
