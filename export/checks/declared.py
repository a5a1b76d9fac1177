"""What a manifest says of a file's runtimes, held against what its format declares of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata

from export.checks.gates import OTHER_RUNTIMES
from export.formats.abilities import Abilities
from export.formats.registry import abilities_of
from export.schema.manifest import ArtefactRecord, RuntimeCheck

THIS_PACKAGE = "hierattn-mobile"


def of_this_version(tools: Mapping[str, str]) -> bool:
    """Whether this very version is among the tools that a manifest names."""
    return tools.get(THIS_PACKAGE) == metadata.version(THIS_PACKAGE)


def undeclared_words(record: ArtefactRecord, tools: Mapping[str, str]) -> list[str]:
    """Where a manifest says of a file what its format does not, or contradicts itself; a line each.

    Nothing is run: which versions answered, and what a runtime answered that is not here, is told
    by the manifest alone. Another version of this package may have declared other runtimes.

    Args:
        record: the file.
        tools: version by distribution, of the export.
    """
    if record.parity is None:
        return []
    passed_with = record.gate.reasons if record.gate.status == "passed" else []
    lines = [f"its gate is said to have passed, with a reason: {one}" for one in passed_with]
    if of_this_version(tools):
        lines += _undeclared(record, record.parity.evaluator, abilities_of(record.format))
    for check in record.other_runtimes:
        lines += _contradictions(record, check)
    return lines


def _undeclared(record: ArtefactRecord, evaluator: str, abilities: Abilities) -> Iterator[str]:
    if record.minimum_runtimes and record.minimum_runtimes != abilities.minimum_runtimes:
        true = ", ".join(f"{name} {oldest}" for name, oldest in abilities.minimum_runtimes.items())
        yield f"the manifest's minimum_runtimes are not those of the format: {true}"
    if not _begins(evaluator, abilities.evaluator_names):
        yield (
            f"the manifest's evaluator is '{evaluator}', but what answers for "
            f"{abilities.title} files is {' or '.join(abilities.evaluator_names)}"
        )
    others = [one.distribution for one in abilities.runtimes if one.requirements]
    for name in others:
        if not any(_begins(check.runtime, (name,)) for check in record.other_runtimes):
            yield f"the manifest does not say whether {name} agrees"
    for check in record.other_runtimes:
        if not _begins(check.runtime, (*others, *abilities.evaluator_names)):
            yield f"the manifest names '{check.runtime}', which no {record.format} file is tried on"


def _contradictions(record: ArtefactRecord, check: RuntimeCheck) -> Iterator[str]:
    bound = OTHER_RUNTIMES[record.precision]
    answered = check.parity is not None
    if answered != (check.agrees is True) and check.agrees is not False:
        yield f"the manifest says of {check.runtime} that it agrees, or how far, not both"
    elif check.parity is not None and (check.parity.max_relative <= bound) != check.agrees:
        yield (
            f"the manifest says that {check.runtime} {'agrees' if check.agrees else 'disagrees'}, "
            f"with a relative difference of {check.parity.max_relative:.2g} (allowed: {bound:g})"
        )
    if check.parity is not None and check.parity.evaluator != check.runtime:
        yield f"the manifest lists answers of '{check.parity.evaluator}' under {check.runtime}"
    if check.loads is not True and check.agrees is not None:
        yield f"the manifest says that {check.runtime} answered, but did not load the file"
    if check.agrees is False and record.gate.status != "failed":
        yield f"its gate is said to be {record.gate.status}, but {check.runtime} disagrees"


def _begins(evaluator: str, names: tuple[str, ...]) -> bool:
    """Whether it is one of these, with a version."""
    return any(evaluator.startswith(f"{name} ") for name in names)
