"""The fields of each JSON file, in the order in which they have been written since version 1."""

from __future__ import annotations

import json
from pathlib import Path

from export.schema.manifest import SELFTEST, read_manifest
from export.schema.selftest import SELFTEST as SELFTEST_FILE
from tests.android.fake_bundle import write_fake_bundle
from tests.export.bundle_helpers import write_whole_export

HERE = (
    "schema model classes image_size preprocessing operating_point intended_use source data "
    "torch_quality files artefacts"
)
SELF_TEST = "version model weights_sha256 image_size preprocessing classes tolerances images"
BUNDLED = (
    "schema model format precision artefact sha256 bytes weights_sha256 fallback classes "
    "image_size input output preprocessing operating_point verified gate licence intended_use "
    "selftest files"
)


def test_manifest_and_self_test(tmp_path: Path) -> None:
    folder = write_whole_export(tmp_path / "export")
    assert " ".join(json.loads(read_manifest(folder).to_json())) == HERE
    assert " ".join(json.loads((folder / SELFTEST / SELFTEST_FILE).read_bytes())) == SELF_TEST


def test_bundle(tmp_path: Path) -> None:
    assert " ".join(json.loads(write_fake_bundle(tmp_path).to_json())) == BUNDLED
