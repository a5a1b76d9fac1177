from __future__ import annotations

import dataclasses
import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from export.errors import ArtefactError, MissingPackageError
from export.formats.executorch.format import ExecutorchFormat
from export.formats.load import load_artefact
from export.schema.file_facts import Delegation
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import CLASSES, SIZE, Tiny, tiny_network, tiny_source

MISSING = importlib.util.find_spec("executorch") is None
if MISSING:
    warnings.warn(
        "EXECUTORCH WAS NOT TESTED: pip install -e '.[executorch]' -c constraints.txt",
        stacklevel=1,
    )
needs_executorch = [
    pytest.mark.skipif(MISSING, reason="executorch is not installed"),
    pytest.mark.slow,
]


class WithConstant(nn.Module):
    """A network with a constant that is no part of its state, as the rewritten pooling has."""

    def __init__(self, network: Tiny) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("constant", torch.full((3, 1, 1), 0.5), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images * self.constant)


@pytest.fixture(scope="session")
def network() -> nn.Module:
    return WithConstant(tiny_network()).eval()


@pytest.fixture(scope="session")
def written(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The same network, written twice; read only."""
    folder, writer = tmp_path_factory.mktemp("executorch"), ExecutorchFormat()
    source = dataclasses.replace(tiny_source(), graph=network)
    converted = writer.convert(source, folder)
    paths = [folder / f"{name}.pte" for name in ("first", "second")]
    for path in paths:
        writer.write(converted, source, Precision.FP32, path)
    assert "constant" not in network.state_dict()
    yield paths


class TestFile:
    pytestmark = needs_executorch

    def test_it_answers_as_torch_and_carries_its_metadata(
        self, written: list[Path], network: nn.Module
    ) -> None:
        artefact = load_artefact(written[0])
        images = np.random.default_rng(0).random((3, 3, SIZE, SIZE), np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(images)).numpy()
        np.testing.assert_allclose(artefact(images), expected, rtol=1e-4, atol=1e-5)
        assert artefact.evaluator.startswith("executorch ")
        assert artefact.description == tiny_source().describe(Precision.FP32)
        assert artefact.description.classes == CLASSES

    def test_the_same_input_gives_the_same_bytes(self, written: list[Path]) -> None:
        assert written[0].read_bytes() == written[1].read_bytes()

    def test_facts(self, written: list[Path]) -> None:
        facts = ExecutorchFormat().describe(written[0])
        assert facts.input.shape == [1, 3, SIZE, SIZE]
        calls = facts.operators["XnnpackBackend"]
        left = sum(facts.operators.values()) - calls
        assert calls >= 1 and facts.delegated == Delegation(partitions=calls, left=left)

    def test_it_says_that_it_cannot_be_traced(self, written: list[Path]) -> None:
        with pytest.raises(ArtefactError, match="cannot be traced: the XNNPACK delegate"):
            ExecutorchFormat().trace(written[0], np.zeros((1, 3, SIZE, SIZE), np.float32))

    def test_other_images_and_damaged_files_are_refused(
        self, written: list[Path], tmp_path: Path
    ) -> None:
        with pytest.raises(ArtefactError, match=r"takes float32 .* not float64"):
            load_artefact(written[0])(np.zeros((1, 3, SIZE, SIZE)))
        damaged = tmp_path / "damaged.pte"
        content = written[0].read_bytes()
        for wrong, words in (
            (b"something else", "not an ExecuTorch program"),
            (content[:1000], "refuses the file"),
        ):
            damaged.write_bytes(wrong)
            with pytest.raises(ArtefactError, match=words):
                load_artefact(damaged)


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "executorch" else find(name)
    )
    path = tmp_path / "file.pte"
    path.write_bytes(b"")
    with pytest.raises(MissingPackageError, match=r"pip install 'hierattn-mobile\[executorch\]'"):
        load_artefact(path)
