"""Tables of exported files: as they were made, and as they were found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hierattn.cli.console import make_table, number

if TYPE_CHECKING:
    from export.schema.manifest import ArtefactRecord, Manifest, Quality
    from export.schema.parity import Parity
    from export.verify import Verification

_COLUMNS = (
    ("file", "left"),
    ("MB", "right"),
    ("ops", "right"),
    ("delegated", "left"),
    ("parity", "right"),
    ("decisions", "right"),
    ("balanced acc.", "right"),
    ("melanoma", "right"),
    ("gate", "left"),
)

_LEGEND = (
    "MB: a million bytes. ops: operators in the file. delegated: XNNPACK partitions, and operators "
    "left over.\n"
    "parity: largest difference of a logit from torch's, as a share of the largest logit.\n"
    "decisions: share of photos on which the file chooses the same class as torch.\n"
    "balanced acc., melanoma: of this very file on the photos, and in points its change against "
    "torch; melanoma is the sensitivity of the highest class.\n"
    "gate: passed; failed, with reasons below; not run or numbers only: decisions had no photos."
)


def legend(records: Iterable[tuple[ArtefactRecord, Parity | None]]) -> str:
    """What the columns mean, and who answered for the Core ML files."""
    found = {p.evaluator for record, p in records if record.format == "coreml" and p is not None}
    return "\n".join([_LEGEND, *(f"Core ML: {name}." for name in sorted(found))])


def export_table(manifest: Manifest, title: str, seconds: dict[str, float]) -> Table:
    """A row a file; ``seconds`` by file name, what making and checking it took."""
    table = make_table(title, (*_COLUMNS, ("s", "right")))
    for record in manifest.artefacts:
        row = _cells(manifest, record, record.parity, record.quality, record.gate.status)
        table.add_row(*row, number(seconds.get(record.path), 0))
    return table


def verify_table(found: Verification, title: str) -> Table:
    """A row a file, with what was measured now."""
    table = make_table(title, _COLUMNS)
    for file in found.files:
        table.add_row(*_cells(found.manifest, file.record, file.parity, file.quality, file.status))
    return table


def judged_line(manifest: Manifest) -> str:
    """Which photos the figures are of, and what they are worth."""
    data = manifest.data
    if data is None:
        return "No photos were given (--data): decisions and accuracy were not compared."
    line = f"Judged on {data.judged} photos of '{data.name}'"
    if data.calibration:
        line += f"; {data.calibration} others were set apart to calibrate int8"
    if data.seen_in_training:
        line += (
            f". The weights learnt from {data.seen_in_training} of the judged: the changes "
            "against torch count, the figures themselves flatter"
        )
    return line + "."


def remarks(manifest: Manifest) -> Iterator[str]:
    """Lines that do not fit a table: why a gate failed, what other runtimes said, what is int8."""
    yield from manifest.data.remarks if manifest.data else ()
    for record in manifest.artefacts:
        if record.quantisation is not None and record.precision == "int8":
            left = ", ".join(f"{n} {kind}" for kind, n in record.quantisation.left_in_float.items())
            yield f"{record.path}: {record.quantisation.scheme}; in float: {left or 'nothing'}"
        for check in record.other_runtimes:
            if check.agrees:
                found = f"agrees ({check.parity.max_relative:.1e})" if check.parity else "agrees"
            else:
                found = check.reason or "did not run"
                found = f"not run: {found}" if check.loads is None else found
            yield f"{record.path}: {check.runtime}: {found}"
        for reason in record.gate.reasons:
            yield f"{record.path}: {record.gate.status}: {reason}"


def verification_document(found: Verification, explanations: dict[str, Any]) -> dict[str, Any]:
    """The JSON document of ``hierattn verify``."""
    return {
        "passed": found.passed,
        "problems": found.problems,
        "photos": found.photos,
        "arm64": found.arm64,
        "files": [
            {
                "path": file.record.path,
                "status": file.status,
                "problems": file.problems,
                "parity": file.parity.model_dump(mode="json") if file.parity else None,
                "quality": file.quality.model_dump(mode="json") if file.quality else None,
                "other_runtimes": [c.model_dump(mode="json") for c in file.other_runtimes],
            }
            for file in found.files
        ],
        "explanations": explanations,
    }


def _cells(
    manifest: Manifest,
    record: ArtefactRecord,
    parity: Parity | None,
    quality: Quality | None,
    status: str,
) -> list[str]:
    delegated = record.delegated
    change = quality.delta_vs_torch if quality else None
    melanoma = manifest.operating_point.melanoma_class or ""
    return [
        record.path,
        number(None if record.bytes is None else record.bytes / 1e6, 2),
        str(sum(record.operators.values()) or "–"),
        f"{delegated.partitions} + {delegated.left} left" if delegated else "–",
        f"{parity.max_relative:.1e}" if parity else "–",
        f"{quality.agreement:.1%}" if quality else "–",
        _with_change(
            quality.balanced_accuracy if quality else None,
            change.balanced_accuracy if change else None,
        ),
        _with_change(
            quality.sensitivity.get(melanoma) if quality else None,
            change.sensitivity.get(melanoma) if change else None,
        ),
        status,
    ]


def _with_change(value: float | None, change: float | None) -> str:
    if value is None:
        return "–"
    return number(value) if change is None else f"{value:.3f} ({100 * change:+.1f})"
