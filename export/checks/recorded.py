"""Figures that a manifest records, held against those found again; a line for each that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from export.checks.comparison import Comparison, Turnable, quality_change
from export.checks.gates import OTHER_RUNTIMES, TOLERANCES
from export.schema.manifest import ArtefactRecord, JudgedData, Quality, RuntimeCheck
from export.schema.parity import Parity

_ROUNDING = 1e-6
"""Of figures that are computed again from the same numbers."""
_CALIBRATION = 0.01
"""By which the calibration error may differ although every decision is the same."""


def changed_figures(
    recorded: ArtefactRecord, found: Comparison, of_torch: Quality | None
) -> list[str]:
    """Where a manifest's figures of a file are not those found now.

    Another processor rounds differently: a decision may turn where two logits nearly tie, and
    there alone.

    Args:
        of_torch: as the manifest records it.
    """
    lines = []
    if recorded.parity is None:
        return ["the manifest records no parity of it"]
    if found.quality is not None or recorded.parity.images == found.parity.images:
        tolerance = TOLERANCES[recorded.precision].max_relative
        lines += _parity_lines(recorded.parity, found.parity, tolerance, found.turnable)
    lines += changed_quality(recorded.quality, of_torch)
    if found.quality is None:
        return lines
    if recorded.quality is None:
        return [*lines, "the manifest records no quality of it"]
    bound = OTHER_RUNTIMES[recorded.precision]
    lines += _runtime_lines(recorded.other_runtimes, found.other_runtimes, bound, found.turnable)
    return lines + _quality_lines(recorded.quality, found.quality, bound, found.turnable)


def changed_quality(recorded: Quality | None, of_torch: Quality | None) -> list[str]:
    """Where a file's recorded changes against torch are not those of the recorded figures."""
    if recorded is None or of_torch is None:
        return [] if recorded is of_torch else ["the manifest judges torch or the file, not both"]
    if recorded.sensitivity.keys() != of_torch.sensitivity.keys():
        return ["the manifest lists the file's sensitivity for other classes than torch's"]
    change, given = quality_change(recorded, of_torch), recorded.delta_vs_torch
    if given is None or _different(given.model_dump(), change.model_dump()):
        return ["the manifest's changes against torch are not those of its figures"]
    return []


def changed_torch_figures(recorded: Quality | None, found: Quality | None) -> list[str]:
    """Where a manifest's figures of torch are not those of its answers."""
    if recorded is None or found is None:
        return [] if recorded is found else ["the manifest's torch_quality does not fit the photos"]
    return _quality_lines(recorded, found, 0.0, Turnable(0, {}, {}, 0.0), "torch's ")


def changed_photos(recorded: JudgedData, counted: JudgedData) -> list[str]:
    """Where a manifest's counts of photos are not those counted again.

    Args:
        counted: with all remarks, those on the photos' worth as evidence as well.
    """
    lines = []
    for name in ("images", "calibration", "judged", "seen_in_training"):
        given, true = getattr(recorded, name), getattr(counted, name)
        if given != true:
            lines.append(f"field 'data.{name}' is {given}, but it is {true}")
    # The reason that a decoder gives is of its version.
    if [_photo(line) for line in recorded.skipped] != [_photo(line) for line in counted.skipped]:
        lines.append("field 'data.skipped' lists other photos than those that cannot be read")
    unfounded = [line for line in recorded.remarks if line not in counted.remarks]
    if unfounded:
        lines.append(f"field 'data.remarks': '{unfounded[0]}' is not found again")
    return lines


def _photo(reason: str) -> str:
    return reason.partition(": ")[0]


def _parity_lines(
    recorded: Parity, found: Parity, tolerance: float, turnable: Turnable
) -> list[str]:
    # What another processor may do to one logit, as a share of the largest, in each figure's unit.
    largest = found.max_abs / found.max_relative if found.max_relative else 0.0
    allowed = {
        "images": 0.0,
        "max_abs": tolerance * largest + _ROUNDING,
        "max_relative": tolerance,
        "relative_l2": 10 * tolerance,
        "cosine": tolerance,
        "top1_agreement": turnable.images / found.images + _ROUNDING,
    }
    lines = []
    for name, bound in allowed.items():
        words = "largest relative difference" if name == "max_relative" else name.replace("_", " ")
        lines += _differing(words, getattr(recorded, name), getattr(found, name), bound)
    return lines


def _runtime_lines(
    recorded: Sequence[RuntimeCheck],
    found: Sequence[RuntimeCheck],
    bound: float,
    turnable: Turnable,
) -> list[str]:
    """Of other runtimes, those that answered now as well."""
    now, lines = {check.runtime: check.parity for check in found}, []
    for check in recorded:
        parity = now.get(check.runtime)
        if check.parity is not None and parity is not None:
            changed = _parity_lines(check.parity, parity, bound, turnable)
            lines += [f"{check.runtime}: {line}" for line in changed]
    return lines


def _quality_lines(
    recorded: Quality, found: Quality, bound: float, turnable: Turnable, whose: str = ""
) -> list[str]:
    share = {name: turnable.photos.get(name, 0) / of for name, of in turnable.of.items()}
    turned = sum(turnable.photos.values()) / found.images
    allowed = {
        "images": 0.0,
        "max_relative": bound,
        "agreement": turned,
        "top1": turned,
        "balanced_accuracy": sum(share.values()) / max(1, len(share)),
        "ece": turned + 2 * bound + _CALIBRATION * (bound > 0),
    }
    lines = []
    for name, most in allowed.items():
        words = whose + name.replace("_", " ")
        lines += _differing(words, getattr(recorded, name), getattr(found, name), most + _ROUNDING)
    if recorded.sensitivity.keys() != found.sensitivity.keys():
        return [*lines, f"the manifest lists {whose}sensitivity for other classes"]
    for name, value in found.sensitivity.items():
        words, most = f"{whose}sensitivity {name}", share.get(name, 0.0)
        lines += _differing(words, recorded.sensitivity[name], value, most + _ROUNDING)
    return lines + _differing(
        f"{whose}sensitivity at the threshold",
        recorded.melanoma_at_threshold,
        found.melanoma_at_threshold,
        turnable.at_threshold + _ROUNDING,
    )


def _different(given: Mapping[str, object], true: Mapping[str, object]) -> bool:
    """Whether two records of the same figures differ by more than rounding."""
    if given.keys() != true.keys():
        return True
    for name, value in true.items():
        other = given[name]
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            if _different(other, value):
                return True
        elif isinstance(value, float) and isinstance(other, float):
            if abs(value - other) > _ROUNDING:
                return True
        elif value != other:
            return True
    return False


def _differing(name: str, recorded: float | None, found: float | None, allowed: float) -> list[str]:
    if recorded is None or found is None:
        same = recorded is found
    else:
        same = abs(recorded - found) <= allowed
    shown = ["none" if value is None else f"{value:.4g}" for value in (recorded, found)]
    return [] if same else [f"the manifest says {name} {shown[0]}, but it is {shown[1]}"]
