"""The interface of a file format: convert, write, load, describe and trace.

A new format is a folder beside this module with ``abilities.py`` and a subclass of
:class:`Format`, and a line in :data:`export.formats.registry.FORMATS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from export.errors import ArtefactError, ExportError, WorkerError
from export.formats.abilities import Abilities, Runtime
from export.formats.conversion_input import ExportSource
from export.runtime.engine import runtime_errors
from export.runtime.own_environment import run_in_own_environment
from export.runtime.worker import answer
from export.schema.file_facts import Delegation, InputFacts, OutputFacts
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Description, Precision


@dataclass(frozen=True)
class FileFacts:
    """Facts read from the file itself: number of operators by kind, input and output."""

    input: InputFacts
    output: OutputFacts
    operators: dict[str, int]
    delegated: Delegation | None = None


@dataclass(frozen=True)
class OperatorCost:
    """What one operator of a file costs at every run, by its shapes and types.

    Attributes:
        name: of the tensor that it computes.
        weight_bytes: of constants that it reads, as the file stores them.
        activation_bytes: of all else that it reads and writes.
        arithmetic: of the kernels that compute it, such as ``fp32``.
    """

    name: str
    kind: str
    multiply_adds: int
    weight_bytes: int
    activation_bytes: int
    arithmetic: str


@dataclass(frozen=True, eq=False)
class TracedTensor:
    """One intermediate result of a file: the operator that computed it, and its value as float."""

    name: str
    operator: str
    value: np.ndarray


@dataclass(frozen=True)
class SecondRuntime:
    """Another runtime, or another mode of the same one, that can run the file.

    Attributes:
        runtime: its name and version.
        run: float32 [N, 3, S, S] in [0, 1] to logits [N, K]; raises :class:`ArtefactError`
            where it cannot load or run the file, with the reason.
    """

    runtime: str
    run: Callable[[np.ndarray], np.ndarray]


def check_images(
    images: np.ndarray, size: int, path: Path, *, several: bool = True, any_range: bool = False
) -> None:
    """Check that images are float32 [N, 3, size, size] in [0, 1].

    Args:
        path: of the file that is to take them, for the message.
        several: whether N may be other than 1.
        any_range: let other finite values pass.

    Raises:
        ArtefactError: they are not.
    """
    if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != (3, size, size):
        raise ArtefactError(
            f"{path}: takes float32 [N, 3, {size}, {size}], not {images.dtype} {list(images.shape)}"
        )
    if len(images) != 1 and not several:
        raise ArtefactError(f"{path}: one image is traced at a time, not {len(images)}")
    if not len(images):
        return
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ArtefactError(f"{path}: the images hold NaN or infinity")
    if not any_range and not (low >= 0 and high <= 1):
        hint = (
            "; divide pixels by 255, see PreprocessSpec.to_input" if high > 1 and low >= 0 else ""
        )
        raise ArtefactError(
            f"{path}: takes values from 0 to 1, not from {low:g} to {high:g}{hint} "
            "(load_artefact(..., any_range=True) lets them pass)"
        )


class Artefact(ABC):
    """A loaded file: float32 [N, 3, S, S] in [0, 1] to float32 logits [N, K].

    Any N works, whatever batch size the file itself was made for.
    """

    path: Path
    description: Description
    any_range: bool = False
    """Whether values outside of [0, 1] are taken, see :func:`check_images`."""
    evaluator: str
    """Name and version of the runtime, such as ``onnxruntime 1.32.0``."""

    @abstractmethod
    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits.

        Raises:
            ArtefactError: images of another shape or dtype.
        """


class EngineArtefact(Artefact):
    """A file run in this process by its runtime's engine.

    Args:
        path: named in errors.
        engine: loaded.
        description: the one inside the file.
        evaluator: see :class:`Artefact`.
        any_batch: the file takes batches of any size; else its own is used.
    """

    def __init__(
        self,
        path: Path,
        engine: Any,
        description: Description,
        evaluator: str,
        any_batch: bool = False,
    ) -> None:
        self.path, self.engine = path, engine
        self.description, self.evaluator = description, evaluator
        self._any_batch = any_batch

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        """Logits float32 [N, K].

        Raises:
            ArtefactError: see :func:`check_images`; or the runtime gives up on the file.
        """
        size, classes = self.description.image_size, len(self.description.classes)
        check_images(images, size, self.path, any_range=self.any_range)
        if not len(images):
            return np.empty((0, classes), np.float32)
        with runtime_errors(self.engine, self.path, self.evaluator, "cannot run"):
            logits = answer(self.engine, images, len(images) if self._any_batch else 0)
        if logits.shape != (len(images), classes):
            raise ArtefactError(f"{self.path}: answered {logits.shape} to {len(images)} images")
        return logits


class Format(ABC):
    """One file format. Methods import the format's packages themselves, when called."""

    abilities: ClassVar[Abilities]

    @property
    def name(self) -> str:
        """See :class:`Abilities`."""
        return self.abilities.name

    @property
    def suffix(self) -> str:
        """See :class:`Abilities`."""
        return self.abilities.suffix

    @property
    def extra(self) -> str:
        """See :class:`Abilities`."""
        return self.abilities.extra

    @property
    def packages(self) -> tuple[str, ...]:
        """See :class:`Abilities`."""
        return self.abilities.packages

    @property
    def packages_to_run(self) -> tuple[str, ...]:
        """See :class:`Abilities`."""
        return self.abilities.packages_to_run

    @abstractmethod
    def convert(self, source: ExportSource, workspace: Path) -> Path:
        """Convert once to float32, without metadata, into ``workspace``; later steps start there.

        Raises:
            ExportError: the converter refused; one line says why.
        """

    @abstractmethod
    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        """Bring the converted file to a precision, embed the metadata, write ``target``.

        ``target`` (a folder for Core ML) does not exist yet. The bytes depend on the arguments
        alone: no time stamp, no random name, no hash order.

        Raises:
            ExportError: int8 without calibration photos, or the quantiser refused.
        """

    @abstractmethod
    def load(self, path: Path, threads: int | None = None) -> Artefact:
        """Load a file to run it on the CPU.

        Raises:
            ArtefactError: damaged, not of this format, or without our metadata.
        """

    @abstractmethod
    def describe(self, path: Path) -> FileFacts:
        """Read a file's facts.

        Raises:
            ArtefactError: as for :meth:`load`.
        """

    def read_description(self, path: Path) -> Description:
        """Read what a file says of itself; a format that can do so without its runtime does.

        Raises:
            ArtefactError: as for :meth:`load`.
            MissingPackageError: the packages that read the format are not installed.
        """
        return self.load(path, threads=1).description

    @abstractmethod
    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        """Run one image float32 [1, 3, S, S]; yield intermediate tensors in execution order.

        The last one yielded is the logits.
        """

    def arm64_costs(self, path: Path) -> list[OperatorCost]:
        """What each operator costs on an ARM64 phone, in execution order; nothing is measured.

        Raises:
            ExportError: the runtime's operators are not those of the file.
            ArtefactError: as for :meth:`load`.
        """
        raise ExportError(
            f"{self.abilities.title} files: no estimate, since the operators that their runtime "
            "computes with are not those that a file lists; a .tflite file has one"
        )

    def other_runtimes(self, path: Path) -> Sequence[SecondRuntime]:
        """Further runtimes that can run the file here: those in environments of their own."""
        return tuple(_separate(one, path) for one in self.abilities.runtimes if one.requirements)


def _separate(runtime: Runtime, path: Path) -> SecondRuntime:
    def run(images: np.ndarray) -> np.ndarray:
        try:
            return run_in_own_environment(path, images, runtime)
        except WorkerError as error:
            raise ArtefactError(f"{runtime.name}: {error}") from error

    return SecondRuntime(f"{runtime.distribution} {runtime.pinned}", run)
