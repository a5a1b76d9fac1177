"""Does an export folder hold what its manifest lists, byte for byte, and nothing else?"""

from __future__ import annotations

from pathlib import Path

from export.manifest import PARTS, UNLISTED, ArtefactRecord, Manifest, path_bytes, path_sha256
from hierattn.errors import HierAttnError


def folder_problems(folder: Path, manifest: Manifest) -> list[str]:
    """What is missing, changed or a stranger in the folder, beside its artefacts; one line each."""
    problems = []
    for name, recorded in sorted(manifest.files.items()):
        if name not in PARTS:
            problems.append(f"manifest.json: field 'files': '{name}' is no part of an export")
        elif not (folder / name).exists():
            problems.append(f"{folder / name}: missing")
        else:
            problems += _changed(folder / name, recorded)
    problems += [
        f"manifest.json: field 'files': '{name}' is not listed"
        for name in PARTS
        if name not in manifest.files
    ]
    listed = {record.path for record in manifest.artefacts} | set(manifest.files) | UNLISTED
    problems += [
        f"{path}: not in the manifest; a file of another model or export? Remove it"
        for path in sorted(folder.iterdir())
        if path.name not in listed
    ]
    return problems


def artefact_problems(path: Path, record: ArtefactRecord) -> list[str]:
    """Why an artefact is not the one that passed its gate; empty where it is."""
    problems = hash_problems(path, record)
    if not problems and record.gate.status == "failed":
        problems = [f"{path}: failed its gate when exported: {'; '.join(record.gate.reasons)}"]
    return problems


def hash_problems(path: Path, record: ArtefactRecord) -> list[str]:
    """Why an artefact is not the one that was exported, whatever its gate said of it."""
    if record.sha256 is None:
        return [f"{path}: was not made: {'; '.join(record.gate.reasons)}"]
    if not path.exists():
        return [f"{path}: missing"]
    changed = _changed(path, record.sha256)
    if changed:
        return changed
    if record.bytes != path_bytes(path):
        return [f"{path}: has {path_bytes(path)} bytes, its manifest says {record.bytes}"]
    return []


def _changed(path: Path, recorded: str) -> list[str]:
    try:
        same = path_sha256(path) == recorded
    except HierAttnError as error:
        return [str(error)]
    return [] if same else [f"{path}: changed since the export (sha256 differs)"]
