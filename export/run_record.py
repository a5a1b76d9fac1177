"""``run.json`` of an export: what its model card is rendered from; and the card held against it."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from export.checks.declared import THIS_PACKAGE, of_this_version
from export.errors import ManifestError
from export.model_card import read_reports, render_model_card
from export.schema.manifest import MANIFEST, MODEL_CARD, RUN_RECORD, Manifest
from export.schema.validation import parse_record, plain_file
from hierattn.common.files import write_text
from hierattn.errors import HierAttnError
from hierattn.lineage import weights_licences
from hierattn.metrics.report import EvaluationReport
from hierattn.model_metadata import ModelMetadata
from hierattn.run_files import METRICS
from hierattn.runs import Run, RunConfig, load_run


class RunRecord(BaseModel):
    """What the run behind an export says of itself.

    Attributes:
        config: its ``config.json``.
        reports: its ``metrics.json``; empty where it has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: RunConfig
    reports: dict[str, EvaluationReport]


def licence_words(config: RunConfig) -> str:
    """Licences of all photos behind the weights, in words.

    Raises:
        CheckpointError: the chain of earlier runs is damaged.
    """
    return "photos behind the weights: " + "; ".join(weights_licences(config))


def read_run(run: Run) -> RunRecord:
    """What a run says of itself.

    Raises:
        CheckpointError: its ``metrics.json`` is damaged.
    """
    return RunRecord(config=run.config, reports=read_reports(run.path / METRICS))


def write_run_record(path: Path, record: RunRecord) -> None:
    """Write it, the same bytes for the same run.

    Raises:
        HierAttnError: it cannot be written.
    """
    fields = record.model_dump(mode="json", by_alias=True)
    write_text(path, json.dumps(fields, indent=1, ensure_ascii=False) + "\n")


def find_run(folder: Path, manifest: Manifest) -> Run | None:
    """The run of an export's weights: shipped, or of its name here or beside the export."""
    name = manifest.source.run
    if name is None or Path(name).name != name:  # who sent it must not choose what is read
        return None
    for place in (Path(name), folder / ".." / name):
        try:
            run = load_run(place)
        except HierAttnError:
            continue  # Nothing there, or some other folder of that name.
        if run.config.weights_sha256 == manifest.source.weights_sha256:
            return run
    return None


def check_model_card(folder: Path, manifest: Manifest, run: Run | None = None) -> list[str]:
    """Render the card of an export folder again, and compare.

    Args:
        run: behind the export, where it is at hand: ``run.json`` must say what it says.

    Returns:
        A line on why it was not compared, or nothing.

    Raises:
        ManifestError: it says something else; or what it is made from is missing or damaged, or
            not of the manifest's run.
    """
    if RUN_RECORD not in manifest.files:
        return [f"{MODEL_CARD} was not compared: an earlier version wrote no {RUN_RECORD}"]
    path = folder / RUN_RECORD
    try:
        record = parse_record(RunRecord, path, plain_file(path).read_bytes())
        _check_same_run(path, record, manifest)
        if run is not None and record != read_run(run):
            raise ManifestError(f"{path}: not what the run {run.path} says; export again")
        card = plain_file(folder / MODEL_CARD).read_text(encoding="utf-8")
        wanted = render_model_card(manifest, record.config, record.reports)
    except OSError as error:
        raise ManifestError(f"{error.filename}: {error.strerror}; export again") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not a readable JSON file ({error})") from error
    if card == wanted:
        return []
    if not of_this_version(manifest.source.tools):
        version = manifest.source.tools.get(THIS_PACKAGE)
        return [f"{MODEL_CARD} was not compared: version {version} of {THIS_PACKAGE} wrote it"]
    raise ManifestError(
        f"{folder / MODEL_CARD}: not what {MANIFEST} and {RUN_RECORD} say; export again"
    )


def _check_same_run(path: Path, record: RunRecord, manifest: Manifest) -> None:
    given = ModelMetadata.fields_of(manifest) | {
        "weights_sha256": manifest.source.weights_sha256,
        "licence": manifest.source.licence,
    }
    try:
        own = ModelMetadata.fields_of(record.config) | {
            "weights_sha256": record.config.weights_sha256,
            "licence": licence_words(record.config),
        }
    except HierAttnError as error:
        raise ManifestError(f"{path}: {error}; export again") from error
    for name, value in own.items():
        if given[name] != value:
            raise ManifestError(f"{path}: its '{name}' is not the manifest's; export again")
    if manifest.data and manifest.data.class_map != record.config.training.class_map:
        raise ManifestError(f"{path}: its 'class_map' is not the manifest's; export again")
