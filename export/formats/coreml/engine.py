"""Engine for Apple's own runtime on the CPU; macOS only."""

from __future__ import annotations

import coremltools
import numpy as np


class Engine:
    """See :class:`export.runtime.engine.Engine`; Apple's runtime chooses its threads itself."""

    version = str(coremltools.__version__)
    errors = (RuntimeError, ValueError, TypeError, OSError)
    channels_last = False

    def __init__(self, model: str, threads: int | None, batch: int) -> None:
        self.model = model
        self.shape: list[int] = []

    def load(self) -> None:
        """Compile and load the package."""
        units = coremltools.ComputeUnit.CPU_ONLY
        self._loaded = coremltools.models.MLModel(self.model, compute_units=units)
        description = self._loaded.get_spec().description
        self._input, self._output = description.input[0].name, description.output[0].name
        self.shape = [int(size) for size in description.input[0].type.multiArrayType.shape]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        return np.asarray(self._loaded.predict({self._input: images})[self._output])

    def delegated(self) -> None:
        """Core ML does not say."""
        return
