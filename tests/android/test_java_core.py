"""The Java core against Python, in short; ``make test-android`` does it at full length."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.android.java_core import JavaTools, MissingToolError, compile_core, find_tools, run_tests
from tests.android.png_writer import CHANNELS, DEPTHS, Png, write_png
from tests.android.vectors import Amounts, choose_photos, photos_folder, write_vectors

SMALL = Amounts(photos=30, random_sides=40, damaged=40, large=False)
PREPROCESSING = ["org.hierattn.core.PreprocessVectorsTest"]


@pytest.fixture(scope="module")
def tools() -> JavaTools:
    try:
        return find_tools()
    except MissingToolError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def compiled(tools: JavaTools, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    out = tmp_path_factory.mktemp("java") / "classes"
    return out, compile_core(tools, out)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("java") / "vectors"
    write_vectors(folder, photos_folder(), SMALL)
    return folder


@pytest.mark.slow
def test_the_core_answers_as_python_does(
    tools: JavaTools, compiled: tuple[Path, list[str]], vectors: Path
) -> None:
    classes, names = compiled
    done = run_tests(tools, classes, names, {"hierattn.vectors": vectors})
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(
        r"generated pictures, \d+ tensors, \d+ bytes compared, 0 differ\n", done.stdout
    )
    assert len(names) >= 9


@pytest.mark.slow
def test_one_byte_that_differs_is_found(
    tools: JavaTools, compiled: tuple[Path, list[str]], vectors: Path, tmp_path: Path
) -> None:
    changed = bytearray((vectors / "preprocess.bin").read_bytes())
    changed[-1] ^= 1  # of the last picture's tensor
    (tmp_path / "preprocess.bin").write_bytes(changed)
    done = run_tests(tools, compiled[0], PREPROCESSING, {"hierattn.vectors": tmp_path})
    assert done.returncode == 1
    assert re.search(r"random 39: .*, whole: 1 bytes", done.stdout)


@pytest.mark.slow
def test_too_few_photos_are_noticed(
    tools: JavaTools, compiled: tuple[Path, list[str]], vectors: Path
) -> None:
    asked = {"hierattn.vectors": vectors, "hierattn.photos": 31}
    done = run_tests(tools, compiled[0], PREPROCESSING, asked)
    assert done.returncode == 1
    assert "31 were promised" in done.stdout


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingToolError, match=r"packages default-jdk-headless junit4$"):
        find_tools([tmp_path])


def test_photos_come_from_every_set_and_class(tmp_path: Path) -> None:
    for place in ("ham10000/MEL", "ham10000/NV", "pad_ufes_20/NEV"):
        (tmp_path / place).mkdir(parents=True)
        for number in range(9):
            (tmp_path / place / f"{number}.jpg").touch()
    chosen = choose_photos(tmp_path, 8)
    assert sorted(path.parent.name for path in chosen) == ["MEL"] * 2 + ["NEV"] * 4 + ["NV"] * 2
    assert chosen == choose_photos(tmp_path, 8)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in DEPTHS if kind != 3])
def test_the_png_writer_is_read_by_pillow(kind: int, interlaced: bool, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(0, 256, (13, 11, CHANNELS[kind]), dtype=np.uint8)
    path = tmp_path / "written.png"
    path.write_bytes(write_png(Png(samples, kind, 8, interlaced, idat=50)))
    with Image.open(path) as image:
        assert (np.asarray(image).reshape(samples.shape) == samples).all()


def test_the_png_writer_packs_bits(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(0, 2, (5, 13, 1), dtype=np.uint8)
    path = tmp_path / "written.png"
    path.write_bytes(write_png(Png(samples, 0, 1)))
    with Image.open(path) as image:
        assert (np.asarray(image) == samples[..., 0].astype(bool)).all()
