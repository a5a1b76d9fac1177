"""Writing of ``.mlpackage`` folders: the same bytes for the same model, whenever and wherever.

coremltools stores random identifiers, the date, and a debugging file; none of them gets here.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.coreml_evaluator.package import DATA, MANIFEST, WEIGHT_FILE, WEIGHTS
from export.description import METADATA_KEY, Description
from export.errors import ArtefactError

_FOLDER = "com.apple.CoreML"
_SPECIFICATION = "model.mlmodel"
_SUFFIXES = re.compile(r"(_to_fp16|_cast_fp16|_quantized)+$")
_SHARED = re.compile(r"k\d+")
_DATE_KEY = "com.github.apple.coremltools.conversion_date"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "hierattn-mobile")


@dataclass(frozen=True, eq=False)
class StoredModel:
    """What a package holds: coremltools' ``Model`` message, and the bytes of its weight file."""

    specification: Any
    weights: bytes


def stored_model(model: Any) -> StoredModel:
    """Take what matters out of coremltools' ``MLModel``, with constants shared."""
    specification = model.get_spec()
    specification.description.metadata.userDefined.pop(_DATE_KEY, None)
    tidy_program(specification)
    return StoredModel(specification, (Path(model.weights_dir) / WEIGHT_FILE).read_bytes())


def main_block(specification: Any) -> Any:
    """The operations of a program's one function."""
    function = specification.mlProgram.functions["main"]
    return function.block_specializations[function.opset]


def tidy_program(specification: Any) -> None:
    """Store each setting that is written in the program once, and drop the suffixes of casts.

    Converters write the same strides and paddings anew for each operation, which in the smallest
    model made the program as long as a tenth of its half-precision weights. Without suffixes, a
    value has the same name in the files of all precisions.
    """
    block = main_block(specification)
    ends = (*specification.description.input, *specification.description.output)
    names = _plain_names(block, {feature.name for feature in ends})
    kept: dict[bytes, str] = {}
    operations = []
    for operation in block.operations:
        for argument in operation.inputs.values():
            for part in argument.arguments:
                if part.WhichOneof("binding") == "name":
                    part.name = names.get(part.name, part.name)
        content = _written_in_place(operation)
        if content is not None:
            old, known = operation.outputs[0].name, content in kept
            kept.setdefault(content, f"k{len(kept)}")
            names[old] = kept[content]
            if known:
                continue
        for output in operation.outputs:
            output.name = names[output.name]
        own = operation.attributes["name"].immediateValue.tensor.strings.values
        own[:] = [operation.outputs[0].name if content is not None else _plain(own[0])]
        operations.append(operation)
    copies = [type(operation).FromString(operation.SerializeToString()) for operation in operations]
    del block.operations[:]
    block.operations.extend(copies)


def _written_in_place(operation: Any) -> bytes | None:
    """The value of a constant that is not in the weight file."""
    if operation.type != "const":
        return None
    value = operation.attributes["val"]
    if value.WhichOneof("value") != "immediateValue":
        return None
    return bytes(value.SerializeToString(deterministic=True))


def _plain_names(block: Any, ends: set[str]) -> dict[str, str]:
    """New name of every value: the old one without suffixes, where no other value has it."""
    old = [output.name for operation in block.operations for output in operation.outputs]
    counts = Counter([*old, *(_plain(name) for name in old if _plain(name) != name)])
    found = {}
    for name in old:
        plain = _plain(name)
        kept = plain if counts[plain] == 1 and plain not in ends else name
        found[name] = f"{kept}_value" if _SHARED.fullmatch(kept) else kept
    return found


def _plain(name: str) -> str:
    return _SUFFIXES.sub("", name)


def write_model(model: StoredModel, description: Description | None, target: Path) -> None:
    """Write a package.

    Args:
        description: goes into the metadata; without it the package is an intermediate one.
        target: a folder that does not exist yet.
    """
    specification = type(model.specification)()
    specification.CopyFrom(model.specification)
    if description is not None:
        _describe(specification, description)
    content = specification.SerializeToString(deterministic=True)
    folder = target / DATA / _FOLDER
    (folder / WEIGHTS).mkdir(parents=True)
    (folder / _SPECIFICATION).write_bytes(content)
    (folder / WEIGHTS / WEIGHT_FILE).write_bytes(model.weights)
    root = str(uuid.uuid5(_NAMESPACE, _SPECIFICATION))
    manifest = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": {
            root: _item("CoreML Model Specification", _SPECIFICATION),
            str(uuid.uuid5(_NAMESPACE, WEIGHTS)): _item("CoreML Model Weights", WEIGHTS),
        },
        "rootModelIdentifier": root,
    }
    text = json.dumps(manifest, indent=4, sort_keys=True) + "\n"
    (target / MANIFEST).write_text(text, encoding="utf-8")


def _item(purpose: str, name: str) -> dict[str, str]:
    return {"author": _FOLDER, "description": purpose, "name": name, "path": f"{_FOLDER}/{name}"}


def read_model(path: Path) -> StoredModel:
    """Read back a package that :func:`write_model` wrote.

    Raises:
        ArtefactError: it cannot be read.
    """
    from export.coreml_evaluator import read_package

    package = read_package(path)
    if not package.weights.content:
        raise ArtefactError(f"{path}: has no weights")
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
