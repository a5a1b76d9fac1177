from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from export.errors import ArtefactError, MissingPackageError
from export.formats.load import load_artefact
from hierattn.errors import ConfigError
from tests.export.formats.onnx.test_reading import VALID
from tests.export.formats.onnx.tiny import CLASSES, SIZE, images


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.onnx"
    path.write_bytes(VALID)
    return path


def test_a_file_answers(file: Path) -> None:
    artefact = load_artefact(str(file), threads=1)
    logits = artefact(images(2))
    assert (logits.shape, logits.dtype) == ((2, len(CLASSES)), np.float32)
    assert artefact.path == file
    assert artefact.description.image_size == SIZE
    assert artefact.evaluator.startswith("onnxruntime ")
    np.testing.assert_array_equal(logits, load_artefact(file)(images(2)))


@pytest.mark.parametrize("suffix", [".onnx", ".tflite", ".mlpackage"])
def test_a_missing_file_is_named(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"none{suffix}"
    with pytest.raises(ArtefactError, match="no such file") as caught:
        load_artefact(path)
    assert str(caught.value).startswith(str(path))


def test_an_unknown_ending_lists_the_known(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(b"")
    with pytest.raises(ArtefactError, match=r"not an exported file .*\.onnx, \.tflite, \.mlpack"):
        load_artefact(path)


def test_a_folder_is_no_onnx_file(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ArtefactError, match="a folder, not"):
        load_artefact(tmp_path / "folder.onnx")


def test_threads_must_be_counted_from_one(file: Path) -> None:
    with pytest.raises(ConfigError, match="threads must be 1 or more, not 0"):
        load_artefact(file, threads=0)


def test_a_missing_package_names_the_extra(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )
    with pytest.raises(MissingPackageError, match=r"pip install 'hierattn-mobile\[onnx\]'"):
        load_artefact(file)
