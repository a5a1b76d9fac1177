"""Every JSON file of ours, with any of its names given twice, is refused in one line."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from android_demo.offline.assets import check_bundled
from android_demo.offline.errors import BuildError
from benchmarks.other_runtimes.results import read_trial
from benchmarks.results import RESULTS_JSON, read_results
from export.checks.golden.selftest import read_selftest
from export.errors import ArtefactError
from export.model_card import read_reports
from export.run_record import check_model_card
from export.schema.arm64_report import read_record
from export.schema.bundle import read_bundle
from export.schema.manifest import ARM64_PARITY, read_manifest
from export.schema.metadata import parse_description
from export.schema.parity import read_parity_record
from hierattn.errors import HierAttnError
from hierattn.evaluation.pooling import read_pooled
from hierattn.run_files import POOLED
from hierattn.runs import read_config
from hierattn.training.recipe.config import build_config
from tests.android.fake_bundle import write_fake_bundle
from tests.benchmarks.helpers import results, row
from tests.export.bundle_helpers import description_of, write_whole_export

SHIPPED = Path(__file__).parents[1] / "hierattn" / "checkpoints" / "hierattn_xs.pad_ufes_20"
KEPT = Path(__file__).parents[1] / "benchmarks" / "results" / "hierattn_xs.pad_ufes_20"


def check_card(folder: Path) -> list[str]:
    return check_model_card(folder, read_manifest(folder))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each file that is read again."""
    folder = tmp_path_factory.mktemp("records")
    write_whole_export(folder / "export")
    (folder / "bundle").mkdir()
    write_fake_bundle(folder / "bundle")
    (folder / RESULTS_JSON).write_text(results(row()).model_dump_json(by_alias=True))
    (folder / "config.json").write_bytes((SHIPPED / "config.json").read_bytes())
    (folder / "metrics.json").write_bytes((SHIPPED / "metrics.json").read_bytes())
    (folder / POOLED).write_bytes((KEPT / "pooled.json").read_bytes())
    (folder / "other_runtimes.json").write_bytes((KEPT / "other_runtimes.json").read_bytes())
    arm64 = {"schema": 1, "packages": ["onnxruntime 1.32.0"], "rows": []}
    (folder / "export" / ARM64_PARITY).write_text(json.dumps(arm64))
    return folder


@contextmanager
def name_given_twice(path: Path, name: str) -> Iterator[None]:
    """For a while, the first value of that name in a file has another one in front."""
    content = path.read_text()
    twice = re.sub(rf'"{name}"\s*:', rf'"{name}": null, "{name}":', content, count=1)
    assert twice != content
    path.write_text(twice)
    yield
    path.write_text(content)


@pytest.mark.parametrize(
    ("file", "name", "read"),
    [
        ("export/manifest.json", "model", lambda place: read_manifest(place / "export")),
        ("export/manifest.json", "status", lambda place: read_manifest(place / "export")),
        (
            "export/parity.json",
            "golden",
            lambda place: read_parity_record(place / "export/parity.json"),
        ),
        (
            "export/selftest/selftest.json",
            "max_relative",
            lambda place: read_selftest(place / "export/selftest"),
        ),
        ("export/run.json", "epochs", lambda place: check_card(place / "export")),
        (f"export/{ARM64_PARITY}", "rows", lambda place: read_record(place / "export")),
        ("bundle/bundle.json", "verified", lambda place: read_bundle(place / "bundle")),
        (RESULTS_JSON, "rows", lambda place: read_results(place)),
        ("config.json", "weights_sha256", lambda place: read_config(place / "config.json")),
        ("config.json", "epochs", lambda place: build_config(file=place / "config.json")),
        ("metrics.json", "top1", lambda place: read_reports(place / "metrics.json")),
        (POOLED, "temperature", lambda place: read_pooled(place)),
        ("other_runtimes.json", "status", lambda place: read_trial(place / "other_runtimes.json")),
    ],
)
def test_a_name_that_stands_twice_is_refused(
    whole: Path, file: str, name: str, read: Callable[[Path], object]
) -> None:
    read(whole)
    with (
        name_given_twice(whole / file, name),
        pytest.raises(HierAttnError, match=f"'{name}' stands there twice") as raised,
    ):
        read(whole)
    assert Path(file).name in str(raised.value) and "\n" not in str(raised.value)


def test_nor_in_the_description_inside_a_file(whole: Path) -> None:
    text = description_of(read_manifest(whole / "export")).to_json()
    twice = text.replace('"licence":', '"licence": "any", "licence":')
    with pytest.raises(ArtefactError, match="metadata: field 'licence' stands there twice"):
        parse_description(twice, Path("x.onnx"))


def test_nor_in_a_bundle_that_the_offline_build_takes(whole: Path) -> None:
    folder = whole / "assets" / "hierattn"
    folder.mkdir(parents=True)
    record = folder / "bundle.json"
    record.write_text('{"format": "tflite", "format": "onnx"}')
    with pytest.raises(BuildError, match="field 'format' stands there twice"):
        check_bundled(folder.parent)
    record.write_text('{"format": "onnx"}')
    check_bundled(folder.parent)
