"""Target classes of the operating point, gate and app: melanoma, or what the user names.

Only a class that is called by an official label is taken without being asked for. Everything
else that may mean melanoma is a question to the user: a guess would let an app mark the wrong
class, such as ``0_not_melanoma`` beside ``1_melanoma``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from hierattn.errors import ConfigError, UnknownNameError

OFFICIAL_LABELS = frozenset({"mel", "melanoma", "painted_melanoma"})
"""Names taken by themselves, whatever their case: those of ISIC and HAM10000, and the painter's."""

NO_TARGET = "none"
"""The word with which a user says that no class is to be watched."""

_MELANOMA = re.compile(r"melanom|меланом|黑色素瘤|メラノーマ|黒色腫|흑색종|(?<![a-z])mel(?![a-z])")
_MALIGNANT = re.compile(r"malig|malin|bosart|cancer|krebs|злокач|恶性|惡性|悪性|악성")
_DENIAL = re.compile(r"(?<![a-z])(no|non|not|without|kein|nicht|ohne|sans|nao|sin)(?![a-z])")


def named_targets(names: Sequence[str] | None) -> tuple[str, ...] | None:
    """What ``--target-class`` says, given any number of times; "none" is no class.

    Raises:
        ConfigError: "none" beside a name.
    """
    if not names:
        return None
    if NO_TARGET not in names:
        return tuple(names)
    if len(set(names)) > 1:
        raise ConfigError(f"--target-class: '{NO_TARGET}' and a class name exclude each other")
    return ()


def resolve_targets(asked: Sequence[str] | None, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes to watch, in class order; empty where there is none.

    Args:
        asked: what the user named; empty for none; None to take an official label where it alone
            can be meant.
        classes: the model's.

    Raises:
        UnknownNameError: a name that is no class.
        ConfigError: all classes are named; or nothing is, and the classes leave it open.
    """
    if asked is not None:
        for name in asked:
            if name not in classes:
                raise UnknownNameError("target class", name, classes, guess=False)
        if classes and set(asked) == set(classes):
            raise ConfigError("--target-class: at least one class must be none of the targets")
        return tuple(name for name in classes if name in asked)
    official = [name for name in classes if _folded(name) in OFFICIAL_LABELS]
    melanomas = [name for name in classes if _MELANOMA.search(_folded(name))]
    affirmed = [name for name in melanomas if not _DENIAL.search(_folded(name))]
    if len(official) == 1 and affirmed == official:
        return (official[0],)
    candidates = melanomas or [name for name in classes if _MALIGNANT.search(_folded(name))]
    if not candidates:
        return ()
    listed = ", ".join(f"'{name}'" for name in candidates)
    raise ConfigError(
        f"which class is melanoma? Of {listed} none can be taken for sure: name it with "
        f"--target-class NAME (again for several, whose probabilities are added), or say "
        f"--target-class {NO_TARGET}"
    )


def describe_targets(targets: Sequence[str]) -> str:
    """The line that says aloud what is watched."""
    if targets:
        return f"target class: {' + '.join(targets)}"
    return (
        "target class: none, so no melanoma threshold, mark or gate; name one with "
        "--target-class NAME"
    )


def _folded(name: str) -> str:
    """The name without case, accents and outer spaces."""
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
