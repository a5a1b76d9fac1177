"""Tests of the words for a shell, read by a real one."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierattn.common.shell import join, quote
from hierattn.errors import one_line

FILE_NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


@settings(max_examples=40, deadline=None)
@given(st.lists(FILE_NAMES, min_size=1))
def test_a_shell_reads_the_words_that_were_meant_and_a_terminal_shows_them_whole(
    words: list[str],
) -> None:
    line = join(words)
    assert one_line(line) == line
    got = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)
    assert got.stdout.split(b"\0")[:-1] == list(map(os.fsencode, words))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("=ls", "'=ls'"),
        ("\ud800", r"$'\xed\xa0\x80'"),
        ("two words", "'two words'"),
        ("a\nb'c\\", r"$'a\x0ab\'c\\'"),
    ],
)
def test_only_what_needs_it_is_escaped(word: str, quoted: str) -> None:
    assert quote(word) == quoted


def test_a_byte_that_is_no_text_comes_back_as_it_was() -> None:
    word = os.fsdecode(b"a\xff")
    assert subprocess.check_output(["bash", "-c", f"printf %s {quote(word)}"]) == b"a\xff"
