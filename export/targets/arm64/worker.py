"""Script that runs one exported file; needs a Python with numpy and the runtimes alone.

Arguments: model, images (.npy, float32 [N, 3, S, S]), answer (.json, written). The answer holds
logits [N, K] and the name and version of the runtime. Where the runtime refuses the file, the exit
code is 3 and the reason the last line of stderr.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

REFUSED = 3


def run_onnx(model: str, images: np.ndarray) -> np.ndarray:
    """Logits [N, K] by ONNX Runtime on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[np.newaxis]})[0] for image in images])


def run_tflite(model: str, images: np.ndarray) -> np.ndarray:
    """Logits [N, K] by LiteRT and its XNNPACK delegate on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=1)
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
    """Instruction sets of the processor."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "Features":
            return value.split()
    return []


def main(model: str, images: str, answer: str) -> int:
    """Run every image; returns the exit code."""
    run, runtime = run_onnx, "onnxruntime"
    if model.endswith(".tflite"):
        run, runtime = run_tflite, "ai-edge-litert"
    try:
        logits = run(model, np.load(images, allow_pickle=False))
    except Exception as error:  # noqa: BLE001 - the runtimes' errors have no common base
        print(" ".join(str(error).split()), file=sys.stderr)
        return REFUSED
    document = {
        "machine": platform.machine(),
        "features": features(),
        "evaluator": f"{runtime} {version(runtime)}",
        "logits": logits.astype(np.float64).tolist(),
    }
    Path(answer).write_text(json.dumps(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
