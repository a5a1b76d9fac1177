"""Model metadata, one model nested in run configurations, exported files and app bundles.

The records inherit these fields, so that each lies at the top level of their JSON.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from hierattn.common.strict_model import StrictModel
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec


class ModelInterface(StrictModel):
    """A model's name, its classes in index order, and what it takes.

    Attributes:
        image_size: side of the square input, pixels; the one in ``preprocessing``.
    """

    version: Literal[1] = 1
    model: str
    classes: list[str]
    image_size: int = Field(ge=1, le=4096)
    preprocessing: PreprocessSpec

    @model_validator(mode="after")
    def _one_size_and_different_classes(self) -> ModelInterface:
        if self.preprocessing.image_size != self.image_size:
            raise ValueError("image_size and preprocessing.image_size differ")
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must be two or more different names")
        return self

    @classmethod
    def fields_of(cls, record: BaseModel) -> dict[str, Any]:
        """The fields of this class as another record of the model holds them, but the version."""
        return {name: getattr(record, name) for name in cls.model_fields if name != "version"}


class ModelMetadata(ModelInterface):
    """The whole description of a model that its records share.

    A record's licence is not among the fields: a run knows those of its photos one by one
    (``data.licences``), a manifest names the weights' in its ``source``.
    """

    operating_point: OperatingPoint
    intended_use: str

    @model_validator(mode="after")
    def _targets_are_classes(self) -> ModelMetadata:
        strangers = set(self.operating_point.target_classes).difference(self.classes)
        if strangers:
            raise ValueError(f"target class {min(strangers)!r} is none of the classes")
        return self
