"""``--estimate arm64``: what files cost on a phone, from their shapes and types; no milliseconds.

No phone is needed, and none is measured: an emulated processor says nothing of time, and products
and bytes do not add up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.results import BenchmarkError
from export.checks.integrity import hash_problems
from export.errors import ExportError
from export.formats.interface import OperatorCost
from export.formats.registry import find_format
from export.schema.manifest import ArtefactRecord, read_manifest
from hierattn.errors import HierAttnError

TARGETS = ("arm64",)
_SUMS = ("multiply_adds", "weight_bytes", "activation_bytes")


@dataclass(frozen=True)
class Share:
    """Operators of one kind that compute alike, or all of a file."""

    kind: str
    arithmetic: str
    number: int
    multiply_adds: int
    weight_bytes: int
    activation_bytes: int


@dataclass(frozen=True)
class Estimate:
    """The estimate of one file.

    Attributes:
        reason: why there are no operators; None where there are.
        damaged: the file is not the one that was exported, or not whole.
    """

    export: str
    record: ArtefactRecord
    operators: Sequence[OperatorCost]
    reason: str | None = None
    damaged: bool = False

    @property
    def total(self) -> Share:
        """All operators."""
        return _share("all", "", self.operators)

    @property
    def shares(self) -> list[Share]:
        """By kind and arithmetic, the costliest first."""
        groups: dict[tuple[str, str], list[OperatorCost]] = {}
        for one in self.operators:
            groups.setdefault((one.kind, one.arithmetic), []).append(one)
        found = [_share(kind, arithmetic, group) for (kind, arithmetic), group in groups.items()]
        return sorted(found, key=lambda one: (-one.multiply_adds, -one.activation_bytes, one.kind))


def estimate(folders: Sequence[Path], target: str) -> list[Estimate]:
    """Every file of export folders; one that cannot be counted says why.

    Raises:
        BenchmarkError: no such target.
        ManifestError: a folder is no export folder.
    """
    if target not in TARGETS:
        raise BenchmarkError(f"--estimate {target}: give {' or '.join(TARGETS)}")
    return [
        _estimate(folder, record)
        for folder in folders
        for record in read_manifest(folder).artefacts
    ]


def _estimate(folder: Path, record: ArtefactRecord) -> Estimate:
    path = folder / record.path
    problems = hash_problems(path, record)
    if problems:
        return Estimate(folder.name, record, (), problems[0], damaged=True)
    try:
        return Estimate(folder.name, record, find_format(record.format).arm64_costs(path))
    except ExportError as error:
        return Estimate(folder.name, record, (), str(error))
    except HierAttnError as error:
        return Estimate(folder.name, record, (), str(error), damaged=True)


def _share(kind: str, arithmetic: str, group: Iterable[OperatorCost]) -> Share:
    counted = list(group)
    sums = {name: sum(getattr(one, name) for one in counted) for name in _SUMS}
    return Share(kind, arithmetic, len(counted), **sums)


def document(found: Sequence[Estimate], target: str) -> dict[str, object]:
    """For ``--json``: every operator of every file."""
    names = [one.name for one in fields(OperatorCost)]
    return {
        "target": target,
        "files": [
            {
                "export": one.export,
                "file": one.record.path,
                "format": one.record.format,
                "precision": one.record.precision.value,
                "sha256": one.record.sha256,
                "reason": one.reason,
                **{name: getattr(one.total, name) for name in _SUMS if one.reason is None},
                "operators": [
                    {name: getattr(operator, name) for name in names} for operator in one.operators
                ],
            }
            for one in found
        ],
    }
