"""Deterministic writing of ``.mlpackage`` folders: the same bytes for the same model.

coremltools stores random identifiers, the date, and a debugging file; all are left out.
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.errors import ExportError
from export.formats.coreml.evaluator.package import DATA, MANIFEST, WEIGHT_FILE, WEIGHTS
from export.formats.coreml.tidy import tidy_program
from export.schema.metadata import METADATA_KEY, Description

_FOLDER = "com.apple.CoreML"
_SPECIFICATION = "model.mlmodel"
_DATE_KEY = "com.github.apple.coremltools.conversion_date"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "hierattn-mobile")


@dataclass(frozen=True, eq=False)
class StoredModel:
    """Content of a package: coremltools' ``Model`` message, and the bytes of its weight file.

    A program with small constants alone has no weight file; its bytes are empty.
    """

    specification: Any
    weights: bytes


def stored_model(model: Any) -> StoredModel:
    """The content of coremltools' ``MLModel``, its program cleaned up."""
    specification = model.get_spec()
    specification.description.metadata.userDefined.pop(_DATE_KEY, None)
    tidy_program(specification)
    weights = Path(model.weights_dir) / WEIGHT_FILE
    return StoredModel(specification, weights.read_bytes() if weights.exists() else b"")


def write_model(model: StoredModel, description: Description | None, target: Path) -> None:
    """Write a package, whole or not at all.

    Args:
        description: goes into the metadata; without it the package is an intermediate one.
        target: a folder that does not exist yet.

    Raises:
        ExportError: it cannot be written (disk full, no permission, already there).
    """
    specification = type(model.specification)()
    specification.CopyFrom(model.specification)
    if description is not None:
        _describe(specification, description)
    content = specification.SerializeToString(deterministic=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        _write_folder(unfinished, content, model.weights)
        unfinished.rename(target)
    except OSError as error:
        raise ExportError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_folder(package: Path, specification: bytes, weights: bytes) -> None:
    folder = package / DATA / _FOLDER
    folder.mkdir(parents=True)
    (folder / _SPECIFICATION).write_bytes(specification)
    root = str(uuid.uuid5(_NAMESPACE, _SPECIFICATION))
    items = {root: _item("CoreML Model Specification", _SPECIFICATION)}
    if weights:
        (folder / WEIGHTS).mkdir()
        (folder / WEIGHTS / WEIGHT_FILE).write_bytes(weights)
        items[str(uuid.uuid5(_NAMESPACE, WEIGHTS))] = _item("CoreML Model Weights", WEIGHTS)
    manifest = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": items,
        "rootModelIdentifier": root,
    }
    text = json.dumps(manifest, indent=4, sort_keys=True) + "\n"
    (package / MANIFEST).write_text(text, encoding="utf-8")


def _item(purpose: str, name: str) -> dict[str, str]:
    return {"author": _FOLDER, "description": purpose, "name": name, "path": f"{_FOLDER}/{name}"}


def read_model(path: Path) -> StoredModel:
    """Read back a package that :func:`write_model` wrote.

    Raises:
        ArtefactError: it cannot be read.
    """
    from export.formats.coreml.evaluator import read_package

    package = read_package(path)
    return StoredModel(package.model, package.weights.content)


def _describe(specification: Any, description: Description) -> None:
    size, point = description.image_size, description.operating_point
    facts = specification.description
    facts.metadata.author = "HierAttn Mobile"
    facts.metadata.license = description.licence
    facts.metadata.versionString = f"weights {description.weights_sha256[:12]}"
    facts.metadata.shortDescription = (
        f"{description.model}, {description.precision}: skin-lesion photo to "
        f"{len(description.classes)} classes. {description.intended_use}"
    )
    readable = {
        METADATA_KEY: description.to_json(),
        "classes": ", ".join(description.classes),
        "precision": str(description.precision),
        "preprocessing": (
            f"upright RGB photo, squashed to {size} x {size} pixels with an antialiased bilinear "
            "filter, divided by 255, no mean and no standard deviation"
        ),
        "probabilities": f"softmax(logits / {point.temperature:g})",
        "weights_sha256": description.weights_sha256,
    }
    for key, text in readable.items():
        facts.metadata.userDefined[key] = text
    for feature in facts.input:
        feature.shortDescription = (
            f"RGB photo, {size} x {size} pixels"
            if feature.type.WhichOneof("Type") == "imageType"
            else f"RGB photo [1, 3, {size}, {size}] in [0, 1]"
        )
    purposes = {
        "logits": "One number for each class, before softmax",
        "classLabel": "The class of the highest probability",
        "classLabel_probs": f"Probability by class: {readable['probabilities']}",
    }
    for feature in facts.output:
        feature.shortDescription = purposes.get(feature.name, "")
