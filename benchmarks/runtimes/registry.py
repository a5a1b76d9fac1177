"""The inference runtimes: which formats each runs, and whether it is available here."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from export.errors import ExportError
from export.runtime.tflite_runtime_env import RUNTIME_VERSION, default_home, ensure_environment
from hierattn.errors import UnknownNameError

ONNXRUNTIME, LITERT, TFLITE_RUNTIME = "onnxruntime", "litert", "tflite-runtime"
COREML, TORCH, MATRIX_PRODUCT = "coreml", "torch", "matmul"

RUNTIMES_OF = {
    "onnx": (ONNXRUNTIME,),
    "tflite": (LITERT, TFLITE_RUNTIME),
    "coreml": (COREML,),
    TORCH: (TORCH,),
}
RUNTIMES = tuple(name for names in RUNTIMES_OF.values() for name in names)


# Import, distribution, and the extra of ours that brings it.
_PACKAGES = {
    ONNXRUNTIME: ("onnxruntime", "onnxruntime", "onnx"),
    LITERT: ("ai_edge_litert", "ai-edge-litert", "tflite"),
    COREML: ("coremltools", "coremltools", "coreml"),
    TORCH: ("torch", "torch", ""),
    MATRIX_PRODUCT: ("numpy", "numpy", ""),
}


@dataclass(frozen=True)
class Availability:
    """Whether a runtime can be used here.

    Attributes:
        python: the interpreter that has it; None where there is none.
        version: of the runtime, where it can be used.
        reason: why not.
        excused: nothing on this machine could mend it, so its absence is no failure.
    """

    python: str | None
    version: str = ""
    reason: str = ""
    excused: bool = False


def check_runtimes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of runtimes, checked.

    Raises:
        UnknownNameError: one does not exist.
    """
    for name in names:
        if name not in RUNTIMES:
            raise UnknownNameError("runtime", name, RUNTIMES)
    return names


@cache
def find_runtime(name: str) -> Availability:
    """Look for a runtime; tflite-runtime's own environment is made if missing."""
    if name == COREML and sys.platform != "darwin":
        return Availability(None, reason="needs macOS", excused=True)
    if name == TFLITE_RUNTIME:
        try:
            return Availability(str(ensure_environment(default_home())), RUNTIME_VERSION)
        except ExportError as error:
            return Availability(None, reason=str(error), excused=True)
    package, distribution, extra = _PACKAGES[name]
    if importlib.util.find_spec(package) is None:
        reason = f"{distribution} is not installed; pip install 'hierattn-mobile[{extra}]'"
        return Availability(None, reason=reason)
    return Availability(sys.executable, metadata.version(distribution))
