from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from export.schema.bundle import BundleRecord
from export.schema.manifest import Manifest
from export.schema.metadata import Description
from export.schema.selftest import SelfTest
from hierattn.common.files import write_json
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.model_metadata import ModelInterface, ModelMetadata
from hierattn.preprocessing import PreprocessSpec
from hierattn.run_files import CONFIG
from hierattn.runs import SHIPPED, RunConfig, read_config, shipped_runs

FIELDS: dict[str, Any] = {
    "model": "hierattn_xs",
    "classes": ["a", "b"],
    "image_size": 64,
    "preprocessing": PreprocessSpec(image_size=64),
    "operating_point": OperatingPoint(),
    "intended_use": "tests",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_size": 65}, "image_size and preprocessing.image_size differ"),
        ({"classes": ["a"]}, "two or more different names"),
        ({"classes": ["a", "a"]}, "two or more different names"),
        ({"classes": []}, "two or more different names"),
        ({"operating_point": OperatingPoint(melanoma_class="MEL")}, "target class 'MEL' is none"),
    ],
)
def test_a_description_that_contradicts_itself_is_refused(
    change: dict[str, Any], reason: str
) -> None:
    assert ModelMetadata(**FIELDS).classes == ["a", "b"]
    with pytest.raises(ValidationError, match=reason):
        ModelMetadata(**{**FIELDS, **change})


@pytest.mark.parametrize("record", [RunConfig, Manifest, BundleRecord, Description])
def test_every_record_of_a_model_is_checked_alike(record: type[ModelMetadata]) -> None:
    assert issubclass(record, ModelMetadata)
    assert ModelMetadata.model_fields.keys() <= record.model_fields.keys()


def test_fields_are_taken_over_from_another_record() -> None:
    source = ModelMetadata(**FIELDS)
    assert ModelMetadata.fields_of(source) == FIELDS
    assert issubclass(SelfTest, ModelInterface)
    interface = ModelInterface(**ModelInterface.fields_of(source))
    assert interface.preprocessing == source.preprocessing
    assert "operating_point" not in interface.model_dump()


@pytest.mark.parametrize("name", shipped_runs())
def test_a_shipped_description_is_written_as_it_was_read(tmp_path: Any, name: str) -> None:
    path = SHIPPED / name / CONFIG
    write_json(tmp_path / CONFIG, read_config(path).model_dump(mode="json"))
    given, written = json.loads(path.read_bytes()), json.loads((tmp_path / CONFIG).read_bytes())
    # A field that came later is written with its default.
    assert written.pop("training").items() >= given.pop("training").items()
    assert {name: written[name] for name in given} == given
    assert list(given)[:3] == ["version", "model", "classes"]
