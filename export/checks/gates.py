"""Release gate of exported files: the only place where tolerances are defined."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from export.schema.manifest import Gate, Quality, QualityChange
from export.schema.metadata import Precision
from export.schema.parity import Parity

SMALLEST_LOSS = 1
"""One missed melanoma more than torch may be a single borderline photo; two are too many."""


@dataclass(frozen=True)
class Tolerance:
    """Bounds of one precision.

    Attributes:
        max_relative: largest error of a logit, relative to the image's largest logit
            (scales differ 400-fold between networks; see
            :func:`export.checks.parity.logit_scales`). On all images, in int8 on photos only:
            golden images are unlike any photo.
        agreement: smallest fraction of photos with the same prediction as torch.
        balanced_accuracy_loss: largest loss against torch.
        melanoma_sensitivity_loss: largest loss against torch, or, unless the bound is 0, one photo
            where a photo weighs more; for the top-1 class and at the run's threshold.
    """

    max_relative: float
    agreement: float
    balanced_accuracy_loss: float
    melanoma_sensitivity_loss: float


TOLERANCES: Mapping[Precision, Tolerance] = MappingProxyType(
    {
        Precision.FP32: Tolerance(1e-5, 0.999, 0.001, 0.0),
        Precision.FP16: Tolerance(1e-2, 0.995, 0.005, 0.01),
        # Rounding to 256 levels changes logits visibly; what counts is whether predictions hold.
        Precision.INT8: Tolerance(0.5, 0.97, 0.01, 0.02),
    }
)

OTHER_RUNTIMES: Mapping[Precision, float] = MappingProxyType(
    {Precision.FP32: 1e-5, Precision.FP16: 3e-2, Precision.INT8: 0.1}
)
"""Bound on the relative error of another runtime, which may round every step to 16 bits, or round
int8 arithmetic differently; against torch, for int8 against the file's own logits at export."""


def evaluate_gate(
    precision: Precision,
    parities: Sequence[Parity],
    quality: Quality | None,
    targets: Mapping[str, int],
) -> Gate:
    """Apply the tolerances of its precision to one file.

    Args:
        parities: on all images, and on the golden ones alone, as an app will compare them.
        quality: on photos; without it fp32 and fp16 are decided by logits alone, and int8 is
            "not run", because logits do not show whether its predictions hold.
        targets: photos by class, of the classes whose sensitivity must not fall.
    """
    melanoma_images = sum(targets.values())
    bound = TOLERANCES[precision]
    reasons = []
    if precision is not Precision.INT8:
        reasons += _logit_reasons(max(parity.max_relative for parity in parities), bound)
    elif quality is not None:
        reasons += _logit_reasons(quality.max_relative, bound)
    if quality is None:
        if reasons:
            return Gate(status="failed", reasons=reasons)
        if precision is Precision.INT8:
            return Gate(status="not run", reasons=["decisions need photos; pass --data"])
        return Gate(status="passed")
    if quality.agreement < bound.agreement:
        reasons.append(
            f"decides like torch on {round(quality.agreement * quality.images)} of "
            f"{quality.images} photos ({quality.agreement:.2%}), below {bound.agreement:.1%}"
            f"{_why_one_is_too_many(quality, bound)}"
        )
    change = quality.delta_vs_torch
    if change is not None:
        if -change.balanced_accuracy > bound.balanced_accuracy_loss:
            reasons.append(
                f"balanced accuracy changes by {100 * change.balanced_accuracy:+.2f} points, at "
                f"most -{100 * bound.balanced_accuracy_loss:g} is allowed"
            )
        allowed = max(
            bound.melanoma_sensitivity_loss,
            SMALLEST_LOSS / melanoma_images
            if melanoma_images and bound.melanoma_sensitivity_loss
            else 0.0,
        )
        losses = {"highest class": _change_of_targets(change, targets)}
        losses["run's threshold"] = change.melanoma_at_threshold
        for where, loss in losses.items():
            if loss is not None and -loss > allowed + 1e-12:
                reasons.append(
                    f"melanoma sensitivity at the {where} changes by {100 * loss:+.1f} points, "
                    f"at most -{100 * allowed:.1f} is allowed ({melanoma_images} melanomas)"
                )
    return Gate(status="failed" if reasons else "passed", reasons=reasons)


def _why_one_is_too_many(quality: Quality, bound: Tolerance) -> str:
    """Said where one photo alone is decided otherwise, and they are so few that none may be."""
    if round((1 - quality.agreement) * quality.images) != 1:
        return ""
    enough = math.ceil(1 / (1 - bound.agreement) - 1e-9)
    return f"; of fewer than {enough} photos none may differ: judge by more"


def relative_tolerances() -> dict[str, float]:
    """Tolerance of a logit against torch, for the self-test of an app.

    None for int8: an app compares such a file with its own logits at export, which ``parity.json``
    lists.
    """
    return {
        precision.value: bound.max_relative
        for precision, bound in TOLERANCES.items()
        if precision is not Precision.INT8
    }


def _change_of_targets(change: QualityChange, targets: Mapping[str, int]) -> float | None:
    """Change of the share of the targets' photos that are given their own class."""
    known = [(change.sensitivity[name], images) for name, images in targets.items() if images]
    parts = [value * images for value, images in known if value is not None]
    return sum(parts) / sum(targets.values()) if parts else None


def _logit_reasons(found: float, bound: Tolerance) -> list[str]:
    if found <= bound.max_relative:
        return []
    return [f"largest relative difference {found:.2g} is above {bound.max_relative:g}"]
