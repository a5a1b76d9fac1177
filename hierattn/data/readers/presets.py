"""Folder names that are no classes: given splits, and parts of a download.

Class names are whatever users have, so only names that cannot be meant as a class are taken so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

SPLITS = ("train", "validation", "test")
_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_NOISE = (
    r"(?:dir|directory|folder|set|data|dataset|split|images?|imgs?|photos?|pics?|input|v\d+|20\d\d)"
)
_SPLIT = re.compile(
    rf"(?:[\W_]*{_NOISE}[\W_]+)?(?P<word>{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
    rf"(?:[\W_]*{_NOISE})*[\W_]*",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?P<stem>.*?(?:part|batch|chunk|shard|disc|volume|vol|archive|zip|images|imgs|photos"
    r"|fold|set|split|train|training|val|valid|validation|test|testing))"
    r"[\W_]*\d+",
    re.IGNORECASE,
)
_PICTURES = frozenset({"image", "images", "img", "imgs", "photo", "photos", "pictures"})
_BESIDE = frozenset(
    {"mask", "masks", "segmentation", "segmentations", "groundtruth", "ground_truth"}
    | {"annotation", "annotations", "superpixels", "overlays"}
    | {"labeled", "labelled", "unlabeled", "unlabelled"}
)
_CHALLENGE = re.compile(
    r"isic[\W_]?20\d\d_.*?(?P<word>training|validation|test)(?:_v\d+)?_(?:input|data)",
    re.IGNORECASE,
)


def split_word(word: str) -> str | None:
    """The split that a word of a table stands for: ``train``, ``validation``, ``test``, or None."""
    return _WORDS.get(word.strip().lower())


def split_of_folder(name: str) -> str | None:
    """The split that a folder holds, such as ``train_dir``, ``Test set`` or ``val``; else None.

    The input folders of the ISIC challenges are splits, too.
    """
    found = _SPLIT.fullmatch(name) or _CHALLENGE.fullmatch(name)
    return _WORDS[found["word"].lower()] if found else None


def no_classes_among(names: Sequence[str]) -> list[str]:
    """Those of the folders that hold masks, or what has labels or none, and the photos of them.

    Such as ``images`` and ``masks``, or ``labeled`` and ``unlabeled``; ``images`` is nothing
    special where none of the others is there.
    """
    beside = [name for name in names if re.sub(r"[\W_]+", "_", name).lower() in _BESIDE]
    pictures = [name for name in names if name.lower() in _PICTURES]
    return [*pictures, *beside] if beside else []


def parts_among(names: Sequence[str]) -> list[str]:
    """Those of the folders that are parts of one download: two or more with numbered names.

    Such as ``imgs_part_1`` to ``imgs_part_3``, ``HAM10000_images_part_1`` and ``_2``, ``fold_1``
    and ``fold_2``, or ``train_1`` and ``train_2``.
    """
    of: dict[str, list[str]] = defaultdict(list)
    for name in names:
        match = _PART.fullmatch(name)
        if match:
            of[match["stem"].lower()].append(name)
    return [name for parts in of.values() if len(parts) > 1 for name in parts]
