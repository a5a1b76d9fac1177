"""Mapping of class names between data sets: the user's table, and official synonyms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hierattn.data.readers.listing import one_form
from hierattn.data.records import DataFolder
from hierattn.errors import ConfigError, DataError, one_line

OFFICIAL = (
    ("AK", "ACK", "AKIEC", "actinic keratosis", "actinic keratoses"),
    ("NV", "NEV", "nevus", "naevus", "nevi", "naevi", "melanocytic nevus", "melanocytic nevi",
     "melanocytic naevus", "melanocytic naevi"),
    ("BKL", "SEK", "SK", "seborrheic keratosis", "seborrhoeic keratosis", "seborrheic keratoses",
     "benign keratosis", "benign keratosis-like lesion", "benign keratosis-like lesions"),
    ("MEL", "melanoma"),
    ("BCC", "basal cell carcinoma"),
    ("SCC", "squamous cell carcinoma"),
    ("DF", "dermatofibroma"),
    ("VASC", "vascular lesion", "vascular lesions"),
)  # fmt: skip
"""Labels of ISIC 2017 to 2019, HAM10000, MILK10k and PAD-UFES-20 that are taken as one.

AKIEC of HAM10000 holds Bowen's disease, too, and BKL more than SEK; no closer label is there.
"""


@dataclass(frozen=True)
class ClassTable:
    """How classes are renamed.

    Attributes:
        renames: the new name by the old; an empty one leaves the class out.
        synonyms: whether a class that is not called as another folder's, or the model's, may be
            taken for it by :data:`OFFICIAL`.
        remembered: renames that the model was trained with; they hold for classes that the model
            does not know and the other fields do not name.
    """

    renames: Mapping[str, str] = field(default_factory=dict)
    synonyms: bool = True
    remembered: Mapping[str, str] = field(default_factory=dict)


def parse_class_map(pairs: Sequence[str]) -> dict[str, str]:
    """``FROM=TO`` pairs; ``FROM=`` leaves the class out.

    Raises:
        ConfigError: a pair without "=" or without its first name, a name that holds a line break,
            or a class mapped twice.
    """
    table: dict[str, str] = {}
    for pair in pairs:
        name, equals, target = (part.strip() for part in pair.partition("="))
        if not (name and equals):
            raise ConfigError(f"--map-class {pair}: write FROM=TO, or FROM= to leave a class out")
        check_renames({name: target})
        if table.setdefault(name, target) != target:
            other = f"'{table[name]}'" if table[name] else "left out"
            raise ConfigError(f"--map-class {pair}: '{name}' is already {other}")
    return table


def check_renames(renames: Mapping[str, str]) -> None:
    """Check that every new name can stand in tables.

    Raises:
        ConfigError: one holds a line break or another control character.
    """
    for name, target in renames.items():
        if one_line(target) != target:
            raise ConfigError(
                f"--map-class {name}={target}: a class name without line breaks or control "
                "characters is needed"
            )


def check_table(
    table: ClassTable, folders: Sequence[DataFolder], model_classes: Sequence[str] | None = None
) -> None:
    """Check that every class that a table renames is in some folder, and its new name in the model.

    Raises:
        DataError: one is not; those that are there are listed.
    """
    known = None if model_classes is None else {one_form(name) for name in model_classes}
    there = sorted({name for folder in folders for name in folder.classes})
    for name, target in table.renames.items():
        if known is not None and target and one_form(target) not in known:
            raise DataError(
                f"--map-class {name}={target}: the model has no class '{target}' "
                f"(the model's: {', '.join(model_classes or ())})"
            )
        if name not in there:
            # No guess: nearest to "melanoma" is "No_Melanoma".
            where = " and ".join(folder.place for folder in folders)
            raise DataError(f"--map-class {name}: {where} has no such class ({', '.join(there)})")


def rename_classes(folder: DataFolder, table: ClassTable, targets: Sequence[str]) -> DataFolder:
    """The folder with its classes called as the table says, or as one of ``targets`` is.

    What was done is added to the folder's remarks.

    Args:
        targets: names that a synonym may become; none for no synonyms.

    Raises:
        DataError: no class is left.
    """
    new: dict[str, str] = {}
    remarks = []
    for name in folder.classes:
        new[name], reason = _renamed(name, table, targets)
        if not new[name]:
            count = sum(record.label == name for record in folder.records)
            remarks.append(f"left out: {count} photos of class {name} ({reason})")
        elif one_form(new[name]) != name:
            remarks.append(f"{name} -> {new[name]} ({reason})")
    classes = tuple(sorted({name for name in new.values() if name}))
    if not classes:
        raise DataError(f"{folder.place}: --map-class leaves no class; keep some")
    return replace(
        folder,
        classes=classes,
        records=tuple(
            replace(record, label=new[record.label])
            for record in folder.records
            if new[record.label]
        ),
        remarks=(*folder.remarks, *(f"{folder.name}: {line}" for line in remarks)),
    )


def check_shared(folders: Sequence[DataFolder], table: ClassTable) -> None:
    """Check that no class stands in one of several folders alone, unless the table names it.

    Such a class would be told by the folder's camera as well as by the lesion, and a class that is
    only spelt otherwise would be two.

    Raises:
        DataError: some do; the message gives the options that keep them.
    """
    for folder in folders:
        others = {name for other in folders if other is not folder for name in other.classes}
        named = set(table.renames) | set(table.renames.values())
        left_over = [name for name in folder.classes if name not in others | named]
        if left_over:
            keep = " ".join(f"--map-class {name}={name}" for name in left_over)
            raise DataError(
                f"{folder.place}: no other folder has {_classes(left_over)} (theirs: "
                f"{', '.join(sorted(others))}); keep with {keep}, rename with "
                f"--map-class {left_over[0]}=OTHER, or leave out with --map-class {left_over[0]}="
            )


def _renamed(name: str, table: ClassTable, targets: Sequence[str]) -> tuple[str, str]:
    """The new name, and by what."""
    if name in table.renames:
        return table.renames[name], "--map-class"
    if name in targets:
        return name, ""
    if name in table.remembered:
        return table.remembered[name], "as in the training"
    alike = [target for target in targets if _key(target) == _key(name)]
    if table.synonyms and len(alike) == 1:
        return alike[0], "built-in synonym; refuse it with --no-synonyms"
    return name, ""


def _classes(names: Sequence[str]) -> str:
    return f"{'class' if len(names) == 1 else 'classes'} {', '.join(names)}"


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


_OFFICIAL_KEYS = {_plain(label): labels[0] for labels in OFFICIAL for label in labels}


def _key(name: str) -> str:
    """Equal for names of one class: its first official label, else the name without case."""
    return _OFFICIAL_KEYS.get(_plain(name), _plain(name))
