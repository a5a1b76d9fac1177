"""Metadata embedded in exported files: labels, preprocessing, thresholds, provenance."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from export.errors import ArtefactError
from hierattn.common.json_text import DoubleNameError, parse_model
from hierattn.errors import first_problem
from hierattn.model_metadata import ModelMetadata

METADATA_KEY = "hierattn"
"""Key under which each format stores the metadata, as JSON text."""


class Precision(StrEnum):
    """Precision of the stored weights; the manifest lists what an int8 file keeps in float."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


class Description(ModelMetadata):
    """The metadata inside one exported file.

    Attributes:
        output: the model returns logits; probabilities are softmax(logits / temperature).
        weights_sha256: of the run's ``model.safetensors``.
        licence: of the weights, as far as the run knows it.
    """

    precision: Precision
    output: Literal["logits"] = "logits"
    weights_sha256: str
    licence: str

    def to_json(self) -> str:
        """One line of JSON, the same for the same description."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def parse_description(text: str | None, path: Path) -> Description:
    """Parse the metadata found in a file.

    Raises:
        ArtefactError: no metadata, or not written by this project; the message names ``path``.
    """
    if text is None:
        raise ArtefactError(f"{path}: carries no '{METADATA_KEY}' metadata; export it again")
    try:
        return parse_model(Description, text)
    except ValidationError as error:
        raise ArtefactError(f"{path}: metadata {first_problem(error)}") from error
    except DoubleNameError as error:
        raise ArtefactError(f"{path}: metadata: {error}; export it again") from error
