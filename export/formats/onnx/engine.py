"""Engine for ONNX Runtime on the CPU, at its default settings but for the threads."""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

# Read by onnxruntime when it is imported; nothing here may phone home.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _state

_SILENT = 4
"""Log severity: fatal only; errors are raised, and reported once, where they are caught."""

_WARM_UP = 10
_OWN_ERRORS: tuple[type[Exception], ...] = tuple(
    kind for kind in vars(_state).values() if isinstance(kind, type) and issubclass(kind, Exception)
)
"""They have no common base."""


class Engine:
    """See :class:`export.runtime.engine.Engine`; ``session`` is there once loaded.

    Args:
        model: path or bytes of the file.
        threads: None leaves the number to the runtime.
        batch: images a run.
        optimise: let the runtime fuse operators.
    """

    version = onnxruntime.__version__
    errors: tuple[type[Exception], ...] = (RuntimeError, ValueError, *_OWN_ERRORS)
    channels_last = False

    def __init__(
        self, model: str | bytes, threads: int | None, batch: int, optimise: bool = True
    ) -> None:
        self.model, self.batch = model, batch
        self.shape: list[int] = []
        # The session's own level does not reach its memory allocator.
        onnxruntime.set_default_logger_severity(_SILENT)
        self._options = onnxruntime.SessionOptions()
        self._options.log_severity_level = _SILENT
        self._options.intra_op_num_threads = threads or 0
        self._options.inter_op_num_threads = 1
        if not optimise:
            level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            self._options.graph_optimization_level = level
        self._run_options = onnxruntime.RunOptions()
        self._run_options.log_severity_level = _SILENT

    def load(self) -> None:
        """Create the session, graph optimisation included."""
        self.session: Any = onnxruntime.InferenceSession(
            self.model, self._options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
        declared = self.session.get_inputs()[0]
        self._name = declared.name
        self.shape = [self.batch, *declared.shape[1:]]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        return np.asarray(self.outputs(None, images)[0])

    def outputs(self, names: list[str] | None, images: np.ndarray) -> list[np.ndarray]:
        """Values of some outputs, of all where none is named."""
        values: list[np.ndarray] = self.session.run(names, {self._name: images}, self._run_options)
        return values

    def delegated(self) -> None:
        """There is no delegate."""
        return

    def operator_times(self, runs: int) -> dict[str, list[float]]:
        """By ONNX Runtime's own profiler, which a session of its own has."""
        with tempfile.TemporaryDirectory(prefix="hierattn-profile-") as folder:
            self._options.enable_profiling = True
            self._options.profile_file_prefix = str(Path(folder) / "profile")
            self.load()
            images = np.random.default_rng(0).random(self.shape, np.float32)
            for _ in range(_WARM_UP + runs):
                self.run(images)
            events = json.loads(Path(self.session.end_profiling()).read_text(encoding="utf-8"))
        return times_of_events(events, _WARM_UP)


def times_of_events(events: list[dict[str, Any]], skipped: int) -> dict[str, list[float]]:
    """Milliseconds a run by operator, from the events of a profile.

    Args:
        events: as the profiler wrote them; ``dur`` is in microseconds.
        skipped: first runs that do not count.
    """
    times: dict[str, list[float]] = defaultdict(list)
    spent: dict[str, float] = defaultdict(float)
    run = 0
    for event in sorted(events, key=lambda event: event.get("ts", 0) + event.get("dur", 0)):
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"] / 1e3
        elif event.get("name") == "model_run":
            if run >= skipped:
                for name, milliseconds in spent.items():
                    times[name].append(milliseconds)
            spent.clear()
            run += 1
    return times
