"""Engine for TensorFlow's own TFLite interpreter with its XNNPACK delegate."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf


class Engine:
    """See :class:`export.runtime.engine.Engine`.

    Args:
        resolver: name of the set of kernels in ``tf.lite.experimental.OpResolverType``.
    """

    version = str(tf.__version__)
    errors = (RuntimeError, ValueError)
    channels_last = True

    def __init__(self, model: str, threads: int, batch: int, resolver: str = "AUTO") -> None:
        self.model, self.threads, self.resolver = model, threads, resolver
        self.shape: list[int] = []

    def load(self) -> None:
        """Open the file."""
        kernels = getattr(tf.lite.experimental.OpResolverType, self.resolver)
        self._interpreter: Any = tf.lite.Interpreter(
            self.model, num_threads=self.threads, experimental_op_resolver_type=kernels
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self.shape = [int(size) for size in self._input["shape"]]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits of one NHWC image."""
        self._interpreter.set_tensor(self._input["index"], images)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output))

    def delegated(self) -> None:
        """Not counted."""
        return
