"""Which file of an export goes into an app: the one asked for, or the only one that may."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.errors import ExportError
from export.formats.abilities import APP_PLATFORMS, Platform
from export.formats.registry import all_abilities
from export.schema.manifest import ArtefactRecord, Manifest
from hierattn.errors import UnknownNameError


@dataclass(frozen=True)
class BundleRequest:
    """Request of a bundle.

    Attributes:
        folder: export folder of ``hierattn export``.
        app: an app's folder, see :func:`export.targets.apps.places.find_place`.
        artefact: file name; None for the only candidate.
        allow_unverified: accept a file whose gate failed or was not run; the bundle records it.
    """

    folder: Path
    app: Path
    artefact: str | None = None
    allow_unverified: bool = False


def choose_artefact(
    manifest: Manifest, request: BundleRequest, platform: Platform
) -> ArtefactRecord:
    """The file to bundle for an app of a platform.

    Raises:
        UnknownNameError: no file of that name in the export.
        ExportError: a format that the app cannot take, a gate that did not pass, or several files
            and none named.
    """
    refusals = {one.name: one.not_in_apps.get(platform) for one in all_abilities()}
    fit = [record for record in manifest.artefacts if not refusals[record.format]]
    title = APP_PLATFORMS[platform]
    named = {record.path: record for record in manifest.artefacts}
    chosen = named.get(request.artefact or "")
    if chosen is not None:
        if chosen not in fit:
            raise ExportError(f"{chosen.path}: {refusals[chosen.format]}; name another file")
        if not request.allow_unverified and chosen.gate.status != "passed":
            reasons = "; ".join(chosen.gate.reasons) or "no reason recorded"
            raise ExportError(
                f"{chosen.path}: its gate {_gate_status(chosen)}: {reasons}. Choose another file, "
                "or pass --allow-unverified: the app will say so on screen"
            )
        return chosen
    if not fit:
        able = " or ".join(name for name, refusal in refusals.items() if not refusal)
        raise ExportError(f"{request.folder}: no file for {title}; export with --format {able}")
    if request.artefact is not None:
        raise UnknownNameError("file", request.artefact, [record.path for record in fit])
    ready = [record for record in fit if record.gate.status == "passed"]
    if request.allow_unverified and not ready:
        ready = [record for record in fit if record.sha256 is not None]
    if len(ready) == 1:
        return ready[0]
    if ready:
        names = ", ".join(record.path for record in ready)
        raise ExportError(f"{request.folder}: name one file with --artefact: {names}")
    states = "; ".join(f"{record.path}: gate {_gate_status(record)}" for record in fit)
    raise ExportError(
        f"{request.folder}: no file for {title} passed its gate ({states}); pass "
        "--allow-unverified to take one all the same"
    )


def _gate_status(record: ArtefactRecord) -> str:
    return "was not run" if record.gate.status == "not run" else record.gate.status
