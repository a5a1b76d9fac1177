"""Export of trained runs to ONNX, TFLite, Core ML and ExecuTorch, each file compared with torch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Read by onnxruntime when it is imported; nothing here may phone home.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from export.formats.load import load_artefact
    from export.passes import deployment_graph
    from export.pipeline import export_run

__all__ = ["deployment_graph", "export_run", "load_artefact"]

_HOMES = {
    "deployment_graph": "export.passes",
    "export_run": "export.pipeline",
    "load_artefact": "export.formats.load",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for: torch and the converters take seconds.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'export' has no attribute '{name}'")
