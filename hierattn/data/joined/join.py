"""Several data folders as one: names of files stay apart, patients and lesions together."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hierattn.data.groups import duplicates
from hierattn.data.readers.tables import name_some
from hierattn.data.records import DataFolder, Record
from hierattn.data.seen import ARCHIVE_NAME
from hierattn.errors import ConfigError, DataError

_IDENTITIES = {"patient": "patient_id", "lesion": "lesion_id", "image": "image_id"}


def check_roots(roots: Sequence[Path]) -> None:
    """Check that folders can be told apart by their own names.

    Raises:
        ConfigError: two have one name, or one lies in another.
    """
    real = [Path(os.path.realpath(root)) for root in roots]
    for position, place in enumerate(real):
        for earlier in real[:position]:
            if place.name == earlier.name:
                raise ConfigError(
                    f"--data {roots[position]}: a second folder called '{place.name}'; "
                    "rename one of them, or give it once"
                )
            if place.is_relative_to(earlier) or earlier.is_relative_to(place):
                raise ConfigError(
                    f"--data {roots[position]}: one folder lies in another; give one of them"
                )


def join_folders(folders: Sequence[DataFolder], *, labelled: bool = True) -> DataFolder:
    """Join folders; a photo's file becomes ``FOLDER/FILE``.

    A patient, lesion or image that has one name in several folders is one where the manifests name
    a common ``source`` or where one of them names none, and where the ISIC archive gave the name;
    else it is several. In one folder a name means one, whatever its photos' sources: so it is
    enough that a source of one bearer's photos stands anywhere in the other's folder. A photo that
    stands in several folders is kept in the first, with the patients and lesions of all. Licences
    and sources stay those of each photo.

    Args:
        folders: two or more, of names that differ.
        labelled: whether the classes mean anything.

    Raises:
        DataError: one photo, by its content, is of different classes in two folders.
    """
    names = [folder.name for folder in folders]
    records, remarks = _told_apart(dict(zip(names, folders, strict=True)))
    records, once = _kept_once(records, names, labelled)
    counts = [f"{sum(r.file.startswith(f'{name}/') for r in records)} of {name}" for name in names]
    return DataFolder(
        root=Path(os.path.commonpath([os.path.realpath(folder.root) for folder in folders])),
        classes=tuple(sorted({name for folder in folders for name in folder.classes})),
        records=tuple(sorted(records, key=lambda record: record.file)),
        passed_over=tuple(
            entry.model_copy(update={"file": f"{folder.name}/{entry.file}"})
            for folder in folders
            for entry in folder.passed_over
        ),
        parts=tuple(folder.root for folder in folders),
        remarks=(
            *(line for folder in folders for line in folder.remarks),
            *remarks,
            *once,
            f"joined: photos {', '.join(counts)}",
        ),
    )


def _told_apart(folders: dict[str, DataFolder]) -> tuple[list[Record], list[str]]:
    """The records of all folders with names that mean one patient, lesion or image each."""
    new: dict[str, dict[tuple[str, str], str]] = {}
    remarks = []
    for kind, field in _IDENTITIES.items():
        new[kind], unsure = _names(kind, field, folders)
        if unsure and kind == "patient":
            remarks.append(
                f"{name_some(unsure, 'patient')} called alike in two folders, and no source tells "
                "them apart: taken as one each; fill in the column 'source' if they are not"
            )
        apart = list(dict.fromkeys(identity for _, identity in new[kind]))
        if apart and kind != "image":
            remarks.append(
                f"{name_some(apart, kind)} called alike in folders of other sources: taken as "
                "another in each; give their photos one 'source' if they are the same"
            )
    records = []
    for name, folder in folders.items():
        for record in folder.records:
            ids = {
                field: new[kind].get((name, getattr(record, field)), getattr(record, field))
                for kind, field in _IDENTITIES.items()
            }
            records.append(_with(replace(record, file=f"{name}/{record.file}"), ids))
    return records, remarks


def _names(
    kind: str, field: str, folders: dict[str, DataFolder]
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """New names by folder and old name, where one name means several; and the doubtful ones."""
    # By name: for each bearer the folders it stands in, and its sources in all of them.
    bearers: dict[str, list[tuple[list[str], set[str | None]]]] = defaultdict(list)
    unsure: list[str] = []
    told = {name: {record.source for record in folder.records} for name, folder in folders.items()}
    for name, folder in folders.items():
        sources: dict[str, set[str | None]] = defaultdict(set)
        for record in folder.records:
            if identity := getattr(record, field):
                sources[identity].add(record.source)
        for identity, own in sources.items():
            homes, others, apart = [name], set(own), []
            for bearer in bearers[identity]:
                of_home = set().union(*(told[home] for home in bearer[0]))
                common = (own & of_home) | (told[name] & bearer[1])
                shared = bool(common - {None}) or ARCHIVE_NAME.fullmatch(f"{kind}:{identity}")
                if shared or None in own | bearer[1]:
                    unsure += [] if shared else [identity]
                    homes, others = bearer[0] + homes, bearer[1] | others
                else:
                    apart.append(bearer)
            bearers[identity] = [*apart, (homes, others)]
    return {
        (name, identity): f"{homes[0]}/{identity}"
        for identity, several in bearers.items()
        if len(several) > 1
        for homes, _ in several
        for name in homes
    }, unsure


def _kept_once(
    records: Sequence[Record], names: Sequence[str], labelled: bool
) -> tuple[list[Record], list[str]]:
    """The records without those photos that an earlier folder has, and what is to be said."""
    copies = [files for files in duplicates(records) if len(_homes(files)) > 1]
    of = _linked(records, [*copies, *_of_one_archive_name(records)])
    dropped: list[str] = []
    contradicting: list[str] = []
    for files in copies:
        first = min(_homes(files), key=names.index)
        dropped += [file for file in files if not file.startswith(f"{first}/")]
        if labelled and len({of[file].label for file in files}) > 1:
            contradicting.append(" and ".join(f"{file} ({of[file].label})" for file in files))
    if contradicting:
        raise DataError(
            f"{name_some(contradicting, 'photo')}: one content, but several classes; remove the "
            "wrong copies, or map the classes with --map-class"
        )
    gone = set(dropped)
    told = f"{name_some(dropped, 'photo')} of which an earlier folder holds the same: left out"
    return [of[r.file] for r in records if r.file not in gone], [told] if dropped else []


def _of_one_archive_name(records: Sequence[Record]) -> list[list[str]]:
    """Files in several folders that are one photo of the ISIC archive, in whatever size."""
    files: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.image_id and ARCHIVE_NAME.fullmatch(f"image:{record.image_id}"):
            files[record.image_id.removesuffix("_downsampled")].append(record.file)
    return [same for same in files.values() if len(_homes(same)) > 1]


def _linked(records: Sequence[Record], alike: Iterable[Sequence[str]]) -> dict[str, Record]:
    """The records by file; the photos of each set in ``alike`` are of one patient and lesion."""
    of = {record.file: record for record in records}
    aliases: dict[tuple[str, str], str] = {}

    def first_name(field: str, name: str | None) -> str | None:
        while name is not None and (field, name) in aliases:
            name = aliases[field, name]
        return name

    for files in alike:
        for field in _IDENTITIES.values():
            ids = [first_name(field, getattr(of[file], field)) for file in files]
            known = list(dict.fromkeys(filter(None, ids)))
            aliases.update({(field, other): known[0] for other in known[1:]})
            for file in files if known else ():
                of[file] = _with(of[file], {field: known[0]})
    return {
        file: _with(
            record, {f: first_name(f, getattr(record, f)) for f in ("patient_id", "lesion_id")}
        )
        for file, record in of.items()
    }


def _with(record: Record, identities: dict[str, str | None]) -> Record:
    return replace(record, **identities)  # type: ignore[arg-type]


def _homes(files: Iterable[str]) -> set[str]:
    return {_home(file) for file in files}


def _home(file: str) -> str:
    return file.partition("/")[0]
