"""Engine that the benchmark's worker drives: a script by itself, for the executorch package."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import torch
from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
from executorch.runtime import Runtime


class Engine:
    """A program on the CPU, with the XNNPACK delegate that it was lowered for."""

    version = metadata.version("executorch")
    channels_last = False

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.threads = model, threads
        self.shape: list[int] = []

    def load(self) -> None:
        """Read the program; the delegate packs its weights here."""
        # Unsafe while something runs, and nothing does yet: the only way to say how many threads.
        _unsafe_reset_threadpool(self.threads)
        self._program = Runtime.get().load_program(self.model)
        self._method = self._program.load_method("forward")
        self.shape = list(self._method.metadata.input_tensor_meta(0).sizes())

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits of one image."""
        answer: np.ndarray = self._method.execute([torch.from_numpy(images)])[0].numpy()
        return answer

    def delegated(self) -> None:
        """Not counted: the program does not say at run time what its delegate took."""
        return
