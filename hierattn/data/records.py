"""Records: what is known of one photo, and of a data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

# The fields that a report is broken down by.
STRATA = ("age", "sex", "site", "skin_tone")


@dataclass(frozen=True)
class Record:
    """One labelled photo.

    Attributes:
        path: the file on disk.
        file: its name relative to the data folder, with forward slashes; unique in the folder.
        label: the class name.
        age: years.
        skin_tone: Fitzpatrick type or another scale's word, as given; None means not available.
        split: the part that the data set itself puts the photo in, ``train``, ``validation`` or
            ``test``; None where it leaves that open.
    """

    path: Path
    file: str
    label: str
    lesion_id: str | None = None
    patient_id: str | None = None
    image_id: str | None = None
    age: float | None = None
    sex: str | None = None
    site: str | None = None
    skin_tone: str | None = None
    licence: str | None = None
    source: str | None = None
    split: str | None = None

    @property
    def group(self) -> str:
        """The unit that never straddles a split: the patient, else the lesion, else the image."""
        if self.patient_id:
            return f"patient:{self.patient_id}"
        if self.lesion_id:
            return f"lesion:{self.lesion_id}"
        return f"image:{self.image_id or self.file}"


class PassedOver(BaseModel):
    """A file or folder of a data folder that was not read, and why; a folder ends with ``/``."""

    model_config = ConfigDict(frozen=True)

    file: str
    reason: str


@dataclass(frozen=True)
class DataFolder:
    """A readable data folder: its classes in index order and its records sorted by file.

    Attributes:
        root: the folder; of several joined ones, the nearest that holds them all.
        passed_over: what else lies in it, hidden files left out.
        parts: the folders that were joined; empty for a single one.
        remarks: a line for each thing that was done to names of classes and to photos.
    """

    root: Path
    classes: tuple[str, ...]
    records: tuple[Record, ...]
    passed_over: tuple[PassedOver, ...] = ()
    parts: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folder, or those that were joined."""
        return self.parts or (self.root,)

    @property
    def name(self) -> str:
        """The folder's own name without the path to it; several are joined by "+"."""
        return "+".join(Path(os.path.realpath(root)).name for root in self.roots)

    @property
    def place(self) -> str:
        """What messages call it: its path, or those of several."""
        return " and ".join(map(str, self.roots))

    def label_indices(self) -> list[int]:
        """Class index of each record, in record order."""
        index = {name: position for position, name in enumerate(self.classes)}
        return [index[record.label] for record in self.records]
