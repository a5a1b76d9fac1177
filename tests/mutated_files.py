"""Files with random damage, given to the readers: each is read or refused in one line.

``python -m tests.mutated_files --count 100000`` runs as many of each kind and prints a table.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hierattn.data.readers.manifest import read_manifest
from hierattn.data.split_file import read_split_rows
from hierattn.errors import HierAttnError
from hierattn.preprocessing import PHOTO_FORMATS, missing_reader, open_rgb
from tests.mutated_records import records

MANIFEST = (
    "file,class,lesion_id,patient_id,age,sex,site,skin_tone,split\n"
    'a/0.jpg,a,L1,P1,55.0,female,"arm, left",III,train\n'
    "b/1.jpg,b,,P2,,male,leg,3.0,test\n"
)
SPLITS = "file,class,group,split\na/0.jpg,a,patient:P1,train\nb/1.jpg,b,patient:P2,test\n"
_CELLS = (b",", b";", b"\t", b'"', b"\n", b"\r", b"\0", b"\xff", b"-1", b"../", b"nan", b"1e9")


@dataclass(frozen=True)
class Kind:
    """One kind of file: some whole ones, and what reads them."""

    name: str
    whole: tuple[bytes, ...]
    read: Callable[[Path], object]


def kinds() -> Iterator[Kind]:
    """Records and weights, the tables of a data folder, and every photo that can be read here."""
    for name, whole, read in records():
        yield Kind(name, (whole,), read)
    for name, suffix in {kind: suffix for suffix, kind in PHOTO_FORMATS.items()}.items():
        if missing_reader(suffix) is None:
            yield Kind(name, tuple(_pictures(name)), open_rgb)
    yield Kind("manifest.csv", (MANIFEST.encode(),), read_manifest)
    yield Kind("splits.csv", (SPLITS.encode(),), read_split_rows)


def try_damaged(kind: Kind, count: int, seed: int, folder: Path) -> Counter[str]:
    """Read ``count`` damaged files; how many were ``read`` and how many ``refused``.

    Raises:
        AssertionError: a refusal of several lines.
        Exception: whatever else a reader lets out.
    """
    rng = np.random.default_rng(seed)
    path, outcome = folder / kind.name, Counter({"read": 0, "refused": 0})
    for number in range(count):
        path.write_bytes(damaged(kind.whole[number % len(kind.whole)], rng))
        try:
            kind.read(path)
            outcome["read"] += 1
        except HierAttnError as error:
            assert "\n" not in str(error)
            outcome["refused"] += 1
    return outcome


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """The content with a few bytes changed, put in, or cut off; mostly in its first 500 bytes."""
    content = bytearray(whole)
    head = min(len(content), 500 if rng.random() < 0.7 else len(content))
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(0, head))
        if rng.random() < 0.8:
            content[place] = int(rng.choice([0, 1, 127, 128, 255, rng.integers(0, 256)]))
        else:
            content[place:place] = _CELLS[rng.integers(len(_CELLS))]
    if rng.random() < 0.3:
        del content[rng.integers(1, len(content) + 1) :]
    return bytes(content)


def _pictures(kind: str) -> Iterator[bytes]:
    row, column = np.mgrid[0:40, 0:48]
    pixels = np.stack([column * 5, row * 6, row * column], 2) % 256
    picture = Image.fromarray(pixels.astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    for mode in ("RGB", "L", "RGBA"):
        if kind in ("JPEG", "BMP") and mode == "RGBA":
            continue
        image = picture.convert(mode)
        if kind == "GIF":
            image = image.quantize(64, method=Image.Quantize.FASTOCTREE)
        for options in ({}, {"exif": exif.tobytes()}):
            buffer = io.BytesIO()
            image.save(buffer, kind, **({} if kind in ("BMP", "GIF") else options))
            yield buffer.getvalue()
        if kind in ("GIF", "AVIF", "HEIF", "WEBP", "TIFF", "PNG"):
            buffer = io.BytesIO()
            image.save(buffer, kind, save_all=True, append_images=[image.rotate(180)])
            yield buffer.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Try many and print what came out, a line a kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="files of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", help="only this kind; repeatable")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds():
            if asked.kind and kind.name not in asked.kind:
                continue
            start = time.monotonic()
            outcome = try_damaged(kind, asked.count, asked.seed, Path(folder))
            print(
                f"{kind.name:13} {asked.count} files: {outcome['read']} read, "
                f"{outcome['refused']} refused, {time.monotonic() - start:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
