"""The format itself: the least that the interface asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.errors import ArtefactError
from export.formats.conversion_input import ExportSource
from export.formats.interface import Artefact, FileFacts, Format, TracedTensor
from export.schema.file_facts import InputFacts, OutputFacts
from export.schema.manifest import QuantisationRecord
from export.schema.metadata import METADATA_KEY, Description, Precision, parse_description
from tests.export.formats.torchscript.abilities import ABILITIES


class Network(nn.Module):
    def __init__(self, graph: nn.Module, side: int) -> None:
        super().__init__()
        self.graph, self.side = graph, side

    def forward(self, images: Tensor) -> Tensor:
        return self.graph(images)


class TorchscriptArtefact(Artefact):
    evaluator = f"torchscript {torch.__version__}"

    def __init__(self, path: Path) -> None:
        extra = {METADATA_KEY: ""}
        try:
            self.network = torch.jit.load(path, _extra_files=extra)
        except (RuntimeError, ValueError) as error:
            raise ArtefactError(f"{path}: torch cannot load it") from error
        text = extra[METADATA_KEY]
        self.path = path
        self.description: Description = parse_description(
            text.decode() if isinstance(text, bytes) else text, path
        )

    def __call__(self, images: np.ndarray, /) -> np.ndarray:
        with torch.inference_mode():
            return self.network(torch.from_numpy(images)).numpy()


class TorchscriptFormat(Format):
    abilities = ABILITIES

    def convert(self, source: ExportSource, workspace: Path) -> Path:
        size = source.image_size
        with torch.no_grad():
            traced = torch.jit.trace(source.graph.eval(), torch.zeros(1, 3, size, size))
        torch.jit.save(torch.jit.script(Network(traced, size)), workspace / "traced")
        return workspace / "traced"

    def write(
        self, converted: Path, source: ExportSource, precision: Precision, target: Path
    ) -> QuantisationRecord:
        metadata = {METADATA_KEY: source.describe(precision).to_json()}
        torch.jit.save(torch.jit.load(converted), target, _extra_files=metadata)
        return QuantisationRecord(scheme="float32 throughout", left_in_float={})

    def load(self, path: Path, threads: int | None = None) -> TorchscriptArtefact:
        return TorchscriptArtefact(path)

    def describe(self, path: Path) -> FileFacts:
        loaded = TorchscriptArtefact(path)
        side = loaded.description.image_size
        kinds = Counter(node.kind() for node in loaded.network.inlined_graph.nodes())
        shape = [-1, 3, side, side]
        return FileFacts(
            InputFacts(name="images", layout="NCHW", dtype="float32", shape=shape),
            OutputFacts(name="logits"),
            dict(sorted(kinds.items())),
        )

    def trace(self, path: Path, image: np.ndarray) -> Iterator[TracedTensor]:
        raise ArtefactError(f"{path}: TorchScript shows no intermediate result")
