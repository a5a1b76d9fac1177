"""Engine that the benchmark's worker drives; a script by itself."""

import numpy as np
import torch


class Engine:
    channels_last = False
    version = str(torch.__version__)

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.threads, self.batch = model, threads, batch

    def load(self) -> None:
        torch.set_num_threads(self.threads)
        self.network = torch.jit.load(self.model)
        self.shape = [self.batch, 3, self.network.side, self.network.side]

    def run(self, images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return self.network(torch.from_numpy(images)).numpy()

    def delegated(self) -> None:
        return None
