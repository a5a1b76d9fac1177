"""The store of decoded photos."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from hierattn.data.folder import read_data_folder
from hierattn.data.pixels import decode as cache
from hierattn.data.pixels.decode import decode_folder
from hierattn.data.pixels.store import LIMIT_VARIABLE, PixelStore, default_store
from hierattn.errors import ConfigError
from hierattn.preprocessing import PreprocessSpec
from tests.data.helpers import write_class_folders

SPEC = PreprocessSpec(image_size=16)
PIXELS = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)


@pytest.fixture
def store(tmp_path: Path) -> PixelStore:
    return PixelStore(tmp_path / "store", 10**9)


def entries(store: PixelStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_what_is_written_is_read_for_the_same_photo_and_spec_alone(store: PixelStore) -> None:
    store.write("photo", SPEC, PIXELS)
    read = store.read("photo", SPEC)
    assert read is not None and np.array_equal(read, PIXELS)
    assert store.read("other", SPEC) is None
    assert store.read("photo", PreprocessSpec(image_size=32)) is None
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-9], lambda b: b"\xff" + b[1:]])
def test_a_damaged_entry_is_none(store: PixelStore, damage: object) -> None:
    assert callable(damage)
    store.write("photo", SPEC, PIXELS)
    (path,) = entries(store)
    path.write_bytes(damage(path.read_bytes()))
    assert store.read("photo", SPEC) is None


def test_a_store_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = PixelStore(tmp_path / "file", 10**9)
    store.write("photo", SPEC, PIXELS)
    assert store.read("photo", SPEC) is None
    store.clear_excess()


def test_the_entries_unused_for_longest_go_first(tmp_path: Path) -> None:
    store = PixelStore(tmp_path / "store", 5 * (PIXELS.size + 4))
    for index in range(6):
        store.write(str(index), SPEC, PIXELS)
    for age, name in enumerate("013452"):
        os.utime(store._path(name, SPEC), ns=(age, age))
    store.clear_excess()
    assert [name for name in "012345" if store.read(name, SPEC) is not None] == list("2345")


def test_a_changed_photo_is_decoded_anew(
    tmp_path: Path, store: PixelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "default_store", lambda: store)
    root = write_class_folders(tmp_path / "data", {"a": 3, "b": 3})
    folder = read_data_folder(root)
    first = decode_folder(folder, SPEC).pixels
    with monkeypatch.context() as patch:
        patch.setattr(PreprocessSpec, "load", lambda self, path: pytest.fail(f"decodes {path}"))
        assert np.array_equal(decode_folder(folder, SPEC).pixels, first)
    (root / "a" / "000.png").write_bytes((root / "b" / "000.png").read_bytes())
    assert np.array_equal(decode_folder(folder, SPEC).pixels[0], first[3])


def fill(folder: Path) -> None:
    store = PixelStore(folder, 20 * PIXELS.size)
    for turn in range(300):
        name = str(turn % 40)
        read = store.read(name, SPEC)
        assert read is None or (read == turn % 40).all()
        store.write(name, SPEC, np.full_like(PIXELS, turn % 40))
        store.clear_excess()


def test_several_processes_share_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=fill, args=(tmp_path / "store",)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_the_limit_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "0.5")
    store = default_store()
    assert store is not None and store.limit == 5 * 10**8
    monkeypatch.setenv(LIMIT_VARIABLE, "0")
    assert default_store() is None
    for wrong in ("a lot", "-1", "nan", "inf"):
        monkeypatch.setenv(LIMIT_VARIABLE, wrong)
        with pytest.raises(ConfigError, match=LIMIT_VARIABLE):
            default_store()
