"""Words for a shell, so that a command which we print goes through when it is pasted."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from hierattn.errors import is_control


def quote(word: object) -> str:
    """One word as bash and zsh read it, each control character as the escapes of its bytes.

    A terminal is never shown such a character, so it cannot be copied from there.
    """
    text = str(word)
    if not any(map(is_control, text)):
        # zsh takes a word that begins so for the path of a command.
        return f"'{text}'" if shlex.quote(text) == text and text[0] == "=" else shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def join(words: Iterable[object]) -> str:
    """A command of several words."""
    return " ".join(map(quote, words))


def _escaped(letter: str) -> str:
    if is_control(letter):
        of_a_byte = "\udc80" <= letter <= "\udcff"  # as Python reads names that are no text
        content = letter.encode("utf-8", "surrogateescape" if of_a_byte else "surrogatepass")
        return "".join(f"\\x{byte:02x}" for byte in content)
    return f"\\{letter}" if letter in "\\'" else letter
