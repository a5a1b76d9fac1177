"""Data provenance: sources, licences and hashes of the photos behind a run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from hierattn.data.pixels.hashing import photo_sha256
from hierattn.data.records import DataFolder


class DataProvenance(BaseModel):
    """Which photos the weights were made from.

    Attributes:
        name: the data folder's own name, without the path to it; of several, joined by "+".
        sha256: fingerprint over file names, classes and contents.
        counts: photos a class.
        licences: photos a licence, as the manifest gives them.
        sources: where the manifest says they come from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    images: int
    groups: int
    counts: dict[str, int]
    licences: dict[str, int]
    sources: list[str]


def describe_data(folder: DataFolder, groups: Sequence[str]) -> DataProvenance:
    """Describe a data folder.

    Args:
        folder: the records that are used.
        groups: their group keys.

    Raises:
        HierAttnError: a photo vanished since the folder was listed.
    """
    digest = hashlib.sha256()
    for record in folder.records:
        digest.update(f"{record.file}\0{record.label}\0{photo_sha256(record.path)}\n".encode())
    counts = Counter(record.label for record in folder.records)
    return DataProvenance(
        name=folder.name,
        sha256=digest.hexdigest(),
        images=len(folder.records),
        groups=len(set(groups)),
        counts={name: counts[name] for name in folder.classes},
        licences=dict(sorted(Counter(r.licence or "not given" for r in folder.records).items())),
        sources=sorted({record.source for record in folder.records if record.source}),
    )
