"""Messages between the export and its worker processes: a job, and events as JSON lines.

Each format is converted and checked in a process of its own, so that a converter that crashes or
runs out of memory loses only its own files, and its output goes to the log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from export.schema.file_facts import Delegation, InputFacts, OutputFacts
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Description, Precision


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Job(_Line):
    """Request to make or check the files of one format.

    Attributes:
        run: run folder to convert from; None to check files that exist.
        graph: see :class:`export.schema.manifest.Source`.
        description: for converting; its precision is replaced for each file.
        files: path by precision; written when converting.
        pixels: uint8 [N, S, S, 3] as .npy, the images that every file is run on.
        sample: number of them, spread evenly, that other runtimes are run on.
        calibration: uint8 [M, S, S, 3] as .npy, or None.
        workspace: for temporary files of this job alone; logits are left there.
    """

    format: str
    run: Path | None
    graph: Literal["deploy", "naive"]
    description: Description
    files: dict[Precision, Path]
    pixels: Path
    sample: int
    calibration: Path | None
    workspace: Path
    coreml_image_input: bool = False
    coreml_classifier: bool = False


class Step(_Line):
    """Progress: what is being done; ``done`` of ``total`` where items are counted."""

    kind: Literal["step"] = "step"
    text: str
    done: int | None = None
    total: int | None = None


class FileWritten(_Line):
    """A file was written; ``seconds`` of the first one include the conversion."""

    kind: Literal["written"] = "written"
    precision: Precision
    quantisation: QuantisationRecord
    seconds: float


class RuntimeAnswer(_Line):
    """Logits of another runtime, or why there are none.

    Attributes:
        available: False where the runtime is not available here.
        logits: float64 [sample, K] as .npy.
    """

    runtime: str
    available: bool
    logits: Path | None
    reason: str | None


class FileChecked(_Line):
    """A file was read back and run on every image.

    Attributes:
        logits: float64 [N, K] as .npy.
    """

    kind: Literal["checked"] = "checked"
    precision: Precision
    evaluator: str
    description: Description
    input: InputFacts
    output: OutputFacts
    operators: dict[str, int]
    delegated: Delegation | None
    logits: Path
    other_runtimes: list[RuntimeAnswer]
    seconds: float


class Failed(_Line):
    """A file could not be made or read; with ``precision`` None, all remaining files."""

    kind: Literal["failed"] = "failed"
    precision: Precision | None
    reason: str


Event = Step | FileWritten | FileChecked | Failed
EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def sample_indices(count: int, sample: int) -> list[int]:
    """``sample`` of ``count`` indices, spread evenly; the first is always among them."""
    taken = min(count, sample)
    return [index * count // taken for index in range(taken)]
