"""What a format must be able to do. A new one is a module with a Format and a line in FORMATS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from export.formats.conversion_input import ExportSource
from export.schema.file_facts import Delegation, InputFacts, OutputFacts
from export.schema.metadata import Description, Precision


@dataclass(frozen=True)
class FileFacts:
    """What can be read from a file without trusting anyone: operators by kind, and both ends."""

    input: InputFacts
    output: OutputFacts
    operators: dict[str, int]
    delegated: Delegation | None = None


@dataclass(frozen=True)
class Quantisation:
    """What was done to reach a precision.

    Attributes:
        scheme: one sentence for people.
        left_in_float: operators by kind that compute or are stored in float in an int8 file.
    """

    scheme: str
    left_in_float: dict[str, int]


@dataclass(frozen=True, eq=False)
class TracedTensor:
    """One intermediate result of a file: the operator that made it, and its value as float."""

    name: str
    operator: str
    value: np.ndarray


@dataclass(frozen=True)
class SecondOpinion:
    """Another runtime, or another mode of ours, that can answer with the same file.

    Attributes:
        runtime: its name and version.
        answer: float32 [N, 3, S, S] in [0, 1] to logits [N, K]; raises :class:`ArtefactError`
            where it cannot load or run the file, with the reason.
    """

    runtime: str
    answer: Callable[[np.ndarray], np.ndarray]


class Artefact(ABC):
    """A loaded file that answers: float32 [N, 3, S, S] in [0, 1] to float32 logits [N, K].

    Any N works, whatever batch the file itself was made for.
    """

    path: Path
    description: Description
    evaluator: str
    """Who computed the answer, with version, such as ``onnxruntime 1.32.0``."""

    @abstractmethod
    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits.

        Raises:
            ArtefactError: images of another shape or dtype.
        """


class Format(ABC):
    """One file format. Methods import the format's packages themselves, when called."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    extra: ClassVar[str]
    """The extra of this distribution that installs what the format needs."""
    packages: ClassVar[tuple[str, ...]]
    """Imports that must succeed to convert."""
    packages_to_run: ClassVar[tuple[str, ...]]
    """Imports that must succeed to read and run a file."""

    @abstractmethod
    def convert(self, source: ExportSource, workspace: Path) -> Path:
        """Convert once to float32, without metadata, into ``workspace``; later steps start there.

        Raises:
            ExportError: the converter refused; one line says why.
        """

    @abstractmethod
    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> Quantisation:
        """Bring the converted file to a precision, add the description, write ``target``.

        ``target`` (a folder for Core ML) does not exist yet. The bytes depend on the arguments
        alone: no time, no random name, no order of a hash.

        Raises:
            ExportError: int8 without calibration photos, or the quantiser refused.
        """

    @abstractmethod
    def load(self, path: Path, threads: int | None = None) -> Artefact:
        """Load a file to run it on the CPU.

        Raises:
            ArtefactError: damaged, not of this format, or without our description.
        """

    @abstractmethod
    def describe(self, path: Path) -> FileFacts:
        """Read a file's facts.

        Raises:
            ArtefactError: as for :meth:`load`.
        """

    @abstractmethod
    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        """Run one image float32 [1, 3, S, S]; yield intermediate tensors in execution order.

        The last one yielded is the logits.
        """

    def second_opinions(self, path: Path) -> Sequence[SecondOpinion]:
        """Who else can run the file here; nobody, unless a format knows better."""
        return ()
