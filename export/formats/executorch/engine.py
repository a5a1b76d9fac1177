"""Engine for ExecuTorch on the CPU, with the XNNPACK delegate that a program was lowered for."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import torch
from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
from executorch.runtime import Runtime

FORWARD = "forward"


class Engine:
    """See :class:`export.runtime.engine.Engine`; the model is a path or bytes.

    Args:
        threads: of all programs of this process, as the runtime has one number; it may only be set
            while none runs.
        batch: not used; a program has a batch size of its own.
    """

    version = metadata.version("executorch")
    errors = (RuntimeError, KeyError, ValueError)
    channels_last = False

    def __init__(self, model: str | bytes, threads: int | None, batch: int) -> None:
        # The runtime reads bytes as long as it runs.
        self.model, self.threads = model, threads
        self.shape: list[int] = []

    def load(self) -> None:
        """Read the program; the delegate packs its weights here."""
        if self.threads is not None:
            _unsafe_reset_threadpool(self.threads)
        self._program = Runtime.get().load_program(self.model)
        self._method = self._program.load_method(FORWARD)
        self.shape = list(self._method.metadata.input_tensor_meta(0).sizes())
        self.output_shape = list(self._method.metadata.output_tensor_meta(0).sizes())

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits of one image."""
        # A copy: the tensor may be the runtime's own memory, which the next run overwrites.
        return np.array(self._method.execute([torch.from_numpy(images)])[0].numpy())

    def constant(self, name: str) -> str | None:
        """What a method without arguments answers; None where the program has none of that name."""
        if name not in self._program.method_names:
            return None
        (text,) = self._program.load_method(name).execute([])
        return str(text)

    def delegated(self) -> None:
        """Not counted: the program does not say at run time what its delegate took."""
        return
