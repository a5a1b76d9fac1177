"""Words for a shell, so that a command which we print goes through when it is pasted."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable

from hierattn.errors import is_control


def quote(word: object) -> str:
    """One word as bash and zsh read it, each control character as the escapes of its bytes.

    A terminal is never shown such a character, so it cannot be copied from there.
    """
    text = str(word)
    if not any(map(is_control, text)):
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def join(words: Iterable[object]) -> str:
    """A command of several words."""
    return " ".join(map(quote, words))


def _escaped(letter: str) -> str:
    if is_control(letter):
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))
    return f"\\{letter}" if letter in "\\'" else letter
