"""Tables of ``hierattn export`` and ``hierattn verify``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hierattn.cli.console import number
from hierattn.cli.tables import make_table

if TYPE_CHECKING:
    from export.schema.manifest import ArtefactRecord, Manifest, Quality
    from export.schema.parity import Parity
    from export.verification import Verification

_COLUMNS = (
    ("file", "left"),
    ("MB", "right"),
    ("parity", "right"),
    ("decisions", "right"),
    ("balanced", "right"),
    ("melanoma", "right"),
    ("gate", "left"),
)
_MORE = (("ops", "right"), ("delegated", "left"))
_MORE_LEGEND = (
    "ops: operators in the file. delegated: XNNPACK partitions, and operators left over.",
)
SECONDS_LEGEND = "s: what making and checking took; formats are made side by side."
_LESS_LEGEND = "With --wide: operators in each file, and what a delegate takes."

_LEGEND = (
    "MB: a million bytes.",
    "parity: largest difference of a logit from torch's, as a share of the largest logit of the "
    "images asked, so that other images give another share "
    "(max_relative in the files; max_abs, and a benchmark's parity_max_abs, are not divided).",
)
_OTHERS_LEGEND = (
    "agrees (x on n images): another runtime's logits differ from torch's by x likewise, on n of "
    "the images, evenly spread; those of int8, from the file's own logits at export."
)
_PHOTOS_LEGEND = (
    "decisions: share of images on which the file chooses the same class as torch.",
    "balanced, melanoma: of this very file on the images, and in points its change against "
    "torch; melanoma is its sensitivity, found where it is the highest class. The gate holds both "
    "that and its sensitivity at the run's threshold, by which apps flag (named below where it "
    "changes). It does not hold false alarms there: 'hierattn evaluate FILE' tells the "
    "specificity.",
)
_GATE_LEGEND = (
    "gate: passed; failed, with reasons below; not run: decisions had no images; numbers only: an "
    "int8 file whose logits are those at export, but whose decisions had no images, or too few."
)
_HALF = re.compile(r", (fp16 \w+)(?=\)$)")
"""What Core ML's evaluator adds to its name where it keeps halves; see ``Arithmetic``."""
_HALF_LEGEND = {
    "fp16 storage": "stored numbers and casts in half precision, results between in single",
    "fp16 compute": "each operation's result in half precision",
}


def legend(
    shown: Iterable[tuple[ArtefactRecord, Parity | None, Quality | None]],
    *,
    others: bool = False,
    wide: bool = False,
) -> list[str]:
    """Lines: what the columns mean, and who answered for the Core ML files.

    Args:
        shown: the files, with the figures of the table.
        others: whether what other runtimes answered is told below.
        wide: of the table.
    """
    files = list(shown)
    found = {p.evaluator for record, p, _ in files if record.format == "coreml" and p is not None}
    lines = [*(_MORE_LEGEND if wide else (_LESS_LEGEND,)), *_LEGEND]
    if others and any(c.agrees and c.parity for one, *_ in files for c in one.other_runtimes):
        lines.append(_OTHERS_LEGEND)
    if any(quality is not None for *_, quality in files):
        lines += _PHOTOS_LEGEND
    return [*lines, _GATE_LEGEND, _bounds(), *_evaluator_lines(found)]


def _bounds() -> str:
    from export.checks.gates import TOLERANCES

    found = TOLERANCES.values()

    def told(values: Iterable[float]) -> str:
        return ", ".join(f"{value:g}" for value in values)

    soft = " and ".join(p for p, bound in TOLERANCES.items() if bound.melanoma_sensitivity_loss)
    return (
        f"Bounds for {', '.join(TOLERANCES)}: parity at most {told(b.max_relative for b in found)} "
        "(int8: on photos); decisions at least "
        f"{told(100 * b.agreement for b in found)} %; points lost at most, balanced "
        f"{told(100 * b.balanced_accuracy_loss for b in found)}, melanoma "
        f"{told(100 * b.melanoma_sensitivity_loss for b in found)} ({soft}: "
        "or one photo's share, if that is more)."
    )


def _evaluator_lines(found: set[str]) -> Iterator[str]:
    """A line for each evaluator of Core ML; how it keeps halves is explained in it."""
    ways: dict[str, list[str]] = {}
    for name in sorted(found):
        ways.setdefault(_HALF.sub("", name), []).extend(_HALF.findall(name))
    for name, halves in ways.items():
        words = "".join(f" {half}: {_HALF_LEGEND.get(half, half)}." for half in halves)
        yield f"Core ML: {name}.{words}"


def export_table(
    manifest: Manifest, title: str, seconds: dict[str, float], *, wide: bool = False
) -> Table:
    """A row a file; ``seconds`` by file name, what making and checking it took."""
    more = (*_MORE, ("s", "right")) if wide else ()
    table = make_table(f"{title}{_stem_words(manifest)}", (*_COLUMNS, *more))
    for record in manifest.artefacts:
        row = _cells(manifest, record, record.parity, record.quality, record.gate.status)
        if wide:
            row += [*_more_cells(record), number(seconds.get(record.path), 0)]
        table.add_row(*row)
    return table


def verify_table(found: Verification, title: str, *, wide: bool = False) -> Table:
    """A row a file, with what was measured now."""
    table = make_table(f"{title}{_stem_words(found.manifest)}", (*_COLUMNS, *_MORE * wide))
    for file in found.files:
        row = _cells(found.manifest, file.record, file.parity, file.quality, file.status)
        table.add_row(*row, *(_more_cells(file.record) if wide else ()))
    return table


def judged_line(manifest: Manifest) -> str:
    """Which photos the figures are of, and what they are worth."""
    data = manifest.data
    if data is None:
        return "No images were given (--data): decisions and accuracy were not compared."
    line = f"Judged on {data.judged} images of '{data.name}'"
    if data.calibration:
        line += f"; {data.calibration} others were set apart for int8"
    if data.seen_in_training:
        line += (
            f". The weights learnt from {data.seen_in_training} of the judged: the changes "
            "against torch count, the figures themselves flatter"
        )
    return line + "."


def remarks(manifest: Manifest) -> Iterator[str]:
    """Lines that do not fit a table: why a gate failed, what other runtimes said, what is int8."""
    from export.checks.evidence import threshold_doubt

    yield from manifest.data.remarks if manifest.data else ()
    for line in threshold_doubt(manifest.operating_point, manifest.torch_quality):
        yield f"NOTE {line}"
    for record in manifest.artefacts:
        yield from at_threshold(manifest, record.path, record.quality)
        if record.quantisation is not None and record.precision == "int8":
            left = sum(record.quantisation.left_in_float.values())
            told = (
                f"{left} operator{'s' * (left != 1)} (named in the manifest)" if left else "nothing"
            )
            yield f"{record.path}: {record.quantisation.scheme}; in float: {told}"
        for check in record.other_runtimes:
            if check.agrees:
                found = "agrees"
                if (parity := check.parity) is not None:
                    found += f" ({parity.max_relative:.1e} on {parity.images} images)"
            else:
                found = check.reason or "did not run"
                found = f"not run: {found}" if check.loads is None else found
            yield f"{record.path}: {check.runtime}: {found}"
        for reason in record.gate.reasons:
            yield f"{record.path}: {record.gate.status}: {reason}"


def at_threshold(manifest: Manifest, path: str, quality: Quality | None) -> Iterator[str]:
    """A line where a file finds another share at the run's threshold than torch does."""
    name = manifest.operating_point.target_name
    if quality is None or quality.delta_vs_torch is None:
        return
    if change := quality.delta_vs_torch.melanoma_at_threshold:
        found = _with_change(quality.melanoma_at_threshold, change)
        yield f"{path}: {name} at the run's threshold, and the change in points: {found}"


def verification_document(found: Verification, explanations: dict[str, Any]) -> dict[str, Any]:
    """The JSON document of ``hierattn verify``."""
    return {
        "passed": found.passed,
        "problems": found.problems,
        "photos": found.photos,
        "remarks": found.remarks,
        "arm64": found.arm64,
        "apple": found.apple,
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
    change = quality.delta_vs_torch if quality else None
    melanoma = manifest.operating_point.target_name or ""
    return [
        _label(manifest, record),
        number(None if record.bytes is None else record.bytes / 1e6, 2),
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


def _more_cells(record: ArtefactRecord) -> list[str]:
    delegated = record.delegated
    return [
        str(sum(record.operators.values()) or "–"),
        f"{delegated.partitions} + {delegated.left} left" if delegated else "–",
    ]


def _stem(manifest: Manifest) -> str:
    """What all files' names begin with; "" where their ends do not tell them apart."""
    stem = f"{manifest.model}-{manifest.image_size}-"
    told = (record.path.startswith(f"{stem}{record.precision}.") for record in manifest.artefacts)
    return stem if all(told) else ""


def _stem_words(manifest: Manifest) -> str:
    stem = _stem(manifest)
    return f"; files {stem}..." if stem else ""


def _label(manifest: Manifest, record: ArtefactRecord) -> str:
    """A file's name without what the title says."""
    return record.path.removeprefix(_stem(manifest))


def _with_change(value: float | None, change: float | None) -> str:
    if value is None:
        return "–"
    return number(value) if change is None else f"{value:.3f} {100 * change:+.1f}"
