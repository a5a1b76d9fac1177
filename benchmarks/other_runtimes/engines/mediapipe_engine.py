"""Engine for MediaPipe's ImageClassifier, which resizes and normalises a picture by itself."""

from __future__ import annotations

import mediapipe
import numpy as np
from mediapipe.tasks.python.core.base_options import BaseOptions
from mediapipe.tasks.python.vision import ImageClassifier, ImageClassifierOptions

_LOWEST = -1e30
"""Some versions drop scores below 0 by default, and scores here are logits."""


class Engine:
    """See :class:`export.runtime.engine.Engine`; a picture of any size is taken."""

    version = str(mediapipe.__version__)
    errors = (RuntimeError, ValueError)
    channels_last = True

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.shape = model, [1, 1, 1, 3]

    def load(self) -> None:
        """Open the file."""
        self._classifier = ImageClassifier.create_from_options(
            ImageClassifierOptions(
                base_options=BaseOptions(model_asset_path=self.model), score_threshold=_LOWEST
            )
        )

    def run(self, images: np.ndarray) -> np.ndarray:
        """Scores [1, K] of one image [1, H, W, 3] in [0, 1], in the order of the file's labels."""
        pixels = np.round(images[0] * 255).astype(np.uint8)
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        found = self._classifier.classify(picture).classifications[0].categories
        return np.array([[one.score for one in sorted(found, key=lambda one: one.index)]])

    def delegated(self) -> None:
        """Not counted."""
        return
