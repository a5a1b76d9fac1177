"""Core ML format: an ML program for iOS 16 in a ``.mlpackage`` folder.

Names are fixed: the input ``input``, the output ``logits``; a classifier also returns
``classLabel`` and ``classLabel_probs``, which are calibrated probabilities.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from export.errors import ExportError
from export.formats.conversion_input import ExportSource
from export.formats.coreml.abilities import ABILITIES
from export.formats.coreml.artefact import (
    AppleArtefact,
    EvaluatedArtefact,
    read_facts,
    read_package_metadata,
)
from export.formats.coreml.classifier import add_labels
from export.formats.coreml.convert import convert_graph
from export.formats.coreml.evaluator import Arithmetic, compile_program, read_package
from export.formats.coreml.package import StoredModel, read_model, write_model
from export.formats.coreml.quantise import SCHEMES, quantise_weights
from export.formats.interface import (
    Artefact,
    FileFacts,
    Format,
    SecondRuntime,
    TracedTensor,
)
from export.formats.registry import require_packages
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Description, Precision


class CoremlFormat(Format):
    """ML programs: run by Apple's runtime on macOS, evaluated with torch elsewhere."""

    abilities = ABILITIES

    def convert(self, source: ExportSource, workspace: Path) -> Path:
        """Convert to single precision; see :meth:`Format.convert`."""
        require_packages(self.packages, self.extra)
        return self._converted(workspace, source, half=False)

    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        """Write one precision; half precision is another conversion, made once in the workspace.

        int8 needs photos although none of them influences its weights: its gate can be decided on
        photos only.
        """
        require_packages(self.packages, self.extra)
        if precision is Precision.INT8 and source.calibration is None:
            raise ExportError("int8 needs calibration photos; pass --data")
        workspace = converted.parent
        left: dict[str, int] = {}
        if precision is Precision.FP32:
            model = read_model(converted)
        else:
            half = self._converted(workspace, source, half=True)
            model = read_model(half)
            if precision is Precision.INT8:
                model, left = quantise_weights(half)
        if source.options.coreml_classifier:
            add_labels(model.specification, source.description.classes)
        write_model(model, source.describe(precision), target)
        return QuantisationRecord(scheme=SCHEMES[precision], left_in_float=left)

    def load(self, path: Path, threads: int | None = None) -> Artefact:
        """Load a package: by Apple's runtime on macOS, elsewhere by the evaluator."""
        require_packages(self.packages, self.extra)
        if platform.system() == "Darwin":
            return AppleArtefact(path)
        return EvaluatedArtefact(path, threads, Arithmetic.STORAGE)

    def describe(self, path: Path) -> FileFacts:
        """Facts of a package, read from its program."""
        require_packages(self.packages, self.extra)
        package = read_package(path)
        return read_facts(package, compile_program(package), read_package_metadata(package))

    def read_description(self, path: Path) -> Description:
        """The metadata of a package."""
        require_packages(self.packages, self.extra)
        return read_package_metadata(read_package(path))

    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        """Intermediate tensors by the evaluator on every system: Apple's runtime keeps none."""
        require_packages(self.packages, self.extra)
        yield from EvaluatedArtefact(path, arithmetic=Arithmetic.COMPUTE).trace(image)

    def other_runtimes(self, path: Path) -> Sequence[SecondRuntime]:
        """The evaluator's stricter mode: every result rounded to half precision."""
        if read_package_metadata(read_package(path)).precision is Precision.FP32:
            return ()
        rounded = EvaluatedArtefact(path, arithmetic=Arithmetic.COMPUTE)
        return (SecondRuntime(rounded.evaluator, rounded),)

    def _converted(self, workspace: Path, source: ExportSource, *, half: bool) -> Path:
        path = workspace / f"converted-{'fp16' if half else 'fp32'}{self.suffix}"
        if not path.exists():
            model: StoredModel = convert_graph(source, half=half)
            write_model(model, None, path)
        return path
