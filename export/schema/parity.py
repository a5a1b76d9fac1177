"""``parity.json``: reference logits of torch; and the distances of a file's logits from them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from export.errors import ManifestError
from export.schema.validation import parse_record
from hierattn.common.files import regular_file


class Parity(BaseModel):
    """Distances between a file's logits and float32 torch's on the same images.

    Attributes:
        evaluator: name and version of the runtime that computed the file's logits.
        max_abs: largest difference of one logit.
        max_relative: largest difference of a logit over its image's scale
            (:func:`export.checks.parity.logit_scales`); the figure that tolerances bound, since
            scales differ 400-fold between models.
        relative_l2: norm of all differences over the norm of the reference.
        cosine: similarity of all logits, flattened; 0 where the file returns zeros only.
        top1_agreement: fraction of images with the same most probable class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    evaluator: str
    images: int = Field(ge=1)
    max_abs: float = Field(ge=0)
    max_relative: float = Field(ge=0)
    relative_l2: float = Field(ge=0)
    cosine: float = Field(ge=-1, le=1)
    top1_agreement: float = Field(ge=0, le=1)


class PhotoAnswer(BaseModel):
    """Torch's logits for one photo."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    label: str
    logits: list[FiniteFloat]


class ParityRecord(BaseModel):
    """``parity.json``: torch's logits, so that files can be checked without the torch weights.

    Attributes:
        golden: logits by golden image.
        photos: logits of the evaluated photos, in order.
        artefacts: each file's own logits for the golden images, computed at export.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    torch: str
    golden: dict[str, list[FiniteFloat]]
    photos: list[PhotoAnswer]
    artefacts: dict[str, dict[str, list[FiniteFloat]]]

    @model_validator(mode="after")
    def _consistent(self) -> ParityRecord:
        rows = [*self.golden.values(), *(answer.logits for answer in self.photos)]
        for name, answers in self.artefacts.items():
            if answers.keys() != self.golden.keys():
                raise ValueError(f"artefacts.{name}: other golden images than torch's")
            rows += answers.values()
        if len({len(row) for row in rows}) != 1:
            raise ValueError("logits of different lengths, or none")
        if len({answer.file for answer in self.photos}) != len(self.photos):
            raise ValueError("photos: a file is listed twice")
        return self


def read_parity_record(path: Path) -> ParityRecord:
    """Read ``parity.json``.

    Raises:
        ManifestError: missing, or a field that does not fit; it is named.
    """
    try:
        return parse_record(ParityRecord, path, regular_file(path).read_bytes())
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error
