"""ExecuTorch programs read back: their metadata, their answers, and what they are made of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from export.errors import ArtefactError
from export.formats.interface import EngineArtefact
from export.runtime.engine import runtime_errors
from export.schema.metadata import METADATA_KEY, parse_description
from hierattn.common.files import regular_file
from hierattn.errors import first_line

_MAGIC = slice(4, 8), b"ET12"
"""Place and value of the file identifier of a program's flatbuffer."""


def read_program(path: Path) -> bytes:
    """Bytes of a program.

    Raises:
        ArtefactError: it cannot be read, or is no program.
    """
    try:
        content = regular_file(path).read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from error
    place, magic = _MAGIC
    if content[place] != magic:
        raise ArtefactError(f"{path}: not an ExecuTorch program; export it again")
    return content


def open_artefact(path: Path, threads: int | None = None) -> EngineArtefact:
    """A program in its runtime; it has batch size 1.

    Raises:
        ArtefactError: damaged, without our metadata, or its input or output do not fit it.
    """
    from export.formats.executorch.engine import Engine

    engine = Engine(read_program(path), threads, 1)
    evaluator = f"executorch {engine.version}"
    with runtime_errors(engine, path, evaluator, "refuses"):
        engine.load()
        text = engine.constant(METADATA_KEY)
    description = parse_description(text, path)
    side, classes = description.image_size, len(description.classes)
    expected = [1, 3, side, side], [1, classes]
    for shape, wanted in zip((engine.shape, engine.output_shape), expected, strict=True):
        if shape != wanted:
            raise ArtefactError(
                f"{path}: takes or gives {shape}, its own description says {wanted}"
            )
    return EngineArtefact(path, engine, description, evaluator)


def count_operators(path: Path) -> tuple[dict[str, int], int]:
    """Calls of a program by kernel or delegate, and the number of those to a delegate.

    Raises:
        ArtefactError: the program cannot be parsed.
    """
    from executorch.exir._serialize._program import deserialize_pte_binary

    from export.formats.executorch.engine import FORWARD

    try:
        plans = deserialize_pte_binary(read_program(path)).program.execution_plan
        (plan,) = (plan for plan in plans if plan.name == FORWARD)
    except (RuntimeError, ValueError, LookupError, TypeError, OSError) as error:
        raise ArtefactError(
            f"{path}: the program cannot be parsed ({first_line(error)})"
        ) from error
    calls: Counter[str] = Counter()
    delegated = 0
    for chain in plan.chains:
        for instruction in chain.instructions:
            call: Any = instruction.instr_args
            if hasattr(call, "delegate_index"):
                calls[plan.delegates[call.delegate_index].id] += 1
                delegated += 1
            elif hasattr(call, "op_index"):
                calls[plan.operators[call.op_index].name] += 1
    return dict(sorted(calls.items())), delegated
