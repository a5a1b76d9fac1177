"""The inference runtimes: which formats each runs, and whether it is available here."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from export.errors import ExportError
from export.formats.abilities import Platform, Runtime
from export.formats.registry import abilities_of, all_abilities
from export.runtime.client import ISOLATED
from export.runtime.own_environment import ensure_runtime
from hierattn.errors import UnknownNameError

ONNXRUNTIME, LITERT = "onnxruntime", "litert"
COREML, TORCH, MATRIX_PRODUCT = "coreml", "torch", "matmul"

_OWN = {
    name: Runtime(
        name,
        package,
        package,
        frozenset({Platform.HOST}),
        str(Path(__file__).with_name(script)),
    )
    for name, package, script in (
        (TORCH, "torch", "torch_engine.py"),
        (MATRIX_PRODUCT, "numpy", "matrix_product_engine.py"),
    )
}
"""Runtimes of no exported file."""


def all_runtimes() -> tuple[str, ...]:
    """Names of the runtimes that can be asked for."""
    declared = [runtime.name for one in all_abilities() for runtime in one.runtimes]
    return (*dict.fromkeys(declared), TORCH)


def runtimes_of(format: str) -> tuple[Runtime, ...]:
    """The runtimes that read a format here, on any system; none if no format declares one."""
    here = {Platform.HOST, Platform.MACOS}
    return tuple(r for r in abilities_of(format).runtimes if here & r.platforms)


@dataclass(frozen=True)
class Availability:
    """Whether a runtime can be used here.

    Attributes:
        python: command line of the interpreter that has it; None where there is none.
        version: of the runtime, where it can be used.
        reason: why not.
        excused: nothing on this machine could mend it, so its absence is no failure.
    """

    python: tuple[str, ...] | None
    version: str = ""
    reason: str = ""
    excused: bool = False


def check_runtimes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of runtimes, checked.

    Raises:
        UnknownNameError: one does not exist.
    """
    for name in names:
        if name not in all_runtimes():
            raise UnknownNameError("runtime", name, all_runtimes())
    return names


@cache
def find_runtime(name: str) -> Availability:
    """Look for a runtime; an environment of its own is made if missing."""
    runtime, extra = runtime_named(name)
    if Platform.HOST not in runtime.platforms and sys.platform != "darwin":
        return Availability(None, reason="needs macOS", excused=True)
    if runtime.requirements:
        try:
            python = ensure_runtime(runtime)
            return Availability((str(python), "-I"), runtime.pinned)
        except ExportError as error:
            return Availability(None, reason=str(error), excused=True)
    if importlib.util.find_spec(runtime.package) is None:
        reason = f"{runtime.distribution} is not installed; pip install 'hierattn-mobile[{extra}]'"
        return Availability(None, reason=reason)
    return Availability(ISOLATED, metadata.version(runtime.distribution))


def runtime_named(name: str) -> tuple[Runtime, str]:
    """A runtime, and the extra of ours that brings it.

    Raises:
        UnknownNameError: it does not exist.
    """
    if name in _OWN:
        return _OWN[name], ""
    for abilities in all_abilities():
        for runtime in abilities.runtimes:
            if runtime.name == name:
                return runtime, abilities.extra
    raise UnknownNameError("runtime", name, all_runtimes())
