from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from export.errors import ArtefactError, ExportError
from export.formats.conversion_input import ExportSource
from export.formats.coreml.artefact import EvaluatedArtefact
from export.formats.coreml.evaluator import Arithmetic
from export.formats.coreml.format import CoremlFormat
from export.formats.coreml.package import read_model, write_model
from export.schema.file_facts import InputFacts
from export.schema.metadata import Precision
from tests.export.formats.coreml.evaluator.sources import (
    CLASSES,
    SIZE,
    describe,
    export_all,
    images_of,
    package_hash,
    relative_error,
    source_of,
    tiny_network,
)

WEIGHTS = Path("Data/com.apple.CoreML/weights/weight.bin")


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
    rounded = EvaluatedArtefact(files[Precision.FP16], arithmetic=Arithmetic.COMPUTE)
    np.testing.assert_array_equal(traced[-1].value, rounded(image))


def test_the_other_mode_rounds_every_result(files: dict[Precision, Path]) -> None:
    exporter, images = CoremlFormat(), images_of(2)
    assert not exporter.other_runtimes(files[Precision.FP32])
    for precision in (Precision.FP16, Precision.INT8):
        (other,) = exporter.other_runtimes(files[precision])
        assert "fp16 compute" in other.runtime
        first = exporter.load(files[precision])
        assert "fp16 storage" in first.evaluator
        assert np.abs(other.run(images) - first(images)).max() > 0


def test_values_keep_their_names_across_precisions(files: dict[Precision, Path]) -> None:
    image, exporter = images_of(1), CoremlFormat()
    single = {tensor.name for tensor in exporter.trace(files[Precision.FP32], image)}
    half = {tensor.name for tensor in exporter.trace(files[Precision.FP16], image)}
    assert single <= half
    assert half == {tensor.name for tensor in exporter.trace(files[Precision.INT8], image)}


def test_int8_names_what_stays_in_float(
    graph: nn.Module, files: dict[Precision, Path], tmp_path: Path
) -> None:
    converted = files[Precision.FP32].parent / "workspace" / "converted-fp32.mlpackage"
    target = tmp_path / "a.mlpackage"
    quantisation = CoremlFormat().write(converted, source_of(graph), Precision.INT8, target)
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
from tests.export.formats.coreml.evaluator.sources import *
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
            cwd=Path(__file__).parents[4],
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
    model = read_model(files[Precision.FP32])
    del model.specification.description.metadata.userDefined["hierattn"]
    write_model(model, None, tmp_path / "a.mlpackage")
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


def test_package_is_written_whole_or_not_at_all(
    files: dict[Precision, Path], tmp_path: Path
) -> None:
    target = tmp_path / "a.mlpackage"
    (target / "Data").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"cannot write .*a\.mlpackage: "):
        write_model(read_model(files[Precision.FP32]), None, target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mlpackage"]
    assert not list((target / "Data").iterdir())
