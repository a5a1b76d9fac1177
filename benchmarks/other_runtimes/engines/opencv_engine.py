"""Engine for OpenCV's dnn module."""

from __future__ import annotations

import re

import cv2
import numpy as np


class Engine:
    """See :class:`export.runtime.engine.Engine`."""

    version = str(cv2.__version__)
    errors = (RuntimeError,)
    channels_last = False

    def __init__(self, model: str, threads: int, batch: int) -> None:
        cv2.setNumThreads(threads)
        self.model, self.shape = model, [batch, 1, 1, 3]

    def load(self) -> None:
        """Read the file."""
        try:
            self._network = cv2.dnn.readNetFromONNX(self.model)
        except cv2.error as error:
            # Errors within errors, each after the place in the source that raised it.
            said = re.split(r"error: \(-?\d+:[^)]*\) ", str(error))[-1]
            raise RuntimeError(" ".join(said.split()).removesuffix(" >")) from error

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        self._network.setInput(images, "input")
        return np.asarray(self._network.forward())

    def delegated(self) -> None:
        """There is no delegate."""
        return
