"""Damaged and hostile packages: one line, and nothing outside the package is opened."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.errors import ArtefactError, UnsupportedOperationError
from export.formats.coreml.evaluator import compile_program, read_package
from export.formats.coreml.evaluator.kinds import FP16, FP32
from export.formats.coreml.evaluator.weights import read_weight_file
from export.formats.coreml.tidy import main_block
from tests.export.formats.coreml.evaluator.programs import Build, save, to_model
from tests.export.loading import loading_says

FOLDER = Path("Data/com.apple.CoreML")
SPECIFICATION = FOLDER / "model.mlmodel"
WEIGHTS = FOLDER / "weights/weight.bin"


def _tiny(mb: Any, x: Any) -> Any:
    weight = np.arange(108, dtype=np.float32).reshape(4, 3, 3, 3)
    x = mb.conv(x=x, weight=weight, pad_type="custom", pad=[1, 1, 1, 1])
    x = mb.concat(values=[x, x], axis=1, interleave=True)
    return mb.linear(x=mb.reduce_mean(x=x, axes=[2, 3]), weight=np.ones((5, 8), np.float32))


BUILD: Build = _tiny


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("package"), to_model(BUILD, (1, 3, 4, 4)))


@pytest.fixture
def package(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / whole.name))


def test_what_reads_a_package_leaves_stderr_alone(whole: Path) -> None:
    """In a process of its own: coremltools announces all that Linux lacks as it is imported."""
    assert loading_says(whole) == ""


def edit_manifest(package: Path, change: Callable[[dict[str, Any]], None]) -> None:
    file = package / "Manifest.json"
    fields = json.loads(file.read_text())
    change(fields)
    file.write_text(json.dumps(fields))


def point_at(package: Path, path: str) -> None:
    edit_manifest(
        package,
        lambda fields: fields["itemInfoEntries"][fields["rootModelIdentifier"]].update(path=path),
    )


def refused(package: Path, message: str) -> None:
    with pytest.raises(ArtefactError, match=message) as caught:
        compile_program(read_package(package))
    assert "\n" not in str(caught.value)


def stored_constant(model: Any, source: str) -> Any:
    """The value of the first constant that comes from the weight file, or stands in the program."""
    return next(
        operation.attributes["val"]
        for operation in main_block(model).operations
        if operation.type == "const" and operation.attributes["val"].HasField(source)
    )


def test_whole_package_is_read(whole: Path) -> None:
    program = compile_program(read_package(whole))
    assert program.operations == {"conv": 1, "concat": 1, "reduce_mean": 1, "linear": 1}


def test_coremltools_reads_it_too(whole: Path) -> None:
    import coremltools as ct

    model = ct.models.MLModel(str(whole), skip_model_load=True)
    assert model.get_spec() == ct.utils.load_spec(str(whole)) == read_package(whole).model


def test_missing_package(tmp_path: Path) -> None:
    refused(tmp_path / "none.mlpackage", "no such package")


def test_file_instead_of_folder(tmp_path: Path) -> None:
    (tmp_path / "file.mlpackage").write_bytes(b"")
    refused(tmp_path / "file.mlpackage", "not a folder")


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"itemInfoEntries": 3}', "[" * 99999])
def test_manifest_that_is_none(package: Path, content: str) -> None:
    (package / "Manifest.json").write_text(content)
    refused(package, "Manifest.json: not the manifest")


def test_manifest_without_root(package: Path) -> None:
    edit_manifest(package, lambda fields: fields.update(rootModelIdentifier="other"))
    refused(package, "names no specification")


def test_manifest_that_names_its_root_twice(package: Path) -> None:
    """Apple's reader may take the other one, which was never checked."""
    file = package / "Manifest.json"
    file.write_text(file.read_text().replace("{", '{"rootModelIdentifier": "other",', 1))
    refused(package, "Manifest.json: field 'rootModelIdentifier' stands there twice")


def test_binary_manifest(package: Path) -> None:
    (package / "Manifest.json").write_bytes(b"\xff\xfe\x00")
    refused(package, "not the manifest")


@pytest.mark.parametrize("file", ["Manifest.json", str(SPECIFICATION), str(WEIGHTS)])
def test_missing_file(package: Path, file: str) -> None:
    (package / file).unlink()
    refused(package, "is missing")


@pytest.mark.parametrize(
    "path", ["../../secret.mlmodel", "/etc/passwd", "com.apple.CoreML/../../x"]
)
def test_manifest_pointing_outside(package: Path, path: str) -> None:
    (package.parent / "secret.mlmodel").write_bytes((package / SPECIFICATION).read_bytes())
    point_at(package, path)
    refused(package, "points outside the package")


@pytest.mark.parametrize("path", ["com.apple.CoreML", ".", "a\0b", "x" * 5000])
def test_manifest_pointing_at_no_file(package: Path, path: str) -> None:
    point_at(package, path)
    refused(package, "is not a file inside the package|no usable name|is missing")


@pytest.mark.parametrize("file", ["Manifest.json", str(SPECIFICATION), str(WEIGHTS)])
def test_link_out_of_the_package(package: Path, file: str) -> None:
    outside = package.parent / "outside"
    shutil.move(package / file, outside)
    (package / file).symlink_to(outside)
    refused(package, "is not a file inside the package")


def test_link_in_a_circle(package: Path) -> None:
    (package / WEIGHTS).unlink()
    (package / WEIGHTS).symlink_to(package / WEIGHTS)
    refused(package, "no usable name|is missing")


def test_pipe_is_not_opened(package: Path) -> None:
    (package / SPECIFICATION).unlink()
    os.mkfifo(package / SPECIFICATION)
    refused(package, "is not a file inside the package")


@pytest.mark.parametrize(
    "path",
    [
        "@model_path/weights/../../../../secret",
        "@model_path/weights/other.bin",
        "/etc/passwd",
        "weights/weight.bin",
        "",
    ],
)
def test_program_pointing_elsewhere(package: Path, path: str) -> None:
    model = read_package(package).model
    stored_constant(model, "blobFileValue").blobFileValue.fileName = path
    (package / SPECIFICATION).write_bytes(model.SerializeToString())
    refused(package, "refers to a file that is not @model_path/weights/weight.bin")


def test_program_without_its_weights(whole: Path, package: Path) -> None:
    def forget(fields: dict[str, Any]) -> None:
        root = fields["rootModelIdentifier"]
        fields["itemInfoEntries"] = {root: fields["itemInfoEntries"][root]}

    edit_manifest(package, forget)
    refused(package, "outside the file")


@pytest.mark.parametrize("offset", [0, 1, 63, 2**40, 2**63])
def test_offset_out_of_range(package: Path, offset: int) -> None:
    model = read_package(package).model
    stored_constant(model, "blobFileValue").blobFileValue.offset = offset
    (package / SPECIFICATION).write_bytes(model.SerializeToString())
    refused(package, "outside the file|no header")


@pytest.mark.parametrize("length", [0, 10, 64, 100, 128, 200])
def test_truncated_weights(package: Path, length: int) -> None:
    (package / WEIGHTS).write_bytes((package / WEIGHTS).read_bytes()[:length])
    refused(package, "truncated|damaged")


def test_weights_of_another_kind(package: Path) -> None:
    weights = read_weight_file(package / WEIGHTS)
    np.testing.assert_array_equal(weights.read(64, FP32, (108,)), np.arange(108))
    with pytest.raises(ArtefactError, match="not of the kind fp16"):
        weights.read(64, FP16, (108,))
    with pytest.raises(ArtefactError, match="another size"):
        weights.read(64, FP32, (107,))


def test_immediate_value_of_another_length(package: Path) -> None:
    model = read_package(package).model
    value = stored_constant(model, "immediateValue")
    value.type.tensorType.rank += 1
    value.type.tensorType.dimensions.add().constant.size = 77
    (package / SPECIFICATION).write_bytes(model.SerializeToString())
    refused(package, "operation const .*'val': holds")


@pytest.mark.parametrize("file", ["Manifest.json", str(SPECIFICATION), str(WEIGHTS)])
def test_random_damage_never_gives_a_traceback(whole: Path, package: Path, file: str) -> None:
    """Flipped, lost and repeated bytes: read as another valid program, or refused in one line."""
    original = (whole / file).read_bytes()
    generator = np.random.default_rng(11)
    refusals = 0
    for _ in range(120):
        content = bytearray(original)
        for _ in range(generator.integers(1, 4)):
            place = int(generator.integers(len(content)))
            action = generator.integers(3)
            if action == 0:
                content[place] = int(generator.integers(256))
            elif action == 1:
                del content[place : place + int(generator.integers(1, 9))]
            else:
                content[place:place] = content[place : place + int(generator.integers(1, 9))]
        (package / file).write_bytes(content)
        try:
            compile_program(read_package(package))
        except (ArtefactError, UnsupportedOperationError) as error:
            assert "\n" not in str(error)
            refusals += 1
    assert refusals > 20 or file == str(WEIGHTS)
