"""An evaluation report as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hierattn.cli.console import number
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import one_line
from hierattn.metrics.bootstrap import Interval
from hierattn.metrics.calibration import TEMPERATURE_BOUNDS, at_bound
from hierattn.metrics.figure_text import substitute_note
from hierattn.metrics.operating_point import OperatingPoint
from hierattn.metrics.report import EvaluationReport

_LEGEND = (
    "Intervals: 95 %, groups (patient, else lesion, else image) resampled; none where they are too "
    "few or too alike to differ. Sensitivity: share "
    "of a class found; specificity: share of the others not mistaken for it; AUC80: area where the "
    "sensitivity is at least 80 % (1 is perfect, guessing 0.18); AP: average precision; "
    "macro: mean of the classes. ECE "
    "(expected calibration error), Brier: 0 is best, before and after temperature scaling, which "
    "may make them worse on photos it was not fitted on. "
    "Answered: the highest probability reaches the certainty; else 'not sure'. "
    "Strata: classes is how many occur, over which balanced accuracy is the mean; melanoma is the "
    "share found at the threshold, of how many (–: none there, or no threshold). "
    "Research figures, not medical ones."
)


def print_report(
    console: Console, report: EvaluationReport, title: str, *, wide: bool = False
) -> None:
    """Print the headline figures, the class table and the strata, with a legend.

    Args:
        wide: see :func:`hierattn.cli.tables.print_table`.
    """
    if report.caveat is not None:
        console.print(one_line(f"NOTE {report.caveat}"), style="bold")
    overall = make_table(f"All classes: {title}", [("figure", "left"), ("value", "prose")])
    intervals = report.intervals
    overall.add_row("images / groups", f"{report.images} / {report.groups}")
    overall.add_row(
        "balanced accuracy", _with_interval(report.balanced_accuracy, intervals.balanced_accuracy)
    )
    overall.add_row("top-1", _with_interval(report.top1, intervals.top1))
    overall.add_row("macro AUC", _with_interval(report.macro.auc, intervals.macro_auc))
    overall.add_row("macro F1", number(report.macro.f1))
    before, after = report.calibration.before, report.calibration.after
    overall.add_row("ECE", f"{before.ece:.3f} -> {after.ece:.3f}")
    overall.add_row("Brier", f"{before.brier:.3f} -> {after.brier:.3f}")
    overall.add_row("temperature", _temperature(report.operating_point))
    if isinstance(report.melanoma, str):
        overall.add_row("melanoma operating point", _why_no_threshold(report))
    else:
        melanoma, point = report.melanoma, report.operating_point
        overall.add_row(
            f"{melanoma.class_name}: threshold {melanoma.threshold:.3f}",
            f"aims at a sensitivity of {point.target_melanoma_sensitivity:.2f}"
            + f", fitted on {point.melanoma_images} such images" * bool(point.melanoma_images),
        )
        overall.add_row(
            f"{melanoma.class_name} at {melanoma.threshold:.3f}: sensitivity",
            _with_interval(melanoma.sensitivity, melanoma.sensitivity_interval),
        )
        overall.add_row(
            f"{melanoma.class_name} at {melanoma.threshold:.3f}: specificity",
            _with_interval(melanoma.specificity, melanoma.specificity_interval),
        )
    abstention = report.abstention
    if abstention.threshold:
        overall.add_row(
            f"answered (certainty {abstention.threshold:.3f} or more)",
            f"{abstention.coverage:.3f} of images, {number(abstention.accuracy)} right",
        )
    else:
        overall.add_row("answered", "every image")
    for table in (overall, _classes(report), _strata(report)):
        print_table(console, table, wide=wide)
        console.print()
    if report.only_answer is not None:
        console.print(
            f"NOTE {report.only_answer} is the answer to each of these {report.images} images: "
            "nothing is told apart.",
            style="bold",
        )
    if note := substitute_note(report.classes):
        console.print(f"In the figures {note}.", soft_wrap=True)
    several = sum(any(row) for row in report.confusion)
    console.print(
        f"{_LEGEND} One answer to every image reaches a balanced accuracy of {1 / several:.3f}.",
        style="dim",
    )


def _temperature(point: OperatingPoint) -> str:
    bounds = TEMPERATURE_BOUNDS
    end = (
        f"; the end of the fitted range, {bounds[0]:g} to {bounds[1]:g}" if at_bound(point) else ""
    )
    return f"{point.temperature:.3f} ({point.fitted_on}{end})"


def _why_no_threshold(report: EvaluationReport) -> str:
    fitted = report.calibration.fitted_on
    if not report.operating_point.target_classes:
        return "none (the training was told of no class to watch)"
    why = fitted if fitted.startswith("not fitted") else "no photo of it to fit it on"
    more = "; --validation-fraction, or folds and --calibrate-from, give more" * (why == fitted)
    return f"none ({why.removeprefix('not fitted: ')}{more})"


def _with_interval(value: float | None, interval: Interval | None) -> str:
    if interval is None:
        return number(value)
    return f"{number(value)} [{interval.low:.3f}, {interval.high:.3f}]"


def _classes(report: EvaluationReport) -> Table:
    headings = ("images", "sensitivity", "specificity", "precision", "F1", "AUC", "AP", "AUC80")
    table = make_table(
        "Each class against the rest",
        [("class", "left"), *((heading, "right") for heading in headings)],
    )
    for name, scores in report.per_class.items():
        table.add_row(
            name,
            str(scores.support),
            _with_interval(scores.sensitivity, report.intervals.sensitivity[name]),
            number(scores.specificity),
            number(scores.precision),
            number(scores.f1),
            number(scores.auc),
            number(scores.average_precision),
            number(scores.auc_above_80_sensitivity),
        )
    return table


def _strata(report: EvaluationReport) -> Table:
    headings = ("images", "classes", "balanced", "top-1", "melanoma")
    table = make_table(
        "Strata",
        [("stratum", "left"), ("value", "prose"), *((heading, "right") for heading in headings)],
    )
    for name, rows in report.strata.items():
        label = name.replace("_", " ")
        if isinstance(rows, str):
            table.add_row(label, rows, *("",) * len(headings))
            continue
        for row in rows:
            table.add_row(
                label,
                row.value,
                str(row.images),
                str(row.classes_present),
                number(row.balanced_accuracy),
                number(row.top1),
                f"{row.melanoma_sensitivity:.3f} of {row.melanoma_images}"
                if row.melanoma_sensitivity is not None
                else "–",
            )
    return table
