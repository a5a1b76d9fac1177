"""Reading of a saved ``.mlpackage``: its manifest, its specification, its weights.

Nothing outside the package is ever opened, whatever its manifest or its program says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from export.errors import ArtefactError
from export.formats.coreml.evaluator.messages import model_message
from export.formats.coreml.evaluator.weights import WeightFile, empty_weight_file, read_weight_file
from hierattn.common.json_text import DoubleNameError, parse_json

MANIFEST = "Manifest.json"
DATA = "Data"
WEIGHTS = "weights"
WEIGHT_FILE = "weight.bin"


@dataclass(frozen=True, eq=False)
class Package:
    """A package that was read.

    Attributes:
        model: the parsed ``Model`` message of coremltools.
        weights: the constants stored beside it.
    """

    path: Path
    model: Any
    weights: WeightFile


def read_package(path: Path) -> Package:
    """Read a package.

    Raises:
        ArtefactError: missing, truncated, not a package, or pointing out of itself.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    items, root = _read_manifest(path)
    specification = _inside(path, items[root])
    model = model_message()()
    try:
        model.ParseFromString(specification.read_bytes())
    except DecodeError as error:
        raise ArtefactError(
            f"{specification}: not a Core ML specification (damaged or truncated)"
        ) from error
    except OSError as error:
        raise ArtefactError(f"{specification}: {error.strerror}") from error
    folder = items[root].parent / WEIGHTS
    if folder not in items.values():
        return Package(path, model, empty_weight_file(specification))
    return Package(path, model, read_weight_file(_inside(path, folder / WEIGHT_FILE)))


def _read_manifest(package: Path) -> tuple[dict[str, PurePosixPath], str]:
    """Paths by identifier, relative to ``Data``, and the identifier of the specification."""
    if not package.is_dir():
        reason = "not a folder" if package.exists() else "no such package"
        raise ArtefactError(f"{package}: {reason}; a Core ML package is a folder")
    manifest = package / MANIFEST
    _check_inside(package, manifest)
    try:
        fields = parse_json(manifest.read_text(encoding="utf-8"))
        root = fields["rootModelIdentifier"]
        items = {
            name: PurePosixPath(entry["path"]) for name, entry in fields["itemInfoEntries"].items()
        }
    except OSError as error:
        raise ArtefactError(f"{manifest}: {error.strerror}") from error
    except DoubleNameError as error:
        raise ArtefactError(f"{manifest}: {error}; export again") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArtefactError(f"{manifest}: not the manifest of a Core ML package") from error
    if not isinstance(root, str) or root not in items:
        raise ArtefactError(f"{manifest}: names no specification (rootModelIdentifier)")
    return items, root


def _inside(package: Path, relative: PurePosixPath) -> Path:
    """A file of the package by its path in the manifest."""
    if relative.is_absolute() or ".." in relative.parts:
        raise ArtefactError(
            f"{package}: the manifest points outside the package: {str(relative)!r}"
        )
    found = package / DATA / relative
    _check_inside(package, found)
    return found


def _check_inside(package: Path, file: Path) -> None:
    try:
        resolved = file.resolve(strict=True)
        contained = resolved.is_relative_to(package.resolve()) and resolved.is_file()
    except FileNotFoundError as error:
        raise ArtefactError(f"{package}: {_name(package, file)} is missing") from error
    except (OSError, ValueError, RuntimeError) as error:
        # A name with a NUL byte, a name too long, or links in a circle.
        raise ArtefactError(f"{package}: a file of the package has no usable name") from error
    if not contained:
        raise ArtefactError(f"{package}: {_name(package, file)} is not a file inside the package")


def _name(package: Path, file: Path) -> str:
    """The path of a file in the package, in quotes: it may come from the manifest."""
    return repr(str(file.relative_to(package)))
