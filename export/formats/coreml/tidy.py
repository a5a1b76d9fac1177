"""Clean-up of ML programs: equal constants once, short names.

In the smallest model the program took a tenth of the size of its half-precision weights.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

_CONVERTERS_SUFFIXES = re.compile(r"(_to_fp16|_cast_fp16|_quantized)+$")
_SHORT = re.compile(r"[kw]\d+")


def main_block(specification: Any) -> Any:
    """The operations of a program's one function."""
    function = specification.mlProgram.functions["main"]
    return function.block_specializations[function.opset]


def tidy_program(specification: Any) -> None:
    """Change a ``Model`` message in place; what it computes stays the same.

    A setting that is written in the program, such as strides, is stored once and called k0, k1
    and so on; weights are called w0, w1 and so on. Results lose the suffixes of precision, so that
    a value has the same name in the files of all precisions.
    """
    block = main_block(specification)
    ends = (*specification.description.input, *specification.description.output)
    names = _result_names(block, {feature.name for feature in ends})
    settings: dict[bytes, str] = {}
    weights = 0
    kept = []
    for operation in block.operations:
        for argument in operation.inputs.values():
            for part in argument.arguments:
                if part.WhichOneof("binding") == "name":
                    part.name = names.get(part.name, part.name)
        if _is_constant(operation):
            old, content = operation.outputs[0].name, _written_in_place(operation)
            if content in settings:
                names[old] = settings[content]
                continue
            if content is None:
                names[old], weights = f"w{weights}", weights + 1
            else:
                names[old] = settings[content] = f"k{len(settings)}"
        for output in operation.outputs:
            output.name = names[output.name]
        _name_operation(operation)
        kept.append(type(operation).FromString(operation.SerializeToString()))
    del block.operations[:]
    block.operations.extend(kept)


def _is_constant(operation: Any) -> bool:
    return operation.type == "const" or operation.type.startswith("constexpr_")


def _written_in_place(operation: Any) -> bytes | None:
    """The value of a constant that is not in the weight file."""
    value = operation.attributes.get("val")
    if value is None or value.WhichOneof("value") != "immediateValue":
        return None
    return bytes(value.SerializeToString(deterministic=True))


def _result_names(block: Any, ends: set[str]) -> dict[str, str]:
    """New names of results: the old ones without suffixes, where no other value has that name."""
    results = [operation for operation in block.operations if not _is_constant(operation)]
    old = [output.name for operation in results for output in operation.outputs]
    counts = Counter([*old, *(_plain(name) for name in old if _plain(name) != name)])
    found = {}
    for name in old:
        plain = _plain(name)
        if name in ends:
            found[name] = name
            continue
        kept = plain if counts[plain] == 1 and plain not in ends else name
        found[name] = f"{kept}_value" if _SHORT.fullmatch(kept) else kept
    return found


def _name_operation(operation: Any) -> None:
    """Operations have names of their own, which profilers show."""
    name = operation.attributes["name"].immediateValue.tensor.strings.values
    name[:] = [operation.outputs[0].name if _is_constant(operation) else _plain(name[0])]


def _plain(name: str) -> str:
    return _CONVERTERS_SUFFIXES.sub("", name)
