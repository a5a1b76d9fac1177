"""Loading of exported files of any format, chosen by the file suffix."""

from __future__ import annotations

from pathlib import Path

from export.errors import ArtefactError
from export.formats.interface import Artefact
from export.formats.registry import format_of, require_packages
from hierattn.errors import ConfigError


def load_artefact(
    path: str | Path, threads: int | None = None, *, any_range: bool = False
) -> Artefact:
    """Load an exported file to run it on the CPU.

    Args:
        path: a ``.onnx`` or ``.tflite`` file, or an ``.mlpackage`` folder.
        threads: None leaves the number to the runtime.
        any_range: take values outside of [0, 1], which preprocessing never yields: pixels from 0 to
            255 would be answered with confidence, and wrongly.

    Returns:
        Callable on float32 [N, 3, S, S] in [0, 1], returning logits [N, K]; it raises
        ArtefactError for images of another shape, type or range, and for NaN.

    Raises:
        ArtefactError: missing, of unknown suffix, damaged, or not written by this project.
        ConfigError: ``threads`` below 1.
        MissingPackageError: the format's packages are not installed.
    """
    path = Path(path)
    fmt = format_of(path)
    if not path.exists():
        raise ArtefactError(f"{path}: no such file")
    if threads is not None and threads < 1:
        raise ConfigError(f"threads must be 1 or more, not {threads}")
    require_packages(fmt.packages_to_run, fmt.extra)
    artefact = fmt.load(path, threads)
    artefact.any_range = any_range
    return artefact
