"""The runtimes that are tried, with their versions: the only place where these are pinned."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from export.formats.abilities import Runtime
from export.formats.onnx.abilities import ONNXRUNTIME
from export.formats.tflite.abilities import LITERT, TFLITE_RUNTIME
from export.runtime.client import ISOLATED
from export.runtime.environments import ensure_environment, ensure_node_packages
from hierattn.errors import UnknownNameError

_ENGINES = Path(__file__).parent / "engines"
INSTALL_S = 1200.0
"""TensorFlow takes minutes on a slow line."""

_NUMPY_1 = "numpy==1.26.4"
_IN_INT8 = "OpenVINO computes in int8 what is only stored in int8"
_RESIZES = "MediaPipe resizes photos without antialiasing"


@dataclass(frozen=True)
class OtherRuntime:
    """A runtime that files are tried on.

    Attributes:
        name: as in ``--runtimes``; several versions or settings share one.
        suffix: of the files that it reads.
        engine: the script that runs a file in it, see :mod:`export.runtime.engine`.
        requirements: what pip or npm installs for it; empty where this Python has it.
        setting: what tells it from others of its name, besides the version.
        node: it runs in Node.js.
        whole_photos: it gets photos as they are on disk, and prepares them by itself.
        known: by precision, why a file fails or departs there by no fault of the file.
    """

    name: str
    suffix: str
    engine: str
    requirements: tuple[str, ...] = ()
    setting: str = ""
    node: bool = False
    whole_photos: bool = False
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """Name of its environment, such as ``openvino-2026.4.1``."""
        return self.requirements[0].replace("==", "-").replace("@", "-")

    @property
    def pinned(self) -> str:
        """Its version, as installed for it; empty where this Python has it."""
        return self.environment.rpartition("-")[2] if self.requirements else ""

    def command(self, environments: Path) -> tuple[str, ...]:
        """Command line of its interpreter, whose environment is made if missing.

        Raises:
            ExportError: it cannot be made; one line says why.
        """
        if not self.requirements:
            return ISOLATED
        home = environments / self.environment
        if self.node:
            folder = ensure_node_packages(home, self.requirements, INSTALL_S)
            return (shutil.which("node") or "node", self.engine, str(folder))
        return (str(ensure_environment(home, self.requirements, INSTALL_S)), "-I")


def _engine(name: str) -> str:
    return str(_ENGINES / name)


def _oldest(runtime: Runtime, suffix: str) -> OtherRuntime:
    """The oldest version that reads our files, as their format declares it."""
    pinned = f"{runtime.distribution}=={runtime.minimum}"
    return OtherRuntime(runtime.distribution, suffix, runtime.engine, (pinned, _NUMPY_1))


OTHER_RUNTIMES = (
    _oldest(ONNXRUNTIME, ".onnx"),
    OtherRuntime("onnxruntime", ".onnx", ONNXRUNTIME.engine),
    OtherRuntime(
        "onnxruntime-web",
        ".onnx",
        _engine("onnxruntime_web.mjs"),
        ("onnxruntime-web@1.30.0",),
        "WebAssembly",
        node=True,
    ),
    OtherRuntime("onnx", ".onnx", _engine("reference_engine.py"), ("onnx==1.23.2",), "reference"),
    OtherRuntime(
        "openvino",
        ".onnx",
        _engine("openvino_engine.py"),
        ("openvino==2026.4.1",),
        known={"int8": _IN_INT8},
    ),
    OtherRuntime(
        "opencv",
        ".onnx",
        _engine("opencv_engine.py"),
        ("opencv-python-headless==5.0.0.93",),
        "dnn",
        known={"int8": "OpenCV has no DynamicQuantizeLinear"},
    ),
    _oldest(LITERT, ".tflite"),
    OtherRuntime("tflite-runtime", ".tflite", TFLITE_RUNTIME.engine, TFLITE_RUNTIME.requirements),
    OtherRuntime(
        "tensorflow",
        ".tflite",
        _engine("tensorflow_engine.py"),
        ("tensorflow-cpu==2.21.0",),
        "XNNPACK",
    ),
    OtherRuntime(
        "tensorflow",
        ".tflite",
        _engine("tensorflow_reference_engine.py"),
        ("tensorflow-cpu==2.21.0",),
        "reference",
    ),
    OtherRuntime("openvino", ".tflite", _engine("openvino_engine.py"), ("openvino==2026.4.1",)),
    *(
        OtherRuntime(
            "mediapipe",
            ".tflite",
            _engine("mediapipe_engine.py"),
            (f"mediapipe=={version}", *more),
            "whole photos" if whole else "resized",
            whole_photos=whole,
            known=dict.fromkeys(("fp32", "fp16", "int8"), _RESIZES) if whole else {},
        )
        for version, more in (("0.10.21", (_NUMPY_1,)), ("1.2.3", ()))
        for whole in (False, True)
    ),
)


def choose_runtimes(names: str) -> tuple[OtherRuntime, ...]:
    """Those of some names, separated by commas; all where none is given.

    Raises:
        UnknownNameError: one does not exist.
    """
    known = dict.fromkeys(runtime.name for runtime in OTHER_RUNTIMES)
    asked = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    for name in asked:
        if name not in known:
            raise UnknownNameError("runtime", name, known)
    return tuple(runtime for runtime in OTHER_RUNTIMES if runtime.name in asked)
