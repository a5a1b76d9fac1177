from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from export.coreml_evaluator import Arithmetic
from export.deployment import deployment_graph
from export.description import Description, Precision
from export.errors import ArtefactError, ExportError
from export.formats.coreml import CoremlFormat
from export.formats.coreml_artefact import EvaluatedArtefact
from export.formats.coreml_package import read_model, write_model
from export.formats.interface import InputFacts
from export.source import ExportSource, FormatOptions
from hierattn import create_model, list_models
from hierattn.metrics.calibration import OperatingPoint
from hierattn.preprocessing import PreprocessSpec

CLASSES = ["melanoma", "naevus", "other"]
SIZE = 32


def describe(size: int, classes: list[str]) -> Description:
    return Description(
        model="tiny",
        precision=Precision.FP32,
        classes=classes,
        image_size=size,
        preprocessing=PreprocessSpec(image_size=size),
        operating_point=OperatingPoint(temperature=1.6),
        weights_sha256="ab" * 32,
        licence="CC BY 4.0",
        intended_use="Research. Not a medical device.",
    )


def source_of(
    graph: nn.Module,
    size: int = SIZE,
    options: FormatOptions = FormatOptions(),  # noqa: B008 - frozen
) -> ExportSource:
    photos = np.random.default_rng(0).random((2, 3, size, size), np.float32)
    return ExportSource(graph, describe(size, CLASSES), photos, options)


def tiny_network() -> nn.Module:
    torch.manual_seed(4)
    parts = [nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.SiLU(), nn.Conv2d(16, 64, 3)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, len(CLASSES))]
    return nn.Sequential(*parts, nn.ReLU(), *head).eval()


def images_of(count: int, size: int = SIZE) -> np.ndarray:
    pixels = np.random.default_rng(9).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return PreprocessSpec(image_size=size).to_input(pixels)


def relative_error(found: np.ndarray, graph: nn.Module, images: np.ndarray) -> float:
    with torch.inference_mode():
        expected = graph(torch.from_numpy(images)).numpy()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def package_hash(path: Path) -> str:
    parts = [
        f"{file.relative_to(path)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in sorted(path.rglob("*"))
        if file.is_file()
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def export_all(source: ExportSource, folder: Path) -> dict[Precision, Path]:
    exporter, workspace = CoremlFormat(), folder / "workspace"
    workspace.mkdir(parents=True)
    converted = exporter.convert(source, workspace)
    files = {}
    for precision in Precision:
        files[precision] = folder / f"tiny-{precision}.mlpackage"
        exporter.write(converted, source, precision, files[precision])
    return files


@pytest.fixture(scope="module")
def graph() -> nn.Module:
    return tiny_network()


@pytest.fixture(scope="module")
def files(graph: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> dict[Precision, Path]:
    return export_all(source_of(graph), tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize(
    ("precision", "bound"),
    [(Precision.FP32, 1e-5), (Precision.FP16, 1e-2), (Precision.INT8, 3e-2)],
)
def test_file_answers_like_torch(
    precision: Precision, bound: float, graph: nn.Module, files: dict[Precision, Path]
) -> None:
    artefact = CoremlFormat().load(files[precision])
    images = images_of(3)
    assert relative_error(artefact(images), graph, images) <= bound
    assert artefact.description == source_of(graph).describe(precision)
    assert artefact.evaluator.startswith(
        "graph and weights verified; not Apple's runtime (coremltools "
    )


def test_half_rounds_where_single_does_not(files: dict[Precision, Path], graph: nn.Module) -> None:
    images = images_of(2)
    storage = EvaluatedArtefact(files[Precision.FP16], arithmetic=Arithmetic.STORAGE)
    compute = EvaluatedArtefact(files[Precision.FP16], arithmetic=Arithmetic.COMPUTE)
    errors = [relative_error(a(images), graph, images) for a in (storage, compute)]
    assert min(errors) > 1e-6
    assert errors[0] != errors[1]
    assert "fp16 storage" in storage.evaluator and "fp16 compute" in compute.evaluator


def test_sizes_follow_the_precision(files: dict[Precision, Path]) -> None:
    sizes = [(files[precision] / WEIGHTS).stat().st_size for precision in Precision]
    assert sizes[1] < 0.6 * sizes[0]
    assert sizes[2] < 0.75 * sizes[1]


WEIGHTS = Path("Data/com.apple.CoreML/weights/weight.bin")


def test_facts(files: dict[Precision, Path]) -> None:
    facts = CoremlFormat().describe(files[Precision.INT8])
    assert facts.input == InputFacts(
        name="input", layout="NCHW", dtype="float32", shape=[1, 3, SIZE, SIZE]
    )
    assert (facts.output.name, facts.delegated) == ("logits", None)
    assert facts.operators["conv"] == 2
    assert facts.operators["constexpr_affine_dequantize"] == 1
    assert "const" not in facts.operators


def test_trace_ends_with_the_logits(files: dict[Precision, Path]) -> None:
    image = images_of(1)
    traced = list(CoremlFormat().trace(files[Precision.FP16], image))
    assert [traced[0].operator, traced[-1].name] == ["cast", "logits"]
    assert {tensor.operator for tensor in traced} >= {"conv", "silu", "relu", "linear"}
    np.testing.assert_array_equal(
        traced[-1].value, CoremlFormat().load(files[Precision.FP16])(image)
    )


def test_values_keep_their_names_across_precisions(files: dict[Precision, Path]) -> None:
    image, exporter = images_of(1), CoremlFormat()
    single = {tensor.name for tensor in exporter.trace(files[Precision.FP32], image)}
    half = {tensor.name for tensor in exporter.trace(files[Precision.FP16], image)}
    assert single <= half
    assert half == {tensor.name for tensor in exporter.trace(files[Precision.INT8], image)}


def test_int8_names_what_stays_in_float(graph: nn.Module, tmp_path: Path) -> None:
    exporter, source = CoremlFormat(), source_of(graph)
    converted = exporter.convert(source, tmp_path)
    quantisation = exporter.write(converted, source, Precision.INT8, tmp_path / "a.mlpackage")
    assert quantisation.left_in_float == {"conv": 1, "linear": 1}
    assert "8-bit" in quantisation.scheme


def test_int8_without_photos_is_refused(graph: nn.Module, tmp_path: Path) -> None:
    source = ExportSource(graph, describe(SIZE, CLASSES))
    with pytest.raises(ExportError, match="int8 needs calibration photos; pass --data"):
        CoremlFormat().write(tmp_path, source, Precision.INT8, tmp_path / "a.mlpackage")


def test_same_bytes_again(graph: nn.Module, files: dict[Precision, Path], tmp_path: Path) -> None:
    again = export_all(source_of(graph), tmp_path)
    for precision, path in files.items():
        assert package_hash(path) == package_hash(again[precision])


SCRIPT = """
import sys
from pathlib import Path
from tests.export.formats.test_coreml import export_all, package_hash, source_of, tiny_network
for path in export_all(source_of(tiny_network()), Path(sys.argv[1])).values():
    print(package_hash(path))
"""


@pytest.mark.slow
def test_same_bytes_whatever_the_order_of_hashes(
    files: dict[Precision, Path], tmp_path: Path
) -> None:
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split() == [package_hash(path) for path in files.values()]


def test_package_holds_nothing_of_the_day(files: dict[Precision, Path]) -> None:
    path = files[Precision.FP32]
    assert sorted(str(f.relative_to(path)) for f in path.rglob("*") if f.is_file()) == [
        "Data/com.apple.CoreML/model.mlmodel",
        str(WEIGHTS),
        "Manifest.json",
    ]
    facts = read_model(path).specification.description
    assert not [key for key in facts.metadata.userDefined if "date" in key]
    assert facts.metadata.userDefined["classes"] == "melanoma, naevus, other"
    assert facts.metadata.userDefined["probabilities"] == "softmax(logits / 1.6)"
    assert facts.metadata.license == "CC BY 4.0"
    assert "Not a medical device" in facts.metadata.shortDescription


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 3, SIZE, SIZE)),
        np.zeros((3, SIZE, SIZE), np.float32),
        np.zeros((1, 3, SIZE, SIZE + 1), np.float32),
    ],
    ids=["float64", "rank", "size"],
)
def test_other_images_are_refused(images: np.ndarray, files: dict[Precision, Path]) -> None:
    artefact = CoremlFormat().load(files[Precision.FP32])
    with pytest.raises(ArtefactError, match=r"takes float32 \[N, 3, 32, 32\]"):
        artefact(images)


def test_file_without_description(files: dict[Precision, Path], tmp_path: Path) -> None:
    write_model_without = read_model(files[Precision.FP32])
    del write_model_without.specification.description.metadata.userDefined["hierattn"]
    write_model(write_model_without, None, tmp_path / "a.mlpackage")
    with pytest.raises(ArtefactError, match="carries no 'hierattn' metadata"):
        CoremlFormat().load(tmp_path / "a.mlpackage")


@pytest.mark.parametrize(
    ("size", "classes", "message"),
    [
        (64, CLASSES, "its inputs .* do not fit its description"),
        (SIZE, [*CLASSES, "more"], "no output 'logits' with 4 numbers"),
    ],
)
def test_description_of_another_model(
    size: int, classes: list[str], message: str, files: dict[Precision, Path], tmp_path: Path
) -> None:
    model = read_model(files[Precision.FP32])
    write_model(model, describe(size, classes), tmp_path / "a.mlpackage")
    with pytest.raises(ArtefactError, match=message):
        CoremlFormat().load(tmp_path / "a.mlpackage")


class _Undecided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)) if x.sum() > 0 else x.amax((2, 3))


def test_network_that_cannot_be_converted(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"^Core ML: the network cannot be converted: ") as caught:
        CoremlFormat().convert(source_of(_Undecided()), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def image_package(graph: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Image in; class label, probabilities and logits out."""
    options = FormatOptions(coreml_image_input=True, coreml_classifier=True)
    source, folder = source_of(graph, options=options), tmp_path_factory.mktemp("options")
    exporter = CoremlFormat()
    converted = exporter.convert(source, folder)
    exporter.write(converted, source, Precision.FP32, folder / "a.mlpackage")
    return folder / "a.mlpackage"


class TestOptions:
    def test_image_input_takes_the_same_pixels(self, image_package: Path, graph: nn.Module) -> None:
        artefact, images = CoremlFormat().load(image_package), images_of(2)
        assert relative_error(artefact(images), graph, images) <= 1e-5

    def test_facts_say_image(self, image_package: Path) -> None:
        facts = CoremlFormat().describe(image_package)
        assert (facts.input.layout, facts.input.dtype) == ("image", "uint8")
        assert facts.input.range == (0.0, 255.0)
        assert facts.operators["classify"] == 1

    def test_classifier_keeps_logits_beside_probabilities(
        self, image_package: Path
    ) -> None:
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

    def test_asks_apples_runtime(self, fake: FakeAppleModel, files: dict[Precision, Path]) -> None:
        artefact, images = CoremlFormat().load(files[Precision.FP32]), images_of(2)
        np.testing.assert_array_equal(artefact(images), [[1, 2, 3], [1, 2, 3]])
        assert artefact.evaluator.startswith("Core ML on the CPU (macOS 15.1, coremltools ")
        for asked, image in zip(fake.asked, images, strict=True):
            np.testing.assert_array_equal(asked["input"], image[np.newaxis])

    def test_gives_an_image_input_an_image(
        self, fake: FakeAppleModel, graph: nn.Module, tmp_path: Path
    ) -> None:
        source = source_of(graph, options=FormatOptions(coreml_image_input=True))
        converted = CoremlFormat().convert(source, tmp_path)
        CoremlFormat().write(converted, source, Precision.FP32, tmp_path / "a.mlpackage")
        images = images_of(1)
        CoremlFormat().load(tmp_path / "a.mlpackage")(images)
        pixels = np.asarray(fake.asked[0]["input"])
        assert (pixels.dtype, pixels.shape) == (np.uint8, (SIZE, SIZE, 3))
        np.testing.assert_array_equal(
            PreprocessSpec(image_size=SIZE).to_input(pixels[None]), images
        )

    @pytest.mark.parametrize("answer", [{}, {"logits": np.zeros((1, 4))}])
    def test_other_answers_are_refused(
        self, answer: dict[str, Any], fake: FakeAppleModel, files: dict[Precision, Path]
    ) -> None:
        artefact = CoremlFormat().load(files[Precision.FP32])
        fake.answer = answer
        with pytest.raises(ArtefactError, match="Core ML gave no 'logits' of 3 numbers"):
            artefact(images_of(1))

    def test_package_that_core_ml_refuses(
        self,
        fake: FakeAppleModel,
        files: dict[Precision, Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(path: str, compute_units: Any) -> None:
            raise RuntimeError("Error compiling model:\nmore")

        monkeypatch.setattr("coremltools.models.MLModel", refuse)
        with pytest.raises(ArtefactError, match=r"Core ML refused it: Error compiling model:$"):
            CoremlFormat().load(files[Precision.FP32])


def trained_like(name: str, size: int) -> nn.Module:
    """Random weights, with batch norms that fit them: untrained ones let signals fade away."""
    torch.manual_seed(1)
    model = create_model(name, len(CLASSES))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        model.train()(torch.from_numpy(images_of(4, size)))
    return model.eval()


def check_model(name: str, size: int, folder: Path, *, half: bool, naive: bool = False) -> None:
    model = trained_like(name, size)
    source = source_of(model if naive else deployment_graph(model, size), size)
    exporter, images = CoremlFormat(), images_of(2, size)
    converted = exporter.convert(source, folder)
    for precision, bound in {Precision.FP32: 1e-5, Precision.FP16: 1e-2}.items():
        if precision is Precision.FP32 or half:
            target = folder / f"{precision}.mlpackage"
            exporter.write(converted, source, precision, target)
            assert relative_error(exporter.load(target)(images), model, images) <= bound


def test_hierattn_xs_equals_torch(tmp_path: Path) -> None:
    check_model("hierattn_xs", 64, tmp_path, half=False)


@pytest.mark.slow
def test_hierattn_xs_in_half_precision(tmp_path: Path) -> None:
    check_model("hierattn_xs", 64, tmp_path, half=True)


@pytest.mark.slow
def test_untouched_graph_equals_torch(tmp_path: Path) -> None:
    check_model("hierattn_xs", 64, tmp_path, half=False, naive=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(list_models()) - {"hierattn_xs"}))
def test_every_other_model_equals_torch(name: str, tmp_path: Path) -> None:
    half = name in ("hierattn_s", "mobilenet_v3_large", "shufflenet_v2_x1_0")
    check_model(name, 224, tmp_path, half=half)
