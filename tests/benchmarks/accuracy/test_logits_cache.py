from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.logits_cache import LogitsCache, default_home

LOGITS = np.random.default_rng(0).standard_normal((4, 3))


def test_logits_come_back_to_the_bit_for_their_own_key_only(tmp_path: Path) -> None:
    cache = LogitsCache(tmp_path)
    cache.write("file", "photos", "onnxruntime 1", LOGITS)
    found = cache.read("file", "photos", "onnxruntime 1")
    assert found is not None and np.array_equal(found, LOGITS)
    assert cache.read("other", "photos", "onnxruntime 1") is None
    assert cache.read("file", "other", "onnxruntime 1") is None
    assert cache.read("file", "photos", "onnxruntime 2") is None
    assert cache.read("fil", "ephotos", "onnxruntime 1") is None


@pytest.mark.parametrize("damage", ["empty", "truncated", "flipped", "other"])
def test_a_damaged_entry_is_as_if_not_there(tmp_path: Path, damage: str) -> None:
    cache = LogitsCache(tmp_path)
    cache.write("file", "photos", "r", LOGITS)
    (entry,) = tmp_path.iterdir()
    content = bytearray(entry.read_bytes())
    if damage == "flipped":
        # In the middle of the compressed numbers.
        content[len(content) // 3] ^= 0xFF
    entry.write_bytes(
        {"empty": b"", "truncated": bytes(content[:-40]), "other": b"text"}.get(
            damage, bytes(content)
        )
    )
    assert cache.read("file", "photos", "r") is None
    cache.write("file", "photos", "r", LOGITS)
    assert cache.read("file", "photos", "r") is not None


def test_without_a_writable_home_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = LogitsCache(tmp_path / "file" / "below")
    cache.write("file", "photos", "r", LOGITS)
    assert cache.read("file", "photos", "r") is None


def test_the_home_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_home() == tmp_path / "hierattn" / "logits"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_home() == Path.home() / ".cache" / "hierattn" / "logits"
