"""Engine for LiteRT or tflite-runtime, whichever this Python has, with their XNNPACK delegate."""

from __future__ import annotations

import runpy
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGE, _DISTRIBUTION = (
    ("ai_edge_litert", "ai-edge-litert")
    if find_spec("ai_edge_litert")
    else ("tflite_runtime", "tflite-runtime")
)


class Engine:
    """See :class:`export.runtime.engine.Engine`; ``interpreter`` is there once loaded.

    Args:
        model: path or bytes of the file.
        threads: None leaves the number to the runtime.
        batch: not used; a file has a batch size of its own.
        traced: keep every intermediate tensor; the delegate, which cannot, is off.
    """

    version = metadata.version(_DISTRIBUTION)
    errors = (RuntimeError, ValueError)
    channels_last = True

    def __init__(
        self, model: str | bytes, threads: int | None, batch: int, traced: bool = False
    ) -> None:
        self.model, self.threads, self.traced = model, threads, traced
        self.shape: list[int] = []
        self._module: Any = import_module(f"{_PACKAGE}.interpreter")

    def load(self) -> None:
        """Open the file; the delegate packs its weights here."""
        given = "model_content" if isinstance(self.model, bytes) else "model_path"
        options: dict[str, Any] = {given: self.model, "num_threads": self.threads}
        if self.traced:
            resolvers = self._module.OpResolverType
            options["experimental_op_resolver_type"] = resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            options["experimental_preserve_all_tensors"] = True
        self.interpreter = self._module.Interpreter(**options)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.output = self.interpreter.get_output_details()[0]
        self.shape = [int(size) for size in self.input["shape"]]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits of one NHWC image."""
        self.interpreter.set_tensor(self.input["index"], images)
        self.interpreter.invoke()
        return np.asarray(self.interpreter.get_tensor(self.output["index"]))

    def delegated(self) -> dict[str, int]:
        """Counted in the runtime's own list of nodes."""
        return count_delegated(self.interpreter._get_ops_details(), [self.output["index"]])

    def executed(self) -> set[int]:
        """See :func:`executed_nodes`."""
        return executed_nodes(self.interpreter._get_ops_details(), [self.output["index"]])

    def operator_times(self, runs: int) -> dict[str, list[float]]:
        """By LiteRT's C interface: Python's has no profiler."""
        if _PACKAGE != "ai_edge_litert":
            raise SystemExit(f"{_DISTRIBUTION} has no profiler that can be reached from Python")
        script = runpy.run_path(str(Path(__file__).with_name("profiler.py")))
        times: dict[str, list[float]] = script["Profiler"](self.model, self.threads).times(runs)
        return times


def count_delegated(nodes: list[dict[str, Any]], outputs: list[int]) -> dict[str, int]:
    """Count partitions, and nodes that no partition took; see :func:`executed_nodes`."""
    executed = executed_nodes(nodes, outputs)
    partitions = sum(nodes[number]["op_name"] == "DELEGATE" for number in executed)
    return {"partitions": partitions, "left": len(executed) - partitions}


def executed_nodes(nodes: list[dict[str, Any]], outputs: list[int]) -> set[int]:
    """Numbers of the nodes that run: partitions, and operators of the file outside of them.

    A runtime lists the file's own nodes, taken or not, then a DELEGATE node for each partition.
    What is executed is found from the graph's outputs backwards, where a tensor that a partition
    makes comes from the partition.

    Args:
        nodes: ``op_name``, ``inputs`` and ``outputs`` (tensor numbers) of each.
        outputs: tensor numbers of the graph's outputs.
    """
    maker: dict[int, int] = {}
    for delegated in (False, True):
        for number, node in enumerate(nodes):
            if (node["op_name"] == "DELEGATE") is delegated:
                maker.update({int(tensor): number for tensor in node["outputs"]})
    wanted = list(outputs)
    executed: set[int] = set()
    while wanted:
        found = maker.get(int(wanted.pop()))
        if found is not None and found not in executed:
            executed.add(found)
            wanted += [int(tensor) for tensor in nodes[found]["inputs"]]
    return executed
