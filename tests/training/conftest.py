"""A recipe small enough to train in seconds, and a way to run it in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hierattn.data.records import DataFolder
from hierattn.training.recipe.config import TrainingConfig, build_config

TINY = {"model": "hierattn_xs", "image_size": 64, "epochs": 3, "batch_size": 8}


@pytest.fixture
def tiny() -> TrainingConfig:
    return build_config(**TINY)


@pytest.fixture
def train_command(painted: DataFolder) -> Callable[..., list[str]]:
    """The command line that trains the tiny recipe into a folder."""

    def command(out: Path, *more: str) -> list[str]:
        fields = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
        return ["-m", "hierattn.cli", "train", f"--data={painted.root}", f"--out={out}", *fields,
                *more]  # fmt: skip

    return command


@pytest.fixture
def start() -> Callable[[list[str]], subprocess.Popen[str]]:
    """Start Python with arguments, one thread, output captured."""

    def run(arguments: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run
