"""Writes what Python makes of pictures and numbers, for the cores of the apps to compare with.

``preprocess.bin`` and ``exif.bin`` are read by the classes ``Vectors``: big-endian, strings and
byte arrays with their length before them. Photos go no further than the folder that is asked for.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from hierattn.common.files import write_json
from hierattn.preprocessing import PHOTO_FORMATS, PreprocessSpec, _to_rgb
from tests.android.exif_cases import HEIC, exif_cases, python_orientation
from tests.android.fake_bundle import write_fake_bundle
from tests.android.numbers import number_cases
from tests.android.pictures import Picture, generated_pictures

PHOTO_SIZES = (256, 224, 96)
PHOTO_SETS = ("ham10000", "isic_2017", "pad_ufes_20")


@dataclass(frozen=True)
class Amounts:
    """How much to write.

    Attributes:
        photos: real ones, where there are any.
        random_sides: generated pictures of random sides.
        damaged: EXIF blocks with random bytes changed.
        large: whether pictures of 12 megapixels are among it.
    """

    photos: int = 360
    random_sides: int = 400
    damaged: int = 300
    large: bool = True


def write_vectors(out: Path, photos: Path | None, amounts: Amounts) -> int:
    """Write everything; returns how many real photos are among it."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = [] if photos is None else choose_photos(photos, amounts.photos)
    with (out / "preprocess.bin").open("wb") as file:
        for path in chosen:
            content = path.read_bytes()
            name = f"photo {path.relative_to(photos or path)}"
            _write_picture(file, Picture(name, path.suffix, content, PHOTO_SIZES), out)
        for picture in generated_pictures(amounts.random_sides, amounts.large):
            _write_picture(file, picture, out)
    with (out / "exif.bin").open("wb") as file:
        for case in exif_cases(amounts.damaged):
            _write_bytes(file, case.name.encode())
            _write_numbers(file, case.expected)
            _write_bytes(file, case.content)
    (out / "turned.heic").write_bytes((HEIC / "turned_6.heic").read_bytes())
    write_json(out / "numbers.json", number_cases())
    write_fake_bundle(out / "bundle")
    write_fake_bundle(out / "coreml_bundle", "coreml")
    return len(chosen)


def photos_folder() -> Path | None:
    """The folder of real photos, or None where there is none."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    root = Path(os.environ.get("HIERATTN_PHOTOS", beside))
    return root if any((root / name).is_dir() for name in PHOTO_SETS) else None


def choose_photos(root: Path, count: int) -> list[Path]:
    """Equal shares of every data set, and in it of every class, always the same photos."""
    sets = [root / name for name in PHOTO_SETS if (root / name).is_dir()]
    chosen: list[Path] = []
    for number, folder in enumerate(sets):
        share = count * (number + 1) // len(sets) - count * number // len(sets)
        classes = [
            sorted(path for path in place.iterdir() if path.suffix in PHOTO_FORMATS)
            for place in sorted(folder.iterdir())
            if place.is_dir()
        ]
        generator = np.random.default_rng(3)
        queues = [[paths[at] for at in generator.permutation(len(paths))] for paths in classes]
        chosen += list(_in_turn(queues))[:share]
    return chosen


def _in_turn(queues: list[list[Path]]) -> Iterator[Path]:
    for rank in range(max(map(len, queues), default=0)):
        for queue in queues:
            if rank < len(queue):
                yield queue[rank]


def _write_picture(file: BinaryIO, picture: Picture, out: Path) -> None:
    """Name, file, stored pixels, and for each size the tensor that Python makes of the file."""
    path = out / f"picture{picture.suffix}"
    path.write_bytes(picture.content)
    with Image.open(path) as image:
        image.load()
        # What a phone's decoder must hand over: upright or not, Python's colour rules applied.
        stored = np.asarray(_to_rgb(image, path))
        turned = np.asarray(_to_rgb(ImageOps.exif_transpose(image), path))
    orientation = python_orientation(picture.content)
    assert turned.size == stored.size
    _write_bytes(file, picture.name.encode())
    _write_numbers(file, int(picture.suffix == ".png"), orientation, *stored.shape[1::-1])
    _write_bytes(file, picture.content)
    _write_bytes(file, stored.tobytes())
    _write_numbers(file, len(picture.sizes))
    for size in picture.sizes:
        tensor = PreprocessSpec(image_size=size).load(path)
        _write_numbers(file, size)
        _write_bytes(file, tensor.tobytes())
    path.unlink()


def _write_numbers(file: BinaryIO, *numbers: int) -> None:
    file.write(struct.pack(f">{len(numbers)}i", *numbers))


def _write_bytes(file: BinaryIO, content: bytes) -> None:
    _write_numbers(file, len(content))
    file.write(content)
