"""``bundle.json``: description and self-test of the model in an app's assets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat, field_validator

from export.errors import ManifestError
from export.formats.registry import all_abilities
from export.schema.manifest import Gate
from export.schema.metadata import Precision
from export.schema.validation import indented_json, parse_record
from hierattn.common.files import regular_file
from hierattn.common.strict_model import StrictModel
from hierattn.model_metadata import ModelMetadata

BUNDLE, LABELS = "bundle.json", "labels.txt"
_ORDER = (
    *("schema", "model", "format", "precision", "artefact", "sha256", "bytes", "weights_sha256"),
    *("fallback", "classes", "image_size", "input", "output", "preprocessing", "operating_point"),
    *("verified", "gate", "licence", "intended_use", "selftest", "files"),
)
"""The fields in the order of the file."""


class BundleInput(StrictModel):
    """The input tensor: float32 in [0, 1], one image; rows from the top, red first."""

    name: str
    layout: Literal["NCHW", "NHWC"]


class BundleOutput(StrictModel):
    """The output tensor: one logit a class."""

    name: str


class BundleImage(StrictModel):
    """One golden image; ``file`` and ``tensor`` are in the bundle's ``selftest/``.

    Attributes:
        tensor: what preprocessing must make of it, uint8 [S, S, 3].
        what: the preprocessing step or model property that it tests.
        logits: expected output of the model.
        scale: reference magnitude of relative errors.
    """

    file: str
    sha256: str
    tensor: str
    tensor_sha256: str
    what: str
    logits: list[FiniteFloat]
    scale: FiniteFloat = Field(gt=0)


class BundlePhoto(StrictModel):
    """One golden photo, a JPEG for the platform's own decoder; both files are in ``selftest/``.

    Attributes:
        tensor: what Python makes of it, uint8 [S, S, 3].
        what: the property that it tests.
    """

    file: str
    sha256: str
    tensor: str
    tensor_sha256: str
    what: str


class BundlePhotos(StrictModel):
    """The golden photos; a byte of the squashed photo may differ, in levels of 255.

    Attributes:
        max_difference: of any byte.
        max_mean_difference: mean of all bytes of a photo.
    """

    max_difference: int = Field(ge=0, le=255)
    max_mean_difference: FiniteFloat = Field(ge=0)
    images: list[BundlePhoto] = Field(min_length=1)


class BundleSelfTest(StrictModel):
    """The self-test that an app must pass before it shows a prediction.

    A logit passes if it is within ``max_relative`` times its image's ``scale`` of the stated one.

    Attributes:
        reference: origin of the logits: ``torch``, or the file itself at ``export`` (int8).
        photos: for the platform's decoder; None in bundles of earlier versions.
    """

    reference: Literal["torch", "export"]
    max_relative: FiniteFloat = Field(gt=0)
    images: list[BundleImage] = Field(min_length=1)
    photos: BundlePhotos | None = None


class BundleFallback(StrictModel):
    """A second file of the same weights, for phones where the first errs or is slower.

    It takes and gives the same tensors, and has the same golden images and logits.

    Attributes:
        artefact: its file name; ``sha256`` and ``bytes`` are its.
        max_relative: tolerance of its self-test.
    """

    artefact: str
    sha256: str
    bytes: int
    precision: Precision
    max_relative: FiniteFloat = Field(gt=0)


class BundleRecord(ModelMetadata):
    """The whole of ``bundle.json``.

    Attributes:
        fallback: None where the bundle has one model file, as those of earlier versions.
        artefact: file name of the model, beside ``bundle.json``; ``sha256`` and ``bytes`` are its.
        verified: whether the file passed its gate when it was exported.
        files: sha256 of every other file of the bundle, by path relative to it.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    format: str
    precision: Precision
    artefact: str
    sha256: str
    bytes: int
    weights_sha256: str
    fallback: BundleFallback | None = None
    input: BundleInput
    output: BundleOutput
    verified: bool
    gate: Gate
    licence: str
    selftest: BundleSelfTest
    files: dict[str, str]

    @field_validator("format")
    @classmethod
    def _is_bundled(cls, name: str) -> str:
        known = [one.name for one in all_abilities() if one.is_bundled]
        if name not in known:
            raise ValueError(f"is '{name}', not one of {', '.join(known)}")
        return name

    def to_json(self) -> str:
        """Indented JSON, the same for the same record."""
        return indented_json(self, _ORDER)


def read_bundle(folder: Path) -> BundleRecord:
    """Read ``bundle.json`` of a bundle's folder.

    Raises:
        ManifestError: missing, or a field that does not fit; it is named.
    """
    path = folder / BUNDLE
    try:
        return parse_record(BundleRecord, path, regular_file(path).read_bytes(), "bundle again")
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error
