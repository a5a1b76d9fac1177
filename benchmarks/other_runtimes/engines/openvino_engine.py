"""Engine for OpenVINO's CPU plugin, in float32: by itself it may choose bfloat16."""

from __future__ import annotations

import numpy as np
import openvino


class Engine:
    """See :class:`export.runtime.engine.Engine`."""

    version = openvino.__version__.partition("-")[0]
    errors = (RuntimeError,)

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.threads, self.batch = model, threads, batch
        self.shape: list[int] = []
        self.channels_last = model.endswith(".tflite")

    def load(self) -> None:
        """Read and compile the file."""
        core = openvino.Core()
        model = core.read_model(self.model)
        shape = model.input(0).partial_shape
        shape[0] = self.batch
        model.reshape(shape)
        self.shape = [int(dimension.get_length()) for dimension in shape]
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": self.threads}
        self._compiled = core.compile_model(model, "CPU", settings)

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        return np.array(self._compiled(images)[0])

    def delegated(self) -> None:
        """There is no delegate."""
        return
