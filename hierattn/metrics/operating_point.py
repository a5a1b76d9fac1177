"""The operating point: temperature and thresholds that are shipped with a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

if TYPE_CHECKING:
    import numpy as np


class OperatingPoint(BaseModel):
    """The constants with which an app turns logits into an answer.

    An app computes ``p = softmax(logits / temperature)``. It flags melanoma where the
    probabilities of ``target_classes`` together are at least ``melanoma_threshold``, and says
    "not sure" where the highest probability is below ``abstain_threshold``.

    Attributes:
        melanoma_class: the target class where there is one alone; None where there are several.
        target_classes: the classes to flag; empty where there is none. In JSON only where there
            are several: a reader of old then refuses, rather than watch one of them.
        melanoma_threshold: None where no melanoma class or no validation melanoma is known.
        melanoma_images: validation melanomas the threshold rests on.
        fitted_on: the photos it was fitted on, or "not fitted: ..." and why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    melanoma_class: str | None = None
    target_classes: tuple[str, ...] = ()
    melanoma_threshold: float | None = Field(default=None, ge=0, le=1)
    target_melanoma_sensitivity: float = Field(default=0.8, gt=0, le=1)
    melanoma_images: int = Field(default=0, ge=0)
    abstain_threshold: float = Field(default=0.0, ge=0, le=1)
    target_accuracy: float = Field(default=0.8, gt=0, le=1)
    fitted_on: str = "not fitted"

    @model_validator(mode="before")
    @classmethod
    def _either_names_the_other(cls, fields: Any) -> Any:
        """Records of old name one ``melanoma_class``; whoever names the targets need not."""
        if not isinstance(fields, dict):
            return fields
        one, all_of_them = fields.get("melanoma_class"), fields.get("target_classes")
        if all_of_them is None and "target_classes" not in fields and one is not None:
            return {**fields, "target_classes": (one,)}
        if "melanoma_class" not in fields and isinstance(all_of_them, list | tuple):
            return {**fields, "melanoma_class": all_of_them[0] if len(all_of_them) == 1 else None}
        return fields

    @model_validator(mode="after")
    def _one_statement_of_the_targets(self) -> OperatingPoint:
        if len(set(self.target_classes)) != len(self.target_classes):
            raise ValueError("target_classes must be different names")
        alone = self.target_classes[0] if len(self.target_classes) == 1 else None
        if self.melanoma_class != alone:
            raise ValueError("melanoma_class and target_classes do not name the same")
        return self

    @model_serializer(mode="wrap")
    def _several_targets_alone(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        if len(self.target_classes) < 2:
            del fields["target_classes"]
        return fields

    @property
    def is_fitted(self) -> bool:
        """Whether temperature and thresholds come from photos; else they do nothing."""
        return not self.fitted_on.startswith("not fitted")

    @property
    def target_name(self) -> str | None:
        """The targets in one phrase, such as ``MEL``; None where there is none."""
        return " + ".join(self.target_classes) or None

    def target_probability(self, probabilities: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Return the targets' probability [N], added up, of calibrated probabilities [N, K].

        Raises:
            ValueError: a target is none of ``classes``.
        """
        return probabilities[:, self._positions(classes)].sum(axis=1)

    def is_target(self, labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """Return bool [N], which labels [N] are one of the targets.

        Raises:
            ValueError: a target is none of ``classes``.
        """
        import numpy as np

        return np.isin(labels, self._positions(classes))

    def _positions(self, classes: Sequence[str]) -> list[int]:
        return [list(classes).index(name) for name in self.target_classes]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities [N, K] of logits [N, K]."""
        # Imported when needed: whoever only reads a record must not wait for scipy.
        from hierattn.metrics.calibration import softmax

        return softmax(logits, self.temperature)
