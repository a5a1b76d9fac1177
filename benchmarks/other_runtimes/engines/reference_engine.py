"""Engine for ONNX's own reference evaluator, which computes by the definition of each operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator


class Engine:
    """See :class:`export.runtime.engine.Engine`."""

    version = onnx.__version__
    errors = (RuntimeError, ValueError, TypeError)
    channels_last = False

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.shape = model, [batch, 3, 1, 1]

    def load(self) -> None:
        """Read the file."""
        self._evaluator: Any = ReferenceEvaluator(self.model)

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        (logits,) = self._evaluator.run(None, {"input": images})
        return np.asarray(logits)

    def delegated(self) -> None:
        """There is no delegate."""
        return
