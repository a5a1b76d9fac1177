from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from export.checks.golden.selftest import (
    check_preprocessing,
    golden_inputs,
    golden_pixels,
    read_selftest,
    write_selftest,
)
from export.errors import ExportError, ManifestError
from export.schema.metadata import Description, Precision
from export.schema.selftest import SELFTEST, SelfTest
from hierattn.errors import DataError
from hierattn.inference import TorchPredictor
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.models.registry import create_model
from hierattn.preprocessing import PreprocessSpec

SIZE, CLASSES = 64, ["mel", "nev", "bcc"]


@pytest.fixture(scope="module")
def predictor() -> TorchPredictor:
    torch.manual_seed(0)
    return TorchPredictor(create_model("hierattn_xs", len(CLASSES)))


@pytest.fixture(scope="module")
def description() -> Description:
    return Description(
        model="hierattn_xs",
        precision=Precision.FP32,
        classes=CLASSES,
        image_size=SIZE,
        preprocessing=PreprocessSpec(image_size=SIZE),
        operating_point=OperatingPoint(),
        weights_sha256="0" * 64,
        licence="none",
        intended_use="tests",
    )


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, predictor: TorchPredictor, description: Description
) -> tuple[Path, SelfTest]:
    folder = tmp_path_factory.mktemp("export") / "selftest"
    return folder, write_selftest(folder, description, predictor, {"fp32": 1e-5, "fp16": 1e-2})


@pytest.fixture
def folder(written: tuple[Path, SelfTest], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(written[0], tmp_path / "selftest")
    return tmp_path / "selftest"


def test_reads_back_as_written(written: tuple[Path, SelfTest], predictor: TorchPredictor) -> None:
    folder, selftest = written
    assert read_selftest(folder) == selftest
    check_preprocessing(folder, selftest)
    images = golden_inputs(folder, selftest)
    assert images.dtype == np.float32 and images.shape == (len(selftest.images), 3, SIZE, SIZE)
    assert golden_pixels(folder, selftest).dtype == np.uint8
    # The digits in JSON are those of the very logits, to the last bit.
    assert np.array_equal(selftest.logits(), predictor(images).astype(np.float64))
    assert selftest.tolerances[Precision.FP32].max_relative == 1e-5


def test_raw_tensors_are_documented_bytes(written: tuple[Path, SelfTest]) -> None:
    """Read as an app in another language would, without this package."""
    folder, _ = written
    listed = json.loads((folder / SELFTEST).read_text())
    spec = PreprocessSpec(image_size=SIZE)
    for image in listed["images"]:
        raw = np.fromfile(folder / image["tensor"], dtype=np.uint8).reshape(SIZE, SIZE, 3)
        assert np.array_equal(raw, spec.load(folder / image["file"]))
        assert len(image["logits"]) == len(listed["classes"])
        assert image["scale"] >= max(map(abs, image["logits"]))


def test_writing_twice_gives_the_same_bytes(
    written: tuple[Path, SelfTest],
    tmp_path: Path,
    predictor: TorchPredictor,
    description: Description,
) -> None:
    write_selftest(tmp_path / "again", description, predictor, {"fp32": 1e-5, "fp16": 1e-2})
    names = sorted(path.name for path in written[0].iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (written[0] / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize(
    "answer",
    [
        lambda images: np.zeros((len(images), 3)),
        lambda images: np.full((len(images), 3), np.nan),
        lambda images: np.ones((len(images), 4)),
    ],
)
def test_a_model_that_answers_nonsense_leaves_nothing(
    answer: Callable[[np.ndarray], np.ndarray], tmp_path: Path, description: Description
) -> None:
    with pytest.raises(ExportError, match="the model answers"):
        write_selftest(tmp_path / "selftest", description, answer, {"fp32": 1e-5})
    assert not list(tmp_path.iterdir())


def test_never_written_over_something(
    folder: Path, predictor: TorchPredictor, description: Description
) -> None:
    with pytest.raises(DataError, match="not an empty folder"):
        write_selftest(folder, description, predictor, {"fp32": 1e-5})


@pytest.mark.parametrize("name", ["thin.png", "thin.rgb", "exact.png", SELFTEST])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ManifestError, match=rf"{name}: No such file.*export again"):
        read_selftest(folder)


@pytest.mark.parametrize("name", ["thin.png", "odd.rgb"])
def test_a_changed_byte_is_named(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ManifestError, match=rf"{name}: its sha256"):
        read_selftest(folder)


def test_links_and_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "thin.png").rename(tmp_path / "outside.png")
    (folder / "thin.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(ManifestError, match=r"thin\.png: not a plain file"):
        read_selftest(folder)
    (folder / "thin.png").unlink()
    (folder / "thin.png").mkdir()
    with pytest.raises(ManifestError, match=r"thin\.png: not a plain file"):
        read_selftest(folder)


def test_an_oversized_file_is_not_read(folder: Path) -> None:
    with (folder / "thin.rgb").open("ab") as file:
        file.truncate(2**34)
    with pytest.raises(ManifestError, match=r"thin\.rgb: 17179869184 bytes"):
        read_selftest(folder)


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    listed = json.loads((folder / SELFTEST).read_text())
    change(listed)
    (folder / SELFTEST).write_text(json.dumps(listed))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t["images"][1].update(file="../thin.png"), r"images\.1\.file"),
        (lambda t: t["images"][1].update(tensor="/etc/passwd"), r"images\.1\.tensor"),
        (lambda t: t["images"][1].update(tensor="a\\b.rgb"), r"images\.1\.tensor"),
        (lambda t: t["images"][1].update(file="thin.png\n"), r"images\.1\.file"),
        (lambda t: t["images"][2].update(file="exact.png"), "two images share a file"),
        (lambda t: t["images"][2]["logits"].pop(), r"small_tall\.png: 3 logits"),
        (lambda t: t["images"][2]["logits"].__setitem__(0, float("nan")), "logits"),
        (lambda t: t.update(image_size=65), "image_size and preprocessing"),
        (lambda t: t.update(version=2), "'version'"),
        (lambda t: t.update(images=[]), "'images'"),
        (lambda t: t.pop("classes"), "'classes'"),
        (lambda t: t.update(surprise=1), "'surprise'"),
        (lambda t: t["tolerances"].update(fp8={"max_relative": 1}), "tolerances"),
        (lambda t: t["images"][0].update(scale=0), r"images\.0\.scale"),
        (lambda t: t["images"][0].update(width=9), r"exact\.png: not a PNG of 9 x 64"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    _edit(folder, change)
    with pytest.raises(ManifestError, match=reason) as caught:
        read_selftest(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff\xfe", b"{" * 100_000, b'{"images": [' * 10_000, b"null", b"\x00" * 64],
)
def test_what_is_no_list_is_refused(folder: Path, content: bytes) -> None:
    (folder / SELFTEST).write_bytes(content)
    with pytest.raises(ManifestError, match=SELFTEST) as caught:
        read_selftest(folder)
    assert "\n" not in str(caught.value)


def _relist(folder: Path, name: str, field: str) -> None:
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    key = "file" if name.endswith(".png") else "tensor"
    _edit(
        folder,
        lambda t: [image.update({field: digest}) for image in t["images"] if image[key] == name],
    )


def test_a_tensor_of_another_resize_is_found(folder: Path) -> None:
    """Even where the list was made to fit the changed tensor."""
    tensor = np.fromfile(folder / "odd.rgb", dtype=np.uint8)
    tensor[100] ^= 1
    tensor.tofile(folder / "odd.rgb")
    _relist(folder, "odd.rgb", "tensor_sha256")
    selftest = read_selftest(folder)
    with pytest.raises(ManifestError, match=r"odd\.png: becomes another tensor .* in 1 of 4096"):
        check_preprocessing(folder, selftest)


def test_a_picture_that_cannot_be_decoded_is_found(folder: Path) -> None:
    content = (folder / "odd.png").read_bytes()
    (folder / "odd.png").write_bytes(content[: len(content) // 2])
    _relist(folder, "odd.png", "sha256")
    selftest = read_selftest(folder)
    with pytest.raises(ManifestError, match=r"odd\.png"):
        check_preprocessing(folder, selftest)


def test_a_tensor_of_another_size_is_found(folder: Path) -> None:
    (folder / "odd.rgb").write_bytes(b"\0" * 12)
    _relist(folder, "odd.rgb", "tensor_sha256")
    with pytest.raises(ManifestError, match=r"odd\.rgb: not of 64 x 64 x 3 bytes"):
        golden_inputs(folder, read_selftest(folder))
