"""Packing of the APK, deterministic; files that are mapped are stored and aligned."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from android_demo.offline.errors import BuildError

# Pages of 16 KiB, as newer phones have them.
LIBRARY_ALIGNMENT = 16384
PLAIN_ALIGNMENT = 4
# What the runtime or Android reads where it lies.
STORED = (".so", ".onnx", ".tflite", ".arsc", ".png")
# Android's own field for padding: alignment, then zeros.
_ALIGNMENT_FIELD = 0xD935
_LOCAL_HEADER = 30
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """One file of the APK.

    Args:
        name: path inside it.
        content: its bytes.
    """

    name: str
    content: bytes

    @property
    def is_stored(self) -> bool:
        """Whether it lies there uncompressed."""
        return self.name.endswith(STORED)

    @property
    def alignment(self) -> int:
        """What its first byte's place is a multiple of, if it is stored."""
        return LIBRARY_ALIGNMENT if self.name.endswith(".so") else PLAIN_ALIGNMENT


def collect(
    linked: Path, dex: Path, assets: Path, runtime: Path, abis: tuple[str, ...]
) -> list[Entry]:
    """All files of the APK, in their order.

    Args:
        linked: what aapt2 linked.
        dex: the classes.
        assets: folder that becomes ``assets/``.
        runtime: the ``.aar`` with the libraries.
        abis: kinds of processor whose libraries go in.

    Raises:
        BuildError: no bundle among the assets, or no libraries of a kind.
    """
    entries = list(_from_archive(linked))
    entries.append(Entry("classes.dex", dex.read_bytes()))
    files = sorted(path for path in assets.rglob("*") if path.is_file())
    if not files:
        raise BuildError(f"{assets}: no bundle (hierattn bundle EXPORT --app android_demo)")
    for file in files:
        entries.append(Entry(f"assets/{file.relative_to(assets).as_posix()}", file.read_bytes()))
    for abi in abis:
        entries.extend(_libraries(runtime, abi))
    return entries


def _from_archive(archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as linked:
        # The manifest first, as installers expect it; the rest by name.
        for name in sorted(linked.namelist(), key=lambda n: (n != "AndroidManifest.xml", n)):
            yield Entry(name, linked.read(name))


def _libraries(runtime: Path, abi: str) -> list[Entry]:
    with zipfile.ZipFile(runtime) as aar:
        names = sorted(n for n in aar.namelist() if n.startswith(f"jni/{abi}/lib"))
        if not names:
            raise BuildError(f"{runtime}: no libraries for {abi}")
        return [Entry(f"lib/{abi}/{n.rsplit('/', 1)[1]}", aar.read(n)) for n in names]


def write_apk(entries: list[Entry], target: Path) -> None:
    """Write an APK without signature; its bytes depend on the entries alone."""
    with zipfile.ZipFile(target, "w") as apk:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, _EPOCH)
            info.create_system = 0
            info.external_attr = 0
            info.compress_type = zipfile.ZIP_STORED if entry.is_stored else zipfile.ZIP_DEFLATED
            if entry.is_stored:
                start = apk.start_dir + _LOCAL_HEADER + len(info.filename.encode())
                info.extra = _padding(start, entry.alignment)
            apk.writestr(info, entry.content, compresslevel=9)


def _padding(start: int, alignment: int) -> bytes:
    """An extra field that moves content, which would begin at ``start``, to the next multiple."""
    header = 6
    zeros = -(start + header) % alignment
    return struct.pack("<HHH", _ALIGNMENT_FIELD, 2 + zeros, alignment) + bytes(zeros)


def content_offset(apk: Path, info: zipfile.ZipInfo) -> int:
    """Where an entry's bytes begin in the file."""
    with apk.open("rb") as file:
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    return info.header_offset + _LOCAL_HEADER + name + extra
