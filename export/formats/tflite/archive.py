"""Metadata of a .tflite file, in a zip archive appended to the model.

TFLite Metadata keeps associated files in the same place: runtimes read the flatbuffer from the
start and stop at its end, zip readers search from the end, so one file serves both.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from pathlib import Path

from export.errors import ArtefactError
from export.schema.metadata import METADATA_KEY, Description, parse_description

LABELS_MEMBER = "labels.txt"
"""Class names, one a line, in the order of the logits; TFLite's own tools look for such a file."""
DESCRIPTION_MEMBER = f"{METADATA_KEY}.json"

DIGEST_MEMBER = "model.sha256"
"""Hash of the model: runtimes trust a flatbuffer, and a damaged one crashes them."""

_MEMBERS = (LABELS_MEMBER, DESCRIPTION_MEMBER, DIGEST_MEMBER)
_LARGEST_MEMBER = 1 << 20
# The earliest date of a zip: the bytes must not depend on when they were written.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
# Raised by zipfile on damaged bytes, beside its own BadZipFile.
_READER_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    OSError,
)


def append_archive(model: bytes, description: Description) -> bytes:
    """The model with labels and metadata appended; the same bytes for the same arguments."""
    stream = io.BytesIO(model)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        for name, text in _texts(model, description).items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system, member.external_attr = _UNIX, 0o644 << 16
            archive.writestr(member, text.encode("utf-8"))
    return stream.getvalue()


def split_archive(content: bytes, path: Path) -> tuple[bytes, Description]:
    """The model alone, and its metadata. Nothing is unpacked to disk.

    Raises:
        ArtefactError: no archive, a damaged one, one with other members than ours, or one that was
            made for another model.
    """
    stream = io.BytesIO(content)
    try:
        if not zipfile.is_zipfile(stream):
            parse_description(None, path)
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            _check_members(members, path)
            labels, text, digest = (archive.read(member).decode("utf-8") for member in members)
            start = min(member.header_offset for member in members)
    except _READER_ERRORS as error:
        raise ArtefactError(
            f"{path}: the archive behind the model is damaged; export it again"
        ) from error
    model, description = content[:start], parse_description(text, path)
    expected = _texts(model, description)
    if labels != expected[LABELS_MEMBER]:
        raise ArtefactError(f"{path}: {LABELS_MEMBER} and {DESCRIPTION_MEMBER} name other classes")
    if digest != expected[DIGEST_MEMBER]:
        raise ArtefactError(
            f"{path}: the model is not the one its archive was made for: damaged or altered; "
            "export it again"
        )
    return model, description


def _texts(model: bytes, description: Description) -> dict[str, str]:
    contents = (
        "".join(f"{name}\n" for name in description.classes),
        description.to_json(),
        f"{hashlib.sha256(model).hexdigest()}\n",
    )
    return dict(zip(_MEMBERS, contents, strict=True))


def _check_members(members: list[zipfile.ZipInfo], path: Path) -> None:
    names = [member.filename for member in members]
    if names != list(_MEMBERS):
        found = ", ".join(repr(name[:60]) for name in names[:5]) or "nothing"
        raise ArtefactError(
            f"{path}: the archive behind the model holds {found} "
            f"instead of {', '.join(_MEMBERS)}; export it again"
        )
    for member in members:
        packed = member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1
        if packed or max(member.file_size, member.compress_size) > _LARGEST_MEMBER:
            raise ArtefactError(
                f"{path}: {member.filename} behind the model is compressed, encrypted or over "
                "1 MiB; export it again"
            )
