"""Integrity of an export folder: exactly the files of its manifest, with the recorded hashes."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from export.schema.manifest import LATER_PARTS, PARTS, UNLISTED, ArtefactRecord, Manifest
from export.schema.validation import plain_file
from hierattn.common.files import file_sha256
from hierattn.errors import HierAttnError

_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
"""First bytes of an AppleDouble file (RFC 1740)."""


def folder_problems(folder: Path, manifest: Manifest) -> list[str]:
    """Missing, changed and unlisted files of the folder, artefacts excepted; one line each."""
    problems = []
    for name, recorded in sorted(manifest.files.items()):
        if name not in (*PARTS, *LATER_PARTS):
            problems.append(f"manifest.json: field 'files': '{name}' is no part of an export")
        else:
            problems += part_problems(folder / name, recorded)
    problems += [
        f"manifest.json: field 'files': '{name}' is not listed"
        for name in PARTS
        if name not in manifest.files
    ]
    listed = {record.path for record in manifest.artefacts} | set(manifest.files) | UNLISTED
    problems += [
        f"{path}: not in the manifest; a file of another model or export? Remove it"
        for path in sorted(folder.iterdir())
        if path.name not in listed and not is_litter(path)
    ]
    return problems


def artefact_problems(path: Path, record: ArtefactRecord) -> list[str]:
    """Why an artefact is not the one that passed its gate; empty where it is."""
    return hash_problems(path, record) or gate_problems(path, record)


def gate_problems(path: Path, record: ArtefactRecord) -> list[str]:
    """Why an artefact must not be used although it is the one that was exported."""
    if record.gate.status != "failed":
        return []
    return [f"{path}: failed its gate when exported: {'; '.join(record.gate.reasons)}"]


def hash_problems(path: Path, record: ArtefactRecord) -> list[str]:
    """Why an artefact is not the one that was exported, whatever its gate."""
    if record.sha256 is None:
        return [f"{path}: was not made: {'; '.join(record.gate.reasons)}"]
    changed = part_problems(path, record.sha256)
    if changed:
        return changed
    if record.bytes != path_bytes(path):
        return [f"{path}: has {path_bytes(path)} bytes, its manifest says {record.bytes}"]
    return []


def part_problems(path: Path, recorded: str | None) -> list[str]:
    """Why a file or folder of an export is not the one of this sha256; empty where it is."""
    if not path.exists():
        return [f"{path}: missing"]
    try:
        same = path_sha256(path) == recorded
    except HierAttnError as error:
        return [str(error)]
    return [] if same else [f"{path}: changed since the export (sha256 differs)"]


def path_sha256(path: Path) -> str:
    """sha256 of a file; of a folder, over its sorted list of (relative path, file hash).

    Each entry of the list is ``path NUL hash LF`` in UTF-8, the path with forward slashes.

    Raises:
        ManifestError: a link or a device, which may lead out of the folder or never end.
        HierAttnError: a file cannot be read.
    """
    if not stat.S_ISDIR(path.lstat().st_mode):
        return file_sha256(plain_file(path))
    digest = hashlib.sha256()
    inside = {}
    for entry in path.rglob("*"):
        if is_litter(entry):
            continue
        if not stat.S_ISDIR(entry.lstat().st_mode):
            inside[entry.relative_to(path).as_posix()] = plain_file(entry)
    for name in sorted(inside):
        digest.update(f"{name}\0{file_sha256(inside[name])}\n".encode())
    return digest.hexdigest()


def path_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder, bytes."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(
        file.stat().st_size for file in path.rglob("*") if file.is_file() and not is_litter(file)
    )


def is_litter(path: Path) -> bool:
    """Whether a file was put there by Finder or Explorer, as in any folder that is looked at.

    No name of an exported file begins so; what begins with ``._`` must be an AppleDouble file.
    """
    if path.is_symlink() or not path.is_file():
        return False
    if path.name in _LITTER:
        return True
    if not path.name.startswith("._"):
        return False
    with path.open("rb") as file:
        return file.read(len(_APPLE_DOUBLE)) == _APPLE_DOUBLE
