"""``manifest.json`` of an export folder: every file with its hash and its check results."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from export.errors import ManifestError
from export.formats.registry import FORMATS
from export.schema.file_facts import Delegation, InputFacts, OutputFacts
from export.schema.metadata import Precision
from export.schema.parity import Parity
from export.schema.validation import indented_json, parse_record, plain_file
from hierattn.common.strict_model import StrictModel
from hierattn.model_metadata import ModelMetadata

MANIFEST, PARITY, MODEL_CARD = "manifest.json", "parity.json", "MODEL_CARD.md"
SELFTEST, LOG = "selftest", "export.log"
ARM64_PARITY = "arm64_parity.json"
APPLE_RECORD = "apple_record.json"
RUN_RECORD = "run.json"
PARTS = (MODEL_CARD, PARITY, SELFTEST)
"""What belongs to every export folder beside the exported files."""
LATER_PARTS = (RUN_RECORD,)
"""What exports of earlier versions lack."""

LONGEST_NAME = 200

UNLISTED = frozenset({MANIFEST, LOG, ARM64_PARITY, APPLE_RECORD})
"""Files of an export folder that the manifest does not list: the manifest itself, the converter
log, and the reports of ARM64 and of Apple's runtime, which are written later."""


class Source(StrictModel):
    """The run and the tools behind the exported files.

    Attributes:
        run: name of the run folder or shipped checkpoint; None for random weights
        graph: ``deploy``, exactly rewritten for phones, or ``naive``, as trained.
        rewrites: names of the rewrites behind the deployed graphs; some serve one format alone or
            no int8 file, and each changes only what it is for (stripes: large maps).
        licence: licences of the photos behind the weights, as the run names them.
    """

    run: str | None
    graph: Literal["deploy", "naive"]
    rewrites: list[str]
    weights_sha256: str
    tools: dict[str, str]
    licence: str


class JudgedData(StrictModel):
    """The photos on which the files were evaluated.

    Attributes:
        path: relative to the export folder, where the data lay; may be gone by now.
        sha256: fingerprint over names, classes and contents.
        calibration: number of photos set apart for int8; never evaluated.
        judged: number of evaluated photos.
        seen_in_training: evaluated photos that were in the training set; None if unknown.
        class_map: new names of classes by the old, from the run's training.
        remarks: a line for each class that is called otherwise there than by the model, and for
            what limits the photos as evidence, such as copies.
    """

    name: str
    path: str
    sha256: str
    images: int
    calibration: int
    judged: int
    seen_in_training: int | None
    skipped: list[str] = Field(default_factory=list)
    class_map: dict[str, str] = Field(default_factory=dict)
    remarks: list[str] = Field(default_factory=list)


class QualityChange(StrictModel):
    """The file's metrics minus torch's on the same photos."""

    balanced_accuracy: float
    sensitivity: dict[str, float | None]
    melanoma_at_threshold: float | None
    ece: float


class Quality(StrictModel):
    """Metrics of one exported file on the evaluated photos.

    Attributes:
        max_relative: as in :class:`export.schema.parity.Parity`, on these photos alone.
        agreement: fraction of photos on which the file and torch predict the same class.
        melanoma_at_threshold: sensitivity at the run's melanoma threshold.
        ece: expected calibration error at the shipped temperature.
    """

    images: int
    max_relative: float
    agreement: float
    top1: float
    balanced_accuracy: float
    sensitivity: dict[str, float | None]
    melanoma_at_threshold: float | None
    ece: float
    delta_vs_torch: QualityChange | None


class Gate(StrictModel):
    """Whether a file may be shipped."""

    status: Literal["passed", "failed", "not run"]
    reasons: list[str] = Field(default_factory=list)


class RuntimeCheck(StrictModel):
    """Result of running the file on another runtime.

    Attributes:
        loads: None where the runtime is not available here.
        agrees: within :data:`export.checks.gates.OTHER_RUNTIMES`; None without a result.
        reason: why it did not load, run or agree.
    """

    runtime: str
    loads: bool | None
    agrees: bool | None
    parity: Parity | None = None
    reason: str | None = None


class QuantisationRecord(StrictModel):
    """How a precision was reached.

    Attributes:
        scheme: one readable sentence.
        left_in_float: number of operators by kind that compute or are stored in float in an int8
            file.
    """

    scheme: str
    left_in_float: dict[str, int]


class ArtefactRecord(StrictModel):
    """One exported file; the fields from ``bytes`` on are None where it could not be written.

    Attributes:
        minimum_runtimes: oldest versions that read files of its format, by runtime; empty in
            exports of earlier versions.
    """

    path: str
    format: str
    precision: Precision
    bytes: int | None
    sha256: str | None
    input: InputFacts | None
    output: OutputFacts | None
    operators: dict[str, int]
    delegated: Delegation | None
    quantisation: QuantisationRecord | None
    parity: Parity | None
    quality: Quality | None
    other_runtimes: list[RuntimeCheck]
    gate: Gate
    minimum_runtimes: dict[str, str] = Field(default_factory=dict)

    @field_validator("path")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        plain = PurePosixPath(value).name == value and value not in ("", ".", "..")
        if not plain or "\\" in value or len(value) > LONGEST_NAME or not value.isprintable():
            raise ValueError("must be a plain name inside the export folder")
        return value


class Manifest(ModelMetadata):
    """The whole record of an export folder.

    Attributes:
        files: sha256 of all else that belongs to the folder (of folders, see
            :func:`export.checks.integrity.path_sha256`).
        torch_quality: torch's metrics on the evaluated photos, the reference of every change.
    """

    version: Literal[1] = Field(default=1, alias="schema")
    source: Source
    data: JudgedData | None
    torch_quality: Quality | None
    files: dict[str, str]
    artefacts: list[ArtefactRecord] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        if len({record.path for record in self.artefacts}) != len(self.artefacts):
            raise ValueError("two artefacts share a path")
        made = [(record.format, record.precision) for record in self.artefacts]
        if len(set(made)) != len(made):
            raise ValueError("two artefacts share format and precision")
        unknown = sorted({record.format for record in self.artefacts} - set(FORMATS))
        if unknown:
            raise ValueError(f"unknown format '{unknown[0]}' (valid: {', '.join(FORMATS)})")
        return self

    @property
    def passed(self) -> bool:
        """Whether every file was written and passed its gate."""
        return all(record.gate.status == "passed" for record in self.artefacts)

    def to_json(self) -> str:
        """Indented JSON, the same for the same manifest."""
        return indented_json(self)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of an export folder.

    Raises:
        ManifestError: no folder, no manifest, or a field that does not fit; it is named.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        what = "it is a file; give the folder it lies in" if folder.exists() else "no such folder"
        raise ManifestError(f"{folder}: not an export folder ({what})")
    if not path.is_file():
        raise ManifestError(f"{folder}: not an export folder, it has no {MANIFEST}")
    try:
        return parse_record(Manifest, path, plain_file(path).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not a readable JSON file ({error})") from error
