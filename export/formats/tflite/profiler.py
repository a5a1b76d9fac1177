"""Profiler of LiteRT through its C interface: milliseconds of each operator of a file.

A script by itself, like the engine that uses it. Profiling slows a model down: the shares count,
not their sum.
"""

from __future__ import annotations

import ctypes
import re
from collections import defaultdict
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WARM_UP = 10
LITERT_VERSION = "2.3."
"""Whose C interface is known: the layout of an event is not part of any promise."""

_LEFT, _DELEGATED = 2, 8
"""Types of events: operators of the file that no delegate took, and those inside a delegate."""

_EVENT_BYTES = 400
"""Room for an event, more than it takes."""

Times = dict[str, list[float]]
"""Milliseconds of every run, by operator."""


class _Event(ctypes.Structure):
    """``ProfiledEventData`` of LiteRT 2.3 as far as it is read; times in microseconds."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("start", ctypes.c_uint64),
        ("elapsed", ctypes.c_uint64),
        ("memory_before", ctypes.c_int64 * 6),
        ("memory_after", ctypes.c_uint64 * 2),
        ("source", ctypes.c_int),
    )


class Profiler:
    """A file compiled with LiteRT's profiler on."""

    def __init__(self, model: str, threads: int) -> None:
        installed = metadata.version("ai-edge-litert")
        if not installed.startswith(LITERT_VERSION):
            raise SystemExit(
                f"LiteRT {installed}: only {LITERT_VERSION}x can be profiled from here"
            )
        found = find_spec("ai_edge_litert")
        if found is None or found.origin is None:
            raise SystemExit("ai-edge-litert has no folder")
        self._library = ctypes.CDLL(str(Path(found.origin).with_name("libLiteRt.so")))
        environment = self._made("CreateEnvironment", 0, None)
        loaded = self._made("CreateModelFromFile", environment, model.encode())
        options = self._options(threads)
        self._model = self._made("CreateCompiledModel", environment, loaded, options)
        self._profiler = self._made("CompiledModelGetProfiler", self._model)
        signature = self._made("GetModelSignature", loaded, ctypes.c_size_t(0))
        self._ends = [
            (ctypes.c_void_p * 1)(self._buffer(environment, signature, kind))
            for kind in ("Input", "Output")
        ]

    def times(self, runs: int) -> Times:
        """Milliseconds of XNNPACK's own operators, and of those that it did not take."""
        for _ in range(WARM_UP):
            self._run()
        times: Times = defaultdict(list)
        for _ in range(runs):
            self._do("ResetProfiler", self._profiler)
            self._do("StartProfiler", self._profiler)
            self._run()
            self._do("StopProfiler", self._profiler)
            spent: dict[str, float] = defaultdict(float)
            for event in self._events():
                if event.type in (_LEFT, _DELEGATED):
                    name = plain_name((event.tag or b"").decode())
                    name += " (not delegated)" if event.type == _LEFT else ""
                    spent[name] += event.elapsed / 1e3
            for name, milliseconds in spent.items():
                times[name].append(milliseconds)
        return times

    def _events(self) -> list[_Event]:
        count = ctypes.c_int()
        self._do("GetNumProfilerEvents", self._profiler, ctypes.byref(count))
        room = ctypes.create_string_buffer(_EVENT_BYTES * max(1, count.value))
        events = ctypes.cast(room, ctypes.POINTER(_Event * count.value)).contents
        self._do("GetProfilerEvents", self._profiler, count, events)
        return list(events)

    def _run(self) -> None:
        zero, one = ctypes.c_size_t(0), ctypes.c_size_t(1)
        self._do("RunCompiledModel", self._model, zero, one, self._ends[0], one, self._ends[1])

    def _options(self, threads: int) -> ctypes.c_void_p:
        libc = ctypes.CDLL(None)
        libc.strdup.restype, libc.strdup.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        free = ctypes.cast(libc.free, ctypes.c_void_p)
        options = self._made("CreateOptions")
        self._do("SetOptionsHardwareAccelerators", options, 1)
        for name, text in (
            (b"runtime_options_string", b"enable_profiling = true\n"),
            (b"xnnpack", b"num_threads = %d\n" % threads),
        ):
            copy = ctypes.c_void_p(libc.strdup(text))
            part = self._made("CreateOpaqueOptions", name, copy, free)
            self._do("AddOpaqueOptions", options, part)
        return options

    def _buffer(
        self, environment: ctypes.c_void_p, signature: ctypes.c_void_p, kind: str
    ) -> ctypes.c_void_p:
        zero = ctypes.c_size_t(0)
        tensor = self._made(f"GetSignature{kind}TensorByIndex", signature, zero)
        shape = ctypes.create_string_buffer(256)
        self._do("GetRankedTensorType", tensor, shape)
        needs = self._made(f"GetCompiledModel{kind}BufferRequirements", self._model, zero, zero)
        return self._made("CreateManagedTensorBufferFromRequirements", environment, shape, needs)

    def _made(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        result = ctypes.c_void_p()
        self._do(function, *arguments, ctypes.byref(result))
        return result

    def _do(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, f"LiteRt{function}")(*arguments)
        if status:
            raise SystemExit(f"LiteRt{function} failed with status {status}")


def plain_name(tag: str) -> str:
    """An operator's kind: without its number and the delegate's prefix."""
    return re.sub(r" #\d+$", "", tag).replace("Delegate/", "")
