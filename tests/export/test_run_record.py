"""A model card written over by hand, with every hash mended, is told."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from export.errors import ManifestError
from export.run_record import (
    check_model_card,
    find_run,
    licence_words,
    read_run,
    write_run_record,
)
from export.schema.manifest import MANIFEST, MODEL_CARD, RUN_RECORD, read_manifest
from export.targets.apps.bundle import bundle
from export.targets.apps.choice import BundleRequest
from export.verify import verify
from hierattn.model_metadata import ModelMetadata
from hierattn.runs import load_run
from tests.export.bundle_helpers import relist, write_app, write_whole_export


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_whole_export(tmp_path / "export")


def edit_card(folder: Path) -> None:
    path = folder / MODEL_CARD
    card = path.read_text()
    assert "Not for: diagnosis" in card
    path.write_text(card.replace("Not for: diagnosis", "For: diagnosis"))


def edit_run(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / RUN_RECORD
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def test_the_card_is_rendered_again_and_compared(export: Path, tmp_path: Path) -> None:
    app = write_app(tmp_path / "app")
    assert check_model_card(export, read_manifest(export)) == []
    assert not any("card" in line.lower() for line in bundle(BundleRequest(export, app)).remarks)
    before = (app / "app/src/main/assets/hierattn/MODEL_CARD.md").read_bytes()
    edit_card(export)
    relist(export, card=False)
    words = f"{MODEL_CARD}: not what {MANIFEST} and {RUN_RECORD} say; export again"
    with pytest.raises(ManifestError, match=words):
        bundle(BundleRequest(export, app))
    assert (app / "app/src/main/assets/hierattn/MODEL_CARD.md").read_bytes() == before
    found = verify(export)
    assert not found.passed and [line for line in found.problems if words in line]


def test_an_export_of_before_is_verified_and_told(export: Path, tmp_path: Path) -> None:
    (export / RUN_RECORD).unlink()
    manifest = read_manifest(export)
    files = {name: value for name, value in manifest.files.items() if name != RUN_RECORD}
    older = manifest.model_copy(update={"files": files})
    (export / MANIFEST).write_text(older.to_json())
    said = f"{MODEL_CARD} was not compared: an earlier version wrote no {RUN_RECORD}"
    found = verify(export)
    assert not any(RUN_RECORD in line for line in found.problems) and said in found.remarks
    assert said in bundle(BundleRequest(export, write_app(tmp_path / "app"))).remarks


def test_a_card_of_another_version_is_told(export: Path) -> None:
    edit_card(export)
    source = read_manifest(export).source
    other = source.model_copy(update={"tools": source.tools | {"hierattn-mobile": "0.0.1"}})
    manifest = relist(export, card=False, source=other)
    assert check_model_card(export, manifest) == [
        f"{MODEL_CARD} was not compared: version 0.0.1 of hierattn-mobile wrote it"
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda fields: fields["config"].update(intended_use="diagnosis"), "its 'intended_use' is"),
        (lambda fields: fields["config"].update(weights_sha256="1" * 64), "its 'weights_sha256'"),
        (
            lambda fields: fields["config"]["data"].update(licences={"mine": 1}),
            "its 'licence' is not",
        ),
        (lambda fields: fields["config"].update(model="hierattn_s"), "its 'model' is not"),
        (lambda fields: fields.update(reports={"test": {"images": 1}}), "field 'reports.test"),
        (lambda fields: fields["config"].update(best_epoch=999), "not what manifest.json and"),
        (lambda fields: fields.update(more=1), "field 'more'"),
    ],
)
def test_what_the_card_is_made_from_is_the_manifests(
    change: Callable[[Any], None], words: str, export: Path
) -> None:
    edit_run(export, change)
    manifest = relist(export, card=False)
    with pytest.raises(ManifestError, match=words) as raised:
        check_model_card(export, manifest)
    assert "\n" not in str(raised.value)


def test_the_figures_are_the_run_s_where_it_is_at_hand(export: Path) -> None:
    """A card whose figures were made up in run.json, too."""
    run = load_run("hierattn_xs.pad_ufes_20")
    manifest = read_manifest(export)
    known = {"weights_sha256": run.config.weights_sha256, "licence": licence_words(run.config)}
    source = manifest.source.model_copy(update=known)
    words = ModelMetadata.fields_of(run.config)
    manifest = relist(export, source=source, data=None, **words)
    write_run_record(export / RUN_RECORD, read_run(run))
    manifest = relist(export)
    assert check_model_card(export, manifest, run) == []
    edit_run(
        export, lambda fields: fields["reports"]["cross_validation"].update(balanced_accuracy=0.99)
    )
    manifest = relist(export)
    assert "0.990" in (export / MODEL_CARD).read_text()
    assert check_model_card(export, manifest) == []
    with pytest.raises(ManifestError, match=r"run\.json: not what the run .* says"):
        check_model_card(export, manifest, run)


@pytest.mark.parametrize("place", ["here", "beside"])
def test_a_run_here_or_beside_the_export_is_looked_up_by_itself(
    place: str, export: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = load_run(finished)
    shelf = tmp_path if place == "here" else export.parent
    known = {"weights_sha256": run.config.weights_sha256, "licence": licence_words(run.config)}
    source = read_manifest(export).source.model_copy(update={**known, "run": "my run"})
    manifest = relist(export, source=source, data=None, **ModelMetadata.fields_of(run.config))
    write_run_record(export / RUN_RECORD, read_run(run))
    manifest = relist(export)
    assert find_run(export, manifest) is None
    shutil.copytree(finished, shelf / "my run")
    found = find_run(export, manifest)
    assert found is not None and found.config == run.config
    note = "the run's own figures"
    assert not any(note in line for line in verify(export).remarks)
    edit_run(export, lambda fields: fields["reports"]["test"].update(balanced_accuracy=0.99))
    manifest = relist(export)
    assert any("not what the run" in line for line in verify(export).problems)
    for name in ("../elsewhere/my run", str(shelf / "my run")):
        outside = manifest.source.model_copy(update={"run": name})
        assert find_run(export, manifest.model_copy(update={"source": outside})) is None


def test_a_missing_record_is_told(export: Path) -> None:
    manifest = read_manifest(export)
    (export / RUN_RECORD).unlink()
    with pytest.raises(ManifestError, match=f"{RUN_RECORD}: No such file"):
        check_model_card(export, manifest)
    assert any(f"{RUN_RECORD}: missing" in line for line in verify(export).problems)
