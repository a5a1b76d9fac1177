"""Photos of several data folders as one set without labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hierattn.data.folder import read_data_folder
from hierattn.data.records import DataFolder
from hierattn.errors import ConfigError


def pool_unlabelled(roots: Sequence[Path]) -> DataFolder:
    """List the photos of several data folders; the class of each becomes its folder's name.

    Lesions keep their names, so two folders with views of one lesion share its group; a patient's
    name counts within its own folder, as every hospital has a patient 1.

    Raises:
        ConfigError: two folders have one name, or one lies in another.
        DataError: see :func:`hierattn.data.folder.read_data_folder`.
    """
    names = [root.resolve().name for root in roots]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ConfigError(
                f"--data {roots[position]}: a second folder called '{name}'; rename one of them"
            )
    folders = [read_data_folder(root) for root in roots]
    records = [
        replace(
            record,
            file=f"{name}/{record.file}",
            label=name,
            patient_id=record.patient_id and f"{name}/{record.patient_id}",
            image_id=record.image_id and f"{name}/{record.image_id}",
        )
        for name, folder in zip(names, folders, strict=True)
        for record in folder.records
    ]
    return DataFolder(
        root=Path(os.path.commonpath([root.resolve() for root in roots])),
        classes=tuple(sorted(names)),
        records=tuple(sorted(records, key=lambda record: record.file)),
        passed_over=tuple(entry for folder in folders for entry in folder.passed_over),
    )
