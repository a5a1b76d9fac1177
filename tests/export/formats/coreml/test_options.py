"""Image input, class labels, and the way a Mac takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from export.errors import ArtefactError
from export.formats.conversion_input import FormatOptions
from export.formats.coreml.format import CoremlFormat
from export.formats.coreml.package import read_model, write_model
from export.schema.metadata import Precision
from hierattn.preprocessing import PreprocessSpec
from tests.export.formats.coreml.evaluator.sources import (
    CLASSES,
    SIZE,
    describe,
    export_all,
    images_of,
    relative_error,
    source_of,
    tiny_network,
)


@pytest.fixture(scope="module")
def graph() -> nn.Module:
    return tiny_network()


@pytest.fixture(scope="module")
def tensor_package(graph: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tensor in, logits out."""
    source, folder = source_of(graph), tmp_path_factory.mktemp("tensor")
    converted, target = CoremlFormat().convert(source, folder), folder / "a.mlpackage"
    CoremlFormat().write(converted, source, Precision.FP32, target)
    return target


@pytest.fixture(scope="module")
def image_packages(
    graph: nn.Module, tmp_path_factory: pytest.TempPathFactory
) -> dict[Precision, Path]:
    """Image in; class label, probabilities and logits out."""
    options = FormatOptions(coreml_image_input=True, coreml_classifier=True)
    return export_all(source_of(graph, options=options), tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def image_package(image_packages: dict[Precision, Path]) -> Path:
    return image_packages[Precision.FP32]


class TestOptions:
    @pytest.mark.parametrize(
        ("precision", "bound"),
        [(Precision.FP32, 1e-5), (Precision.FP16, 1e-2), (Precision.INT8, 3e-2)],
    )
    def test_image_input_takes_the_same_pixels(
        self,
        precision: Precision,
        bound: float,
        image_packages: dict[Precision, Path],
        graph: nn.Module,
    ) -> None:
        artefact, images = CoremlFormat().load(image_packages[precision]), images_of(2)
        assert relative_error(artefact(images), graph, images) <= bound

    def test_facts_say_image(self, image_package: Path) -> None:
        facts = CoremlFormat().describe(image_package)
        assert (facts.input.layout, facts.input.dtype) == ("image", "uint8")
        assert facts.input.range == (0.0, 255.0)
        assert facts.operators["classify"] == 1

    def test_classifier_keeps_logits_beside_probabilities(self, image_package: Path) -> None:
        traced = {t.name: t.value for t in CoremlFormat().trace(image_package, images_of(1))}
        scaled = np.exp(traced["logits"] / 1.6)
        np.testing.assert_allclose(traced["probabilities"], scaled / scaled.sum(), rtol=1e-5)
        assert list(traced)[-1] == "logits"

    def test_declares_label_and_probabilities(self, image_package: Path) -> None:
        facts = read_model(image_package).specification.description
        assert {feature.name for feature in facts.output} == {
            "classLabel",
            "classLabel_probs",
            "logits",
        }
        assert facts.predictedFeatureName == "classLabel"
        assert facts.predictedProbabilitiesName == "classLabel_probs"

    def test_other_labels_are_refused(self, image_package: Path, tmp_path: Path) -> None:
        write_model(
            read_model(image_package), describe(SIZE, sorted(CLASSES, reverse=True)), tmp_path / "a"
        )
        with pytest.raises(ArtefactError, match="class labels are not those"):
            CoremlFormat().describe(tmp_path / "a")


class FakeAppleModel:
    """Stands in for Apple's runtime, which exists on macOS only; it answers what it was told."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def predict(self, features: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(features)
        return self.answer


class TestOnMac:
    @pytest.fixture
    def fake(self, monkeypatch: pytest.MonkeyPatch) -> FakeAppleModel:
        import coremltools as ct

        fake = FakeAppleModel({"logits": np.array([[1.0, 2.0, 3.0]])})
        monkeypatch.setattr("platform.system", lambda: "Darwin")
        monkeypatch.setattr("platform.mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))

        def load(path: str, compute_units: Any) -> FakeAppleModel:
            assert compute_units is ct.ComputeUnit.CPU_ONLY
            return fake

        monkeypatch.setattr("coremltools.models.MLModel", load)
        return fake

    def test_asks_apples_runtime(self, tensor_package: Path, fake: FakeAppleModel) -> None:
        artefact, images = CoremlFormat().load(tensor_package), images_of(2)
        np.testing.assert_array_equal(artefact(images), [[1, 2, 3], [1, 2, 3]])
        assert artefact.evaluator.startswith("Core ML on the CPU (macOS 15.1, coremltools ")
        for asked, image in zip(fake.asked, images, strict=True):
            np.testing.assert_array_equal(asked["input"], image[np.newaxis])

    def test_gives_an_image_input_an_image(self, image_package: Path, fake: FakeAppleModel) -> None:
        images = images_of(1)
        CoremlFormat().load(image_package)(images)
        pixels = np.asarray(fake.asked[0]["input"])
        assert (pixels.dtype, pixels.shape) == (np.uint8, (SIZE, SIZE, 3))
        again = PreprocessSpec(image_size=SIZE).to_input(pixels[np.newaxis])
        np.testing.assert_array_equal(again, images)

    @pytest.mark.parametrize("answer", [{}, {"logits": np.zeros((1, 4))}])
    def test_other_answers_are_refused(
        self, answer: dict[str, Any], tensor_package: Path, fake: FakeAppleModel
    ) -> None:
        artefact = CoremlFormat().load(tensor_package)
        fake.answer = answer
        with pytest.raises(ArtefactError, match="Core ML gave no 'logits' of 3 numbers"):
            artefact(images_of(1))

    def test_a_runtime_that_fails_names_the_file(
        self, tensor_package: Path, fake: FakeAppleModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(features: dict[str, Any]) -> None:
            raise RuntimeError("Unable to compute the prediction\nmore")

        artefact = CoremlFormat().load(tensor_package)
        monkeypatch.setattr(fake, "predict", fail)
        with pytest.raises(ArtefactError, match=r"did not answer: Unable to compute.*prediction$"):
            artefact(images_of(1))

    def test_package_that_core_ml_refuses(
        self,
        tensor_package: Path,
        fake: FakeAppleModel,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(path: str, compute_units: Any) -> None:
            raise RuntimeError("Error compiling model:\nmore")

        monkeypatch.setattr("coremltools.models.MLModel", refuse)
        with pytest.raises(ArtefactError, match=r"Core ML refused it: Error compiling model:$"):
            CoremlFormat().load(tensor_package)
