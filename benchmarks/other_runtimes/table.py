"""The results of a trial as a table: for a terminal, and as Markdown for the docs."""

from __future__ import annotations

from rich.table import Table

from benchmarks.other_runtimes.results import Row, Trial
from export.schema.parity import Parity
from hierattn.cli.tables import make_table

NOTES = (
    "differs: largest difference of a logit from the file's own on the runtime it is checked with;",
    "equal: the same decision; torch: the same two, from the network in float32 torch.",
)


def to_table(trial: Trial) -> Table:
    """For a terminal."""
    columns = [("runtime", "prose"), ("file", "left")]
    columns += [(name, "right") for name in ("differs", "equal", "torch", "equal")]
    table = make_table(title(trial), [*columns, ("", "left")])
    for row in trial.rows:
        table.add_row(*cells(row))
    return table


def reasons(trial: Trial) -> list[str]:
    """Why files did not agree, a line each."""
    found = [f"{row.title}, {row.file}: {row.reason}" for row in trial.rows if row.reason]
    return list(dict.fromkeys(found))


def to_markdown(trial: Trial) -> str:
    """For the docs; the reasons stand below the table, where there are any."""
    lines = [
        "| runtime | file | differs | equal | torch | equal | |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(cells(row)).rstrip()} |" for row in trial.rows]
    told = [f"- {line}." for line in _short_reasons(trial)]
    return "\n".join([*lines, *([""] if told else []), *told]) + "\n"


def _short_reasons(trial: Trial) -> list[str]:
    """A line for each runtime that did not agree: the known reason without its details."""
    files: dict[tuple[str, str], list[str]] = {}
    for row in trial.rows:
        if row.reason:
            reason = row.reason.partition(" (")[0] if row.known else row.reason
            files.setdefault((row.title, reason), []).append(f"{row.format} {row.precision}")
    return [f"{title} ({', '.join(of)}): {reason}" for (title, reason), of in files.items()]


def title(trial: Trial) -> str:
    """What was asked of what."""
    return (
        f"{trial.model} at {trial.image_size} px, {trial.images} {trial.asked} of {trial.data}; "
        f"logits reach {trial.scale:.3g}"
    )


def cells(row: Row) -> list[str]:
    """The cells of one row."""
    status = "" if row.status == "agrees" else row.status
    name = f"{row.format} {row.precision}"
    return [row.title, name, *_figures(row.own), *_figures(row.torch), status]


def _figures(parity: Parity | None) -> tuple[str, str]:
    if parity is None:
        return "–", "–"
    equal = round(parity.top1_agreement * parity.images)
    return f"{parity.max_abs:.1e}", f"{equal}/{parity.images}"
