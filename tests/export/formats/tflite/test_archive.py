from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.errors import ArtefactError
from export.formats.tflite.archive import append_archive, split_archive
from export.schema.metadata import Precision
from tests.export.formats.tflite.tiny import tiny_description

PATH = Path("some.tflite")
MODEL = bytes(range(256)) * 5
DESCRIPTION = tiny_description(Precision.FP16)
WHOLE = append_archive(MODEL, DESCRIPTION)


def with_members(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO(MODEL)
    with zipfile.ZipFile(stream, "a", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


OURS = {
    "labels.txt": "".join(f"{name}\n" for name in DESCRIPTION.classes).encode(),
    "hierattn.json": DESCRIPTION.to_json().encode(),
    "model.sha256": (hashlib.sha256(MODEL).hexdigest() + "\n").encode(),
}


def test_what_was_appended_is_read_back() -> None:
    assert WHOLE.startswith(MODEL)
    assert split_archive(WHOLE, PATH) == (MODEL, DESCRIPTION)
    assert split_archive(with_members(OURS), PATH) == (MODEL, DESCRIPTION)


def test_the_bytes_do_not_depend_on_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("sys.platform", "win32")
    assert append_archive(MODEL, DESCRIPTION) == WHOLE


@pytest.mark.parametrize("content", [b"", MODEL])
def test_a_file_without_an_archive_is_refused(content: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"some\.tflite: carries no"):
        split_archive(content, PATH)


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.txt", "a/../../b", "more.txt", "C:\\x"])
def test_other_members_are_refused(name: str) -> None:
    with pytest.raises(ArtefactError, match=r"some\.tflite: the archive"):
        split_archive(with_members({**OURS, name: b"x"}), PATH)
    with pytest.raises(ArtefactError, match=r"some\.tflite: the archive"):
        split_archive(with_members({name: b"x", **OURS}), PATH)


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = {**OURS, "labels.txt": bytes(20 << 20)}
    content = with_members(bomb, zipfile.ZIP_DEFLATED)
    assert len(content) < 1 << 20
    with pytest.raises(ArtefactError, match="compressed, encrypted or over"):
        split_archive(content, PATH)


@pytest.mark.parametrize(
    ("member", "content", "complaint"),
    [
        ("labels.txt", b"a\nb\n", "name other classes"),
        ("labels.txt", b"\xff\xfe", "damaged"),
        ("model.sha256", b"0" * 64, "damaged or altered"),
        ("hierattn.json", b"{", "metadata"),
        ("hierattn.json", b'{"version": 2}', "metadata"),
    ],
)
def test_members_that_do_not_fit_are_refused(member: str, content: bytes, complaint: str) -> None:
    with pytest.raises(ArtefactError, match=complaint):
        split_archive(with_members({**OURS, member: content}), PATH)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(ArtefactError, match=r"some\.tflite"):
        split_archive(WHOLE[:length], PATH)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1))
def test_a_mangled_file_is_refused_or_read_alike(changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    try:
        model, description = split_archive(bytes(content), PATH)
    except ArtefactError as error:
        assert "some.tflite" in str(error) and "\n" not in str(error)
    else:
        # The checksums of the members hold: only what no reader looks at has changed.
        assert (model, description) == (MODEL, DESCRIPTION)


@given(st.binary(max_size=300))
def test_noise_behind_a_model_is_refused(noise: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"some\.tflite"):
        split_archive(MODEL + noise, PATH)
