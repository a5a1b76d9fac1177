"""A data folder of painted lesions: patients, lesions and several photos of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hierattn.common.staging import staged_folder
from hierattn.data.folder import read_data_folder
from hierattn.data.readers.manifest import MANIFEST_NAME, write_manifest
from hierattn.data.records import DataFolder, Record
from hierattn.data.synth.lesion import paint_lesion
from hierattn.data.synth.painter import SKIN_TONES, check_size, photograph, sample_view
from hierattn.data.synth.traits import CLASSES, sample_traits
from hierattn.errors import ConfigError
from hierattn.outputs import check_output

LICENCE = "CC0 1.0 (painted by formula, not real)"
SOURCE = "hierattn data synth"

_SITES = ("back", "chest", "arm", "forearm", "thigh", "face", "neck", "abdomen")
_SEXES = ("female", "male")
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class _Lesion:
    label: str
    number: int
    photos: int
    site: str


@dataclass(frozen=True)
class _Patient:
    patient_id: str
    skin_tone: str
    age: float
    sex: str


def write_synthetic(
    out: str | Path,
    *,
    per_class: int = 100,
    size: int = 128,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> DataFolder:
    """Paint a data folder with its manifest; the same arguments give the same bytes.

    Each lesion is photographed one to three times under other light and rotation. A patient has
    one to three lesions, of whatever class, and one skin tone.

    Args:
        out: the folder to make; it must not exist, or be empty.
        per_class: photos of each class.
        size: side of a photo, pixels, 16 to 2048.
        seed: not negative.
        progress: called with the photos painted so far and in all.

    Raises:
        ConfigError: an argument out of its range, or an ``out`` where nothing may be written, see
            :func:`check_output`.
        DataError: ``out`` is not empty or cannot be written.
    """
    check_size(size)
    if per_class < 1:
        raise ConfigError(f"per_class {per_class} is not a positive number of photos")
    if seed < 0:
        raise ConfigError(f"seed {seed} is negative")
    out = Path(out)
    check_output(out)
    plan = np.random.default_rng([seed, 0])
    lesions = [lesion for label in CLASSES for lesion in _lesions(label, per_class, plan)]
    patients = _patients(len(lesions), plan)
    records: list[Record] = []
    with staged_folder(out) as staging:
        for lesion, patient in zip(lesions, patients, strict=True):
            for record in _paint_lesion(staging, lesion, patient, size, seed):
                records.append(record)
                if progress is not None:
                    progress(len(records), per_class * len(CLASSES))
        records.sort(key=lambda record: record.file)
        write_manifest(staging / MANIFEST_NAME, records)
    return read_data_folder(out)


def _lesions(label: str, per_class: int, plan: np.random.Generator) -> list[_Lesion]:
    lesions: list[_Lesion] = []
    left = per_class
    while left:
        photos = min(left, int(plan.choice((1, 2, 3), p=(0.6, 0.25, 0.15))))
        site = _SITES[int(plan.integers(len(_SITES)))]
        lesions.append(_Lesion(label, len(lesions), photos, site))
        left -= photos
    return lesions


def _patients(lesions: int, plan: np.random.Generator) -> list[_Patient]:
    """The patient of each lesion: lesions are dealt out in random order, so classes mix."""
    dealt: list[_Patient | None] = [None] * lesions
    order = [int(position) for position in plan.permutation(lesions)]
    number = 0
    while order:
        patient = _Patient(
            patient_id=f"painted_patient_{number:05d}",
            skin_tone=SKIN_TONES[int(plan.integers(len(SKIN_TONES)))],
            age=float(5 * round(float(np.clip(plan.normal(54, 17), 15, 90)) / 5)),
            sex=_SEXES[int(plan.integers(2))],
        )
        number += 1
        for _ in range(int(plan.choice((1, 2, 3), p=(0.75, 0.18, 0.07)))):
            if order:
                dealt[order.pop()] = patient
    return [patient for patient in dealt if patient is not None]


def _paint_lesion(
    root: Path, lesion: _Lesion, patient: _Patient, size: int, seed: int
) -> list[Record]:
    # A generator of its own for each lesion, so that a lesion does not depend on the others.
    rng = np.random.default_rng([seed, 1, CLASSES.index(lesion.label), lesion.number])
    maps = paint_lesion(sample_traits(lesion.label, rng), rng, size)
    lesion_id = f"{lesion.label}_{lesion.number:05d}"
    (root / lesion.label).mkdir(exist_ok=True)
    common = Record(
        path=root,
        file="",
        label=lesion.label,
        lesion_id=lesion_id,
        patient_id=patient.patient_id,
        age=patient.age,
        sex=patient.sex,
        site=lesion.site,
        skin_tone=patient.skin_tone,
        licence=LICENCE,
        # Each seed has patients of its own, though they are numbered alike.
        source=f"{SOURCE} --seed {seed}",
    )
    records = []
    for number in range(lesion.photos):
        image_id = f"{lesion_id}_{number}"
        file = f"{lesion.label}/{image_id}.jpg"
        photo = photograph(maps, patient.skin_tone, sample_view(rng), rng)
        photo.save(root / file, quality=_JPEG_QUALITY, subsampling=0)
        records.append(replace(common, path=root / file, file=file, image_id=image_id))
    return records
