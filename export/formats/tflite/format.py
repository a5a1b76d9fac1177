"""TFLite format: channels last, batch size 1, one XNNPACK partition, metadata in an archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from export.errors import ArtefactError, ExportError
from export.formats.conversion_input import ExportSource, converter_errors
from export.formats.interface import (
    EngineArtefact,
    FileFacts,
    Format,
    OperatorCost,
    TracedTensor,
)
from export.formats.registry import require_packages
from export.formats.tflite.abilities import ABILITIES
from export.formats.tflite.archive import append_archive, split_archive
from export.formats.tflite.costs import operator_costs
from export.formats.tflite.flatbuffer import operator_kinds, pack, read_tflite
from export.formats.tflite.half_arithmetic import allow_half_arithmetic
from export.formats.tflite.interpreter import open_artefact, trace_tensors
from export.formats.tflite.standard_metadata import (
    METADATA_NAME,
    add_metadata,
    standard_metadata,
)
from export.formats.tflite.tidy import tidy
from export.schema.file_facts import Delegation, InputFacts, OutputFacts
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import Description, Precision
from hierattn.common.files import regular_file, write_bytes


class TfliteFormat(Format):
    """``.tflite`` files: converted by litert-torch, run by LiteRT."""

    abilities = ABILITIES

    def convert(self, source: ExportSource, workspace: Path) -> Path:
        """Convert to a float32 model with short tensor names, without an archive."""
        require_packages(self.packages, self.extra)
        import litert_torch
        import torch
        from ai_edge_litert.tools import flatbuffer_utils

        network = litert_torch.to_channel_last_io(source.graph, args=[0]).eval()
        image = torch.zeros(1, source.image_size, source.image_size, 3)
        raw = workspace / "converter.tflite"
        with converter_errors(f"litert-torch cannot convert {source.description.model}"):
            litert_torch.convert(network, (image,)).export(str(raw))
        model = flatbuffer_utils.read_model(str(raw))
        tidy(model, network)
        converted = workspace / "converted.tflite"
        write_bytes(converted, pack(model))
        raw.unlink()
        return converted

    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        """Bring the converted file to a precision and append the archive."""
        from export.formats.tflite.quantise import cast_to_half
        from export.formats.tflite.scheme import quantise

        model = converted.read_bytes()
        done = QuantisationRecord(scheme="float32 throughout", left_in_float={})
        if precision is Precision.FP16:
            model, done = cast_to_half(model)
        elif precision is Precision.INT8:
            if source.calibration is None or not len(source.calibration):
                raise ExportError("int8 needs calibration photos; pass --data")
            model, done = quantise(model, source.calibration)
        description = source.describe(precision)
        parsed, _ = read_tflite(model, target)
        if precision is Precision.FP16:
            allow_half_arithmetic(parsed)
        add_metadata(parsed, METADATA_NAME, standard_metadata(description))
        write_bytes(target, append_archive(pack(parsed), description))
        return done

    def load(self, path: Path, threads: int | None = None) -> EngineArtefact:
        """Load with XNNPACK on the CPU."""
        _, packed, description = self._read(path)
        return open_artefact(packed, path, description, threads)

    def describe(self, path: Path) -> FileFacts:
        """Operators by kind, input and output, and the delegation to XNNPACK."""
        model, packed, description = self._read(path)
        engine = open_artefact(packed, path, description).engine
        first, last = engine.input, engine.output
        return FileFacts(
            input=InputFacts(
                name=first["name"],
                layout="NHWC",
                dtype=np.dtype(first["dtype"]).name,
                shape=[int(length) for length in first["shape"]],
            ),
            output=OutputFacts(name=last["name"]),
            operators=dict(sorted(Counter(operator_kinds(model)).items())),
            delegated=Delegation(**engine.delegated()),
        )

    def arm64_costs(self, path: Path) -> list[OperatorCost]:
        """The delegate decides by types and shapes, so what it takes here it takes there."""
        model, packed, description = self._read(path)
        return operator_costs(model, open_artefact(packed, path, description).engine.executed())

    def read_description(self, path: Path) -> Description:
        """The metadata behind the model; no runtime is needed."""
        return split_archive(_read_bytes(path), path)[1]

    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        """Run one image on the reference kernels: a delegate keeps no intermediate tensor."""
        model, packed, description = self._read(path)
        artefact = open_artefact(packed, path, description, traced=True)
        kinds = operator_kinds(model)
        yield from trace_tensors(artefact, model.subgraphs[0], kinds, image[:1])

    def _read(self, path: Path) -> tuple[Any, bytes, Description]:
        """The parsed model, its bytes for the runtime, and the description."""
        require_packages(self.packages_to_run, self.extra)
        flatbuffer, description = split_archive(_read_bytes(path), path)
        return *read_tflite(flatbuffer, path), description


def _read_bytes(path: Path) -> bytes:
    try:
        return regular_file(path).read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from error
