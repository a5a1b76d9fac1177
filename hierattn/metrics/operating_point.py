"""The operating point: temperature and thresholds that are shipped with a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import numpy as np


class OperatingPoint(BaseModel):
    """The constants with which an app turns logits into an answer.

    An app computes ``p = softmax(logits / temperature)``. It flags melanoma where the
    probability of ``melanoma_class`` is at least ``melanoma_threshold``, and says "not sure"
    where the highest probability is below ``abstain_threshold``.

    Attributes:
        melanoma_threshold: None where no melanoma class or no validation melanoma is known.
        melanoma_images: validation melanomas the threshold rests on.
        fitted_on: the photos it was fitted on, or "not fitted: ..." and why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=1.0, gt=0)
    melanoma_class: str | None = None
    melanoma_threshold: float | None = Field(default=None, ge=0, le=1)
    target_melanoma_sensitivity: float = Field(default=0.8, gt=0, le=1)
    melanoma_images: int = Field(default=0, ge=0)
    abstain_threshold: float = Field(default=0.0, ge=0, le=1)
    target_accuracy: float = Field(default=0.8, gt=0, le=1)
    fitted_on: str = "not fitted"

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities [N, K] of logits [N, K]."""
        # Imported when needed: whoever only reads a record must not wait for scipy.
        from hierattn.metrics.calibration import softmax

        return softmax(logits, self.temperature)
