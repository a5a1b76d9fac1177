from __future__ import annotations

import pytest

from hierattn.errors import ConfigError, UnknownNameError
from hierattn.metrics.target_classes import describe_targets, named_targets, resolve_targets


@pytest.mark.parametrize(
    ("classes", "targets"),
    [
        (("BCC", "MEL", "NV"), ("MEL",)),
        (("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"), ("mel",)),
        (("Melanoma", "nevus"), ("Melanoma",)),
        (("melanoma", "non-melanoma"), ("melanoma",)),
        (("MEL", "malignant other"), ("MEL",)),
        (("painted_melanoma", "painted_nevus"), ("painted_melanoma",)),
        (("melasma", "melanocytic nevus"), ()),
        (("caramel", "smelly"), ()),
        ((), ()),
    ],
)
def test_only_an_official_label_is_taken_by_itself(
    classes: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    assert resolve_targets(None, classes) == targets


@pytest.mark.parametrize(
    ("classes", "candidates"),
    [
        (("0_not_melanoma", "1_melanoma"), ("'0_not_melanoma'", "'1_melanoma'")),
        (("No_Melanoma", "Yes_Melanoma"), ("'No_Melanoma'", "'Yes_Melanoma'")),
        (("Melanoma metastasis", "Melanoma, NOS", "Nevus"), ("'Melanoma, NOS'", "metastasis'")),
        (("melanoma", "melanoma in situ"), ("'melanoma'", "'melanoma in situ'")),
        (("mel", "Melanoma"), ("'mel'", "'Melanoma'")),
        (("Melanom", "Naevus"), ("'Melanom'",)),
        (("Mélanome", "nævus"), ("'Mélanome'",)),
        (("Me\u0301lanome", "nævus"), ("lanome'",)),
        (("benign", "malignant"), ("'malignant'",)),
        (("bösartig", "gutartig"), ("'bösartig'",)),
        (("1-mel", "2-nv"), ("'1-mel'",)),
    ],
)
def test_what_may_mean_melanoma_is_a_question(
    classes: tuple[str, ...], candidates: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError, match="--target-class NAME") as found:
        resolve_targets(None, classes)
    assert all(name in str(found.value) for name in candidates)
    assert resolve_targets((classes[1],), classes) == (classes[1],)
    assert resolve_targets((), classes) == ()


def test_named_targets() -> None:
    classes = ("a", "b", "c")
    assert named_targets(None) is None
    assert named_targets([]) is None
    assert named_targets(["none"]) == ()
    assert resolve_targets(named_targets(["c", "a", "c"]), classes) == ("a", "c")
    with pytest.raises(ConfigError, match="exclude each other"):
        named_targets(["none", "a"])
    with pytest.raises(UnknownNameError, match=r"'melanoma' \(valid: No_Melanoma, Yes_Melanoma\)"):
        resolve_targets(("melanoma",), ("No_Melanoma", "Yes_Melanoma"))
    with pytest.raises(ConfigError, match="at least one class must be none"):
        resolve_targets(("a", "b", "c"), classes)


def test_none_is_said_aloud() -> None:
    assert describe_targets(("MEL",)) == "target class: MEL"
    assert "none" in describe_targets(())
    assert "--target-class" in describe_targets(())
