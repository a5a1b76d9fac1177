"""Engine for TensorFlow's own TFLite interpreter with the reference kernels, without a delegate."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

_With: Any = runpy.run_path(str(Path(__file__).with_name("tensorflow_engine.py")))["Engine"]


class Engine(_With):
    """See :class:`export.runtime.engine.Engine`."""

    def __init__(self, model: str, threads: int, batch: int) -> None:
        super().__init__(model, threads, batch, "BUILTIN_REF")
