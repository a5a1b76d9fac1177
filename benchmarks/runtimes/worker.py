"""Worker script: runs one model file in one runtime, driven by JSON lines on stdin and stdout.

A script by itself: it needs Python 3.9, numpy and the one runtime, so that another interpreter
(tflite-runtime's, or one on an ARM64 board) can run it as it is. It handles no error: the process
ends, and whoever started it reads the reason from stderr.

    python -I worker.py '{"runtime": "onnxruntime", "model": "FILE", "threads": 1, "batch": 1}'

The first line it writes names the version of the runtime; then one line a command.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import runpy
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

MATRIX_SIDE = 512
"""Of the matrix product: about a millisecond on one modern core, and it stays in its cache."""

# Warm-up: windows of WINDOW runs, until two in a row are no faster than the fastest before them.
WINDOW = 5
FASTER = 0.98
SUSTAINED_WINDOW_S = 1.0


class Engine:
    """One runtime that holds one model.

    Attributes:
        version: of the runtime.
        shape: of the input, batch first; known once loaded.
        channels_last: whether the input is NHWC.
    """

    version = ""
    channels_last = False

    def __init__(self, model: str, threads: int, batch: int) -> None:
        self.model, self.threads, self.batch = model, threads, batch
        self.shape: list[int] = []

    def load(self) -> None:
        """Open the file and get ready to answer."""
        raise NotImplementedError

    def run(self, images: np.ndarray) -> np.ndarray:
        """From an input array to an output array."""
        raise NotImplementedError

    def delegated(self) -> dict[str, int] | None:
        """Partitions that a delegate took, and operators left over; None where there is none."""
        return None


class OnnxRuntime(Engine):
    """onnxruntime on the CPU, at its default settings but for the threads."""

    def __init__(self, model: str, threads: int, batch: int) -> None:
        super().__init__(model, threads, batch)
        # Read by onnxruntime when it is imported; nothing here may phone home.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        self._runtime: Any = onnxruntime
        self.version = onnxruntime.__version__

    def load(self) -> None:
        """Create the session, graph optimisation included."""
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        self._session = self._runtime.InferenceSession(
            self.model, options, providers=["CPUExecutionProvider"]
        )
        declared = self._session.get_inputs()[0]
        self._name = declared.name
        self.shape = [self.batch, *declared.shape[1:]]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        return np.asarray(self._session.run(None, {self._name: images})[0])


class Tflite(Engine):
    """LiteRT or tflite-runtime, with the XNNPACK delegate that both apply by default."""

    channels_last = True

    def __init__(self, model: str, threads: int, batch: int, package: str, name: str) -> None:
        super().__init__(model, threads, batch)
        self._interpreter: Any = import_module(f"{package}.interpreter").Interpreter
        self.version = metadata.version(name)

    def load(self) -> None:
        """Open the file; the delegate packs its weights here."""
        self._loaded = self._interpreter(model_path=self.model, num_threads=self.threads)
        self._loaded.allocate_tensors()
        details = self._loaded.get_input_details()[0]
        self._input = details["index"]
        self._output = self._loaded.get_output_details()[0]["index"]
        self.shape = [int(size) for size in details["shape"]]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        self._loaded.set_tensor(self._input, images)
        self._loaded.invoke()
        return np.asarray(self._loaded.get_tensor(self._output))

    def delegated(self) -> dict[str, int] | None:
        """Counted in this runtime's own list of nodes."""
        return count_delegated(self._loaded._get_ops_details(), [self._output])


class Torch(Engine):
    """The run's own network in eager mode, untouched."""

    def __init__(self, model: str, threads: int, batch: int) -> None:
        super().__init__(model, threads, batch)
        import torch

        # Everything that only has to be imported is imported before the clock starts.
        from hierattn.runs import load_run

        self._torch: Any = torch
        self._load_run = load_run
        self.version = str(torch.__version__)

    def load(self) -> None:
        """Build the network and read its weights."""
        self._torch.set_num_threads(self.threads)
        run = self._load_run(self.model)
        self._network = run.load_model()
        self.shape = [self.batch, 3, run.config.image_size, run.config.image_size]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        with self._torch.inference_mode():
            return np.asarray(self._network(self._torch.from_numpy(images)).numpy())


class CoreML(Engine):
    """Apple's runtime on the CPU; macOS only."""

    def __init__(self, model: str, threads: int, batch: int) -> None:
        super().__init__(model, threads, batch)
        import coremltools

        self._tools: Any = coremltools
        self.version = str(coremltools.__version__)

    def load(self) -> None:
        """Compile and load the package."""
        units = self._tools.ComputeUnit.CPU_ONLY
        self._loaded = self._tools.models.MLModel(self.model, compute_units=units)
        description = self._loaded.get_spec().description
        self._input, self._output = description.input[0].name, description.output[0].name
        self.shape = [int(size) for size in description.input[0].type.multiArrayType.shape]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        return np.asarray(self._loaded.predict({self._input: images})[self._output])


class MatrixProduct(Engine):
    """The matrix product: a float32 matrix product by numpy, the same in every session."""

    version = np.__version__

    def load(self) -> None:
        """Make the matrices."""
        self.shape = [MATRIX_SIDE, MATRIX_SIDE]
        self._right = np.random.default_rng(1).random(self.shape, np.float32)

    def run(self, images: np.ndarray) -> np.ndarray:
        """Their product."""
        return np.asarray(images @ self._right)


def make_engine(runtime: str, model: str, threads: int, batch: int, engine: str = "") -> Any:
    """Import a runtime; the model is opened later.

    A format's own script has a class ``Engine`` that does what :class:`Engine` here does.
    """
    if engine:
        return runpy.run_path(engine)["Engine"](model, threads, batch)
    if runtime == "onnxruntime":
        return OnnxRuntime(model, threads, batch)
    if runtime == "torch":
        return Torch(model, threads, batch)
    if runtime == "coreml":
        return CoreML(model, threads, batch)
    if runtime == "matmul":
        return MatrixProduct(model, threads, batch)
    if runtime == "litert":
        return Tflite(model, threads, batch, "ai_edge_litert", "ai-edge-litert")
    if runtime == "tflite-runtime":
        return Tflite(model, threads, batch, "tflite_runtime", "tflite-runtime")
    raise SystemExit(f"unknown runtime '{runtime}'")


def count_delegated(nodes: list[dict[str, Any]], outputs: list[int]) -> dict[str, int]:
    """Count partitions, and nodes that no partition took.

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
    partitions = sum(nodes[number]["op_name"] == "DELEGATE" for number in executed)
    return {"partitions": partitions, "left": len(executed) - partitions}


class Session:
    """What the commands do."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.images = np.zeros(0, np.float32)

    def load(self) -> dict[str, Any]:
        """Open the file, timed."""
        took = self._timed(self.engine.load)
        self.images = np.random.default_rng(0).random(self.engine.shape, np.float32)
        return {"ms": took, "shape": self.engine.shape, "delegated": self.engine.delegated()}

    def first(self) -> dict[str, Any]:
        """The first answer, and whether it is one."""
        began = time.perf_counter_ns()
        answer = self.engine.run(self.images)
        took = (time.perf_counter_ns() - began) / 1e6
        return {"ms": took, "finite": bool(np.isfinite(answer).all()), "shape": answer.shape}

    def warm(self, least_s: float, most_s: float) -> dict[str, Any]:
        """Run until it gets no faster."""
        began = time.perf_counter()
        fastest, calm, runs = float("inf"), 0, 0
        while True:
            median = statistics.median(self._sample(WINDOW))
            runs += WINDOW
            calm = calm + 1 if median >= FASTER * fastest else 0
            fastest = min(fastest, median)
            spent = time.perf_counter() - began
            if calm >= 2 and spent >= least_s:
                return {"runs": runs, "steady": True}
            if spent >= most_s:
                return {"runs": runs, "steady": False}

    def run(self, discard: int, runs: int, most_s: float) -> dict[str, Any]:
        """Timed runs, after a few that only bring caches and threads back.

        Fewer than asked for where they take longer than ``most_s``, but one at least.
        """
        self._sample(discard)
        end, samples = time.perf_counter() + most_s, self._sample(1)
        while len(samples) < runs and time.perf_counter() < end:
            samples += self._sample(1)
        return {"ms": samples}

    def sustain(self, seconds: float) -> dict[str, Any]:
        """Run without a pause; the median of each window of a second."""
        medians: list[float] = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            window: list[float] = []
            until = min(end, time.perf_counter() + SUSTAINED_WINDOW_S)
            while not window or time.perf_counter() < until:
                window += self._sample(1)
            medians.append(statistics.median(window))
        return {"ms": medians}

    def answer(self, images: str, logits: str) -> dict[str, Any]:
        """Answer the float32 [N, 3, S, S] of one .npy in another."""
        asked = np.load(images)
        if self.engine.channels_last:
            asked = np.ascontiguousarray(asked.transpose(0, 2, 3, 1))
        size = self.engine.shape[0]
        answers = [
            self.engine.run(np.ascontiguousarray(asked[start : start + size]))
            for start in range(0, len(asked), size)
        ]
        np.save(logits, np.concatenate(answers).astype(np.float64))
        return {"count": len(asked)}

    def memory(self) -> dict[str, Any]:
        """The most memory this process ever held."""
        return {"peak_mb": peak_memory_mb()}

    def _sample(self, runs: int) -> list[float]:
        run, images, clock = self.engine.run, self.images, time.perf_counter_ns
        samples = []
        for _ in range(runs):
            began = clock()
            run(images)
            samples.append((clock() - began) / 1e6)
        return samples

    def _timed(self, work: Any) -> float:
        began = time.perf_counter_ns()
        work()
        return (time.perf_counter_ns() - began) / 1e6


def peak_memory_mb() -> float:
    """Peak resident memory, megabytes (10^6 bytes).

    Not ru_maxrss on Linux: it begins with the peak of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def main() -> None:
    """Greet, then answer commands until stdin ends."""
    # Runtimes print on stdout; what they print goes to stderr, the answers to the real stdout.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(reply: dict[str, Any]) -> None:
        answers.write(json.dumps(reply) + "\n")
        answers.flush()

    session = Session(make_engine(**json.loads(sys.argv[1])))
    commands: dict[str, Callable[..., dict[str, Any]]] = {
        "load": session.load,
        "first": session.first,
        "warm": session.warm,
        "run": session.run,
        "sustain": session.sustain,
        "answer": session.answer,
        "memory": session.memory,
    }
    gc.disable()
    say({"version": session.engine.version})
    for line in sys.stdin:
        command = json.loads(line)
        say(commands[command.pop("do")](**command))


if __name__ == "__main__":
    main()
