"""Script that runs a .tflite; needs an interpreter with tflite-runtime and numpy alone.

Arguments: model, images (.npy, float32 [N, S, S, 3]), logits (.npy, written), threads. Prints the
runtime's version. Where the runtime refuses the file, the exit code is 3 and the reason the last
line of stderr.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version

import numpy as np

REFUSED = 3


def main(model: str, images: str, logits: str, threads: str) -> int:
    """Run every image; returns the exit code."""
    runtime = import_module("tflite_runtime.interpreter")
    print(version("tflite-runtime"), flush=True)
    batch = np.load(images, allow_pickle=False)
    try:
        interpreter = runtime.Interpreter(model_path=model, num_threads=int(threads))
        interpreter.allocate_tensors()
        source = interpreter.get_input_details()[0]["index"]
        result = interpreter.get_output_details()[0]["index"]
        rows = []
        for image in batch:
            interpreter.set_tensor(source, image[np.newaxis])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(result)[0])
    except (RuntimeError, ValueError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return REFUSED
    np.save(logits, np.stack(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
