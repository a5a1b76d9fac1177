"""Engine for a run's own network in eager mode, untouched."""

from __future__ import annotations

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

# Everything that only has to be imported is imported before the clock starts.
from hierattn.runs import load_run

_WARM_UP = 10


class Engine:
    """See :class:`export.runtime.engine.Engine`; the model is a run folder."""

    version = str(torch.__version__)
    errors = (RuntimeError, ValueError)
    channels_last = False

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.threads, self.batch = model, threads, batch
        self.shape: list[int] = []

    def load(self) -> None:
        """Build the network and read its weights."""
        torch.set_num_threads(self.threads)
        run = load_run(self.model)
        self._network = run.load_model()
        self.shape = [self.batch, 3, run.config.image_size, run.config.image_size]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        with torch.inference_mode():
            return np.asarray(self._network(torch.from_numpy(images)).numpy())

    def delegated(self) -> None:
        """There is no delegate."""
        return

    def operator_times(self, runs: int) -> dict[str, list[float]]:
        """By torch's profiler: time spent in each operator itself."""
        self.load()
        images = np.random.default_rng(0).random(self.shape, np.float32)
        for _ in range(_WARM_UP):
            self.run(images)
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            for _ in range(runs):
                self.run(images)
        return {
            event.key: [event.self_cpu_time_total / 1e3 / runs] for event in profiler.key_averages()
        }
