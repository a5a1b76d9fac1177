"""The process group of a training: one process, or several started by torchrun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from hierattn.errors import ConfigError


@dataclass(frozen=True)
class ProcessGroup:
    """This process's place among its peers. ``size`` is 1 without torchrun."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes the run folder."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model as training calls it: gradients averaged over the processes."""
        if self.size == 1:
            return model
        devices = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=devices)

    def gather(self, part: np.ndarray) -> np.ndarray:
        """Concatenate equally typed arrays of all processes, in rank order."""
        if self.size == 1:
            return part
        parts: list[np.ndarray | None] = [None] * self.size
        dist.all_gather_object(parts, part)
        return np.concatenate([array for array in parts if array is not None])

    def agree(self, what: str, value: object) -> None:
        """Make sure that every process has the same ``value``.

        Raises:
            ConfigError: they differ, such as where machines do not share the run folder.
        """
        if self.size == 1:
            return
        values: list[object] = [None] * self.size
        dist.all_gather_object(values, value)
        if any(other != values[0] for other in values):
            raise ConfigError(
                f"the processes do not agree on {what}: {values}; give all machines the same "
                "data and the same (shared or copied) run folder"
            )

    def mean(self, value: float) -> float:
        """The average of a number over the processes."""
        if self.size == 1:
            return value
        tensor = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return float(tensor.item()) / self.size

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.size > 1:
            dist.barrier()


def choose_device(name: str = "auto", local_rank: int = 0) -> torch.device:
    """Resolve ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        ConfigError: the device is not on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if name not in available:
        raise ConfigError(f"unknown device '{name}' (valid: auto, {', '.join(available)})")
    if not available[name]:
        raise ConfigError(f"device '{name}' is not available on this machine; use --device auto")
    return torch.device("cuda", local_rank) if name == "cuda" else torch.device(name)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


@contextmanager
def process_group(device_name: str = "auto") -> Iterator[ProcessGroup]:
    """Join the group that torchrun started, or stand alone; leave it at the end.

    NCCL between GPUs, gloo between CPUs.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or "RANK" not in os.environ:
        yield ProcessGroup(0, 1, choose_device(device_name))
        return
    device = choose_device(device_name, int(os.environ.get("LOCAL_RANK", "0")))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield ProcessGroup(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def bf16_pays(device: torch.device) -> bool:
    """Whether bfloat16 autocast is faster than float32 on this device."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
