"""Import torchvision (and timm, which needs it) also where its compiled operators are missing.

A torchvision wheel built for CUDA beside a CPU build of torch cannot load its extension, and its
import then fails: "operator torchvision::nms does not exist". The classification networks need
none of those operators, so declaring their schemas is enough.
"""

from __future__ import annotations

import functools
import importlib
import sys
from types import ModuleType

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@functools.cache
def _declare_operators() -> torch.library.Library:
    """Declare the missing operators; the cache keeps the library, and with it them, alive."""
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    return library


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    # Half-imported modules would be found instead of imported again.
    for module in list(sys.modules):
        if module.partition(".")[0] in ("torchvision", name):
            del sys.modules[module]
    _declare_operators()
    return importlib.import_module(name)


def import_torchvision() -> ModuleType:
    """The torchvision package with ``models`` and ``transforms`` loaded.

    Raises:
        ImportError: torchvision is not installed.
    """
    return _import("torchvision")


def import_timm() -> ModuleType:
    """The timm package.

    Raises:
        ImportError: timm or torchvision is not installed.
    """
    import_torchvision()
    return _import("timm")
