"""What a worker is asked to do, and what it reports: one JSON line each.

Each format works in a process of its own, so that a converter that crashes or runs out of memory
takes only its own rows with it, and its noise goes to the log.
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
    """Make or check the files of one format.

    Attributes:
        run: run folder to convert from; None to check files that exist.
        graph: see :class:`export.schema.manifest.Source`.
        description: for converting; its precision is replaced for each file.
        files: path by precision; made here when converting.
        pixels: uint8 [N, S, S, 3] as .npy, what every file is asked.
        sample: how many of them, spread evenly, other runtimes are asked.
        calibration: uint8 [M, S, S, 3] as .npy, or None.
        workspace: for this job's own temporary files; answers are left there.
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
    """Something is being done; ``done`` of ``total`` where it counts."""

    kind: Literal["step"] = "step"
    text: str
    done: int | None = None
    total: int | None = None


class Written(_Line):
    """A file was written; the conversion counts with the first one's ``seconds``."""

    kind: Literal["written"] = "written"
    precision: Precision
    quantisation: QuantisationRecord
    seconds: float


class OpinionLine(_Line):
    """Another runtime's answers, or why there are none.

    Attributes:
        available: False where the runtime cannot be had here.
    """

    runtime: str
    available: bool
    answers: Path | None
    reason: str | None


class Answered(_Line):
    """A file was read back and asked everything.

    Attributes:
        answers: float64 [N, K] as .npy.
    """

    kind: Literal["answered"] = "answered"
    precision: Precision
    evaluator: str
    description: Description
    input: InputFacts
    output: OutputFacts
    operators: dict[str, int]
    delegated: Delegation | None
    answers: Path
    opinions: list[OpinionLine]
    seconds: float


class Failed(_Line):
    """A file, or with ``precision`` None everything that was left, could not be made or read."""

    kind: Literal["failed"] = "failed"
    precision: Precision | None
    reason: str


Event = Step | Written | Answered | Failed
EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def sample_indices(count: int, sample: int) -> list[int]:
    """``sample`` of ``count`` positions, spread evenly; the first is always among them."""
    taken = min(count, sample)
    return [index * count // taken for index in range(taken)]
