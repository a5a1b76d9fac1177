"""ExecuTorch format: torch's exported program, lowered to XNNPACK, batch size 1, float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from export.errors import ArtefactError
from export.formats.conversion_input import ExportSource, converter_errors
from export.formats.executorch.abilities import ABILITIES
from export.formats.executorch.program import count_operators, open_artefact
from export.formats.interface import EngineArtefact, FileFacts, Format, TracedTensor
from export.formats.registry import require_packages
from export.schema.file_facts import Delegation, InputFacts, OutputFacts
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import METADATA_KEY, Precision
from hierattn.common.files import write_bytes


class ExecutorchFormat(Format):
    """``.pte`` files; the metadata is the answer of the method ``hierattn``."""

    abilities = ABILITIES

    def convert(self, source: ExportSource, workspace: Path) -> Path:
        """Export by torch: ``workspace/exported.pt2``."""
        require_packages(self.packages, self.extra)
        import torch

        graph = copy.deepcopy(source.graph).eval()
        for module in graph.modules():
            for name, values in list(module.named_buffers(recurse=False)):
                # The lowering does not find constants that are left out of the state.
                module.register_buffer(name, values, persistent=True)
        image = torch.zeros(1, 3, source.image_size, source.image_size)
        converted = workspace / "exported.pt2"
        problem = f"executorch: torch cannot export {source.description.model}"
        with converter_errors(problem), torch.no_grad():
            torch.export.save(torch.export.export(graph, (image,)), converted)
        return converted

    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        """Lower to XNNPACK, with the metadata as a method that answers it."""
        import torch
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        with converter_errors(f"executorch: {source.description.model} cannot be lowered"):
            lowered = to_edge_transform_and_lower(
                torch.export.load(converted),
                partitioner=[XnnpackPartitioner()],
                constant_methods={METADATA_KEY: source.describe(precision).to_json()},
            )
            content = lowered.to_executorch().buffer
        write_bytes(target, content)
        return QuantisationRecord(scheme="float32 throughout", left_in_float={})

    def load(self, path: Path, threads: int | None = None) -> EngineArtefact:
        """Load with XNNPACK on the CPU; the runtime has one number of threads for all files."""
        require_packages(self.packages_to_run, self.extra)
        return open_artefact(path)

    def describe(self, path: Path) -> FileFacts:
        """Calls by kernel or delegate, and the delegation to XNNPACK."""
        require_packages(self.packages_to_run, self.extra)
        side = open_artefact(path).description.image_size
        operators, delegated = count_operators(path)
        return FileFacts(
            # Inputs of a program have places, no names.
            InputFacts(name="0", layout="NCHW", dtype="float32", shape=[1, 3, side, side]),
            OutputFacts(name="0"),
            operators,
            Delegation(partitions=delegated, left=sum(operators.values()) - delegated),
        )

    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        """Not possible.

        Raises:
            ArtefactError: always.
        """
        raise ArtefactError(
            f"{path}: cannot be traced: the XNNPACK delegate keeps no intermediate result"
        )
