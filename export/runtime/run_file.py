"""Script that runs one exported file; needs a Python with numpy and the file's runtime alone.

Arguments: model, images (.npy, float32 [N, 3, S, S]), answer (.json, written), then as wanted the
runtime (``onnxruntime``, ``litert`` or ``tflite-runtime``; else by the model's suffix) and threads.
The answer holds logits [N, K], the runtime's name and version, and the machine. Where the runtime
refuses the file, the exit code is 3 and the reason the last line of stderr.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

REFUSED = 3
INTERPRETERS = {"litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}
DISTRIBUTIONS = {"litert": "ai-edge-litert"}


def run_onnx(model: str, images: np.ndarray, threads: int) -> np.ndarray:
    """Logits [N, K] by ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[np.newaxis]})[0] for image in images])


def run_tflite(model: str, images: np.ndarray, threads: int, package: str) -> np.ndarray:
    """Logits [N, K] by a TFLite interpreter and its XNNPACK delegate."""
    interpreter = import_module(f"{package}.interpreter").Interpreter(
        model_path=model, num_threads=threads
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    rows = []
    for image in images:
        interpreter.set_tensor(source, image.transpose(1, 2, 0)[np.newaxis])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result)[0])
    return np.stack(rows)


def features() -> list[str]:
    """Instruction sets of an ARM processor."""
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() == "Features":
            return value.split()
    return []


def main(model: str, images: str, answer: str, runtime: str = "", threads: str = "1") -> int:
    """Run every image; returns the exit code."""
    runtime = runtime or ("litert" if model.endswith(".tflite") else "onnxruntime")
    batch = np.load(images, allow_pickle=False)
    try:
        if runtime in INTERPRETERS:
            logits = run_tflite(model, batch, int(threads), INTERPRETERS[runtime])
        else:
            logits = run_onnx(model, batch, int(threads))
    except Exception as error:  # noqa: BLE001 - the runtimes' errors have no common base
        print(" ".join(str(error).split()), file=sys.stderr)
        return REFUSED
    name = DISTRIBUTIONS.get(runtime, runtime)
    document = {
        "machine": platform.machine(),
        "features": features(),
        "evaluator": f"{name} {version(name)}",
        "logits": logits.astype(np.float64).tolist(),
    }
    Path(answer).write_text(json.dumps(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6]))
