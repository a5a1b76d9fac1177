"""``selftest.json``: golden images, the tensors they must become, the logits they must give."""

from __future__ import annotations

import numpy as np
from pydantic import Field, FiniteFloat, model_validator

from export.schema.metadata import Precision
from export.schema.validation import indented_json
from hierattn.common.strict_model import StrictModel
from hierattn.model_metadata import ModelInterface

SELFTEST = "selftest.json"
_ORDER = ("version", "model", "weights_sha256", "image_size", "preprocessing", "classes")
"""The first fields in the order of the file."""
_PNG_NAME = r"^[a-z0-9_]{1,64}\.png$"
_TENSOR_NAME = r"^[a-z0-9_]{1,64}\.rgb$"
_SHA256 = r"^[0-9a-f]{64}$"


class LogitTolerance(StrictModel):
    """Largest error of a logit, relative to its image's ``scale``."""

    max_relative: FiniteFloat = Field(gt=0)


class SelfTestImage(StrictModel):
    """One golden image of the self-test.

    Attributes:
        width: of the file as stored, before any turning; pixels.
        what: the preprocessing step or model property that it tests.
        tensor: file with the bytes that preprocessing must produce.
        logits: one a class, of the untouched network in float32 torch.
        scale: reference magnitude of relative errors, see
            :func:`export.checks.parity.logit_scales`.
    """

    file: str = Field(pattern=_PNG_NAME)
    sha256: str = Field(pattern=_SHA256)
    width: int = Field(ge=1, le=16384)
    height: int = Field(ge=1, le=16384)
    what: str
    tensor: str = Field(pattern=_TENSOR_NAME)
    tensor_sha256: str = Field(pattern=_SHA256)
    logits: list[FiniteFloat]
    scale: FiniteFloat = Field(gt=0)


class SelfTest(ModelInterface):
    """The whole of ``selftest.json``."""

    weights_sha256: str = Field(pattern=_SHA256)
    tolerances: dict[Precision, LogitTolerance]
    images: list[SelfTestImage] = Field(min_length=1, max_length=256)

    @model_validator(mode="after")
    def _consistent(self) -> SelfTest:
        names = [name for image in self.images for name in (image.file, image.tensor)]
        if len(set(names)) != len(names):
            raise ValueError("two images share a file")
        for image in self.images:
            if len(image.logits) != len(self.classes):
                raise ValueError(f"{image.file}: {len(self.classes)} logits are needed")
        if not any(logit for image in self.images for logit in image.logits):
            raise ValueError("all logits are zero")
        return self

    def to_json(self) -> str:
        """Indented JSON, the same for the same self-test, each logit as the same float64."""
        return indented_json(self, _ORDER)

    def logits(self) -> np.ndarray:
        """The stated logits, float64 [N, K]."""
        return np.array([image.logits for image in self.images], dtype=np.float64)
