"""What a manifest says of a file's runtimes, held against what its format declares of itself."""

from __future__ import annotations

from collections.abc import Iterator

from export.checks.gates import OTHER_RUNTIMES
from export.formats.registry import abilities_of
from export.schema.manifest import ArtefactRecord, RuntimeCheck


def undeclared_words(record: ArtefactRecord) -> list[str]:
    """Where a manifest says of a file what its format does not, or contradicts itself; a line each.

    Nothing is run: which versions answered, and what a runtime answered that is not here, is told
    by the manifest alone.
    """
    if record.parity is None:
        return []
    abilities = abilities_of(record.format)
    passed_with = record.gate.reasons if record.gate.status == "passed" else []
    lines = [f"its gate is said to have passed, with a reason: {one}" for one in passed_with]
    if record.minimum_runtimes and record.minimum_runtimes != abilities.minimum_runtimes:
        true = ", ".join(f"{name} {oldest}" for name, oldest in abilities.minimum_runtimes.items())
        lines.append(f"the manifest's minimum_runtimes are not those of the format: {true}")
    if not _begins(record.parity.evaluator, abilities.evaluator_names):
        lines.append(
            f"the manifest's evaluator is '{record.parity.evaluator}', but what answers for "
            f"{abilities.title} files is {' or '.join(abilities.evaluator_names)}"
        )
    others = [one.distribution for one in abilities.runtimes if one.requirements]
    for name in others:
        if not any(_begins(check.runtime, (name,)) for check in record.other_runtimes):
            lines.append(f"the manifest does not say whether {name} agrees")
    names = (*others, *abilities.evaluator_names)
    lines += [
        line for check in record.other_runtimes for line in _check_lines(record, check, names)
    ]
    return lines


def _check_lines(
    record: ArtefactRecord, check: RuntimeCheck, names: tuple[str, ...]
) -> Iterator[str]:
    if not _begins(check.runtime, names):
        yield f"the manifest names '{check.runtime}', which no {record.format} file is tried on"
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
