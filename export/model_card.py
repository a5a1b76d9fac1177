"""``MODEL_CARD.md``: the exported files, their origin, the results of all checks, the limits.

After Mitchell et al., Model Cards for Model Reporting (arXiv 1810.03993). The text is in
``templates/model_card.md.j2``; every value inserted is escaped, so that no class or folder name
can break a table or inject markup.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import TypeAdapter, ValidationError

from export.checks.evidence import threshold_doubt
from export.schema.manifest import ArtefactRecord, Manifest
from hierattn.common.json_text import parse_json
from hierattn.data.synth.dataset import LICENCE as PAINTED
from hierattn.errors import CheckpointError, first_problem
from hierattn.lineage import data_sources
from hierattn.metrics.calibration import TEMPERATURE_BOUNDS, at_bound
from hierattn.metrics.report import EvaluationReport
from hierattn.runs import RunConfig

FEW_MELANOMAS = 100
"""With fewer evaluated melanomas, one photo changes the sensitivity by a point or more."""

MOST_SOURCES = 10
"""Of a data set's sources, named one by one; some manifests give every photo its own."""

_TEMPLATES = Path(__file__).parent / "templates"
_REPORTS = TypeAdapter(dict[str, EvaluationReport])
_EVALUATIONS = {
    "cross_validation": "photos of the held-out folds of the same recipe; these weights themselves "
    "learnt from all photos",
    "test": "test photos, of groups that training never saw",
    "validation": "validation photos, which also chose the epoch and fitted the operating point",
}
_MARKUP = re.compile(r"[\\`*{}\[\]#|~!$]|(?<![^\W_])_|_(?![^\W_])")


class _Markdown(str):
    """Text that is Markdown already, not to be escaped again."""

    __slots__ = ()


def render_model_card(
    manifest: Manifest, config: RunConfig, reports: dict[str, EvaluationReport]
) -> str:
    """The card as Markdown; the same text for the same arguments.

    Args:
        manifest: of the export, all but its ``files``.
        config: of the run.
        reports: the run's own evaluation by data split; may be empty.

    Raises:
        CheckpointError: the provenance in ``config`` is damaged.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        # Autoescaping is for HTML; Markdown is escaped by ``finalize``, which sees every value.
        autoescape=False,
        finalize=_finalise,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        code=_code,
        counted=_counted,
        first_few=_first_few,
        listed=_listed,
        megabytes=_megabytes,
        points=_points,
        share=_share,
        tiny=_tiny,
    )
    return environment.get_template("model_card.md.j2").render(
        manifest=manifest,
        config=config,
        point=config.operating_point,
        reports=[(_EVALUATIONS.get(name, name), report) for name, report in reports.items()],
        sources=data_sources(config),
        painted=PAINTED in config.data.licences,
        melanoma=config.operating_point.target_name,
        doubts=threshold_doubt(manifest.operating_point, manifest.torch_quality),
        temperature_bounds=TEMPERATURE_BOUNDS if at_bound(config.operating_point) else None,
        few_melanomas=FEW_MELANOMAS,
        left_in_float=_left_in_float(manifest.artefacts),
        coreml_evaluators=_evaluators(manifest.artefacts, "coreml"),
    )


def read_reports(path: Path) -> dict[str, EvaluationReport]:
    """Read a run's ``metrics.json``; empty where it has none.

    Raises:
        CheckpointError: damaged; names the file and field.
    """
    if not path.is_file():
        return {}
    try:
        return _REPORTS.validate_python(parse_json(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise CheckpointError(f"{path}: {first_problem(error)}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not a readable JSON file ({error})") from error


def _left_in_float(records: list[ArtefactRecord]) -> list[tuple[str, str, dict[str, int]]]:
    """File, scheme and operators left in float, of the files that were quantised."""
    return [
        (record.path, record.quantisation.scheme, record.quantisation.left_in_float)
        for record in records
        if record.quantisation is not None and record.quantisation.left_in_float
    ]


def _evaluators(records: list[ArtefactRecord], name: str) -> list[str]:
    return sorted({r.parity.evaluator for r in records if r.format == name and r.parity})


def _flat(value: object) -> str:
    """One line: control and formatting characters, line ends among them, become spaces."""
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(value))
    return " ".join(text.split())


def _finalise(value: object) -> str:
    """Escape a value for Markdown text and table cells."""
    if isinstance(value, _Markdown):
        return str(value)
    escaped = _MARKUP.sub(lambda found: "\\" + found.group(), _flat(value))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(value: object) -> str:
    """A code span. Backslashes are literal in one, save before a pipe inside a table."""
    text = _flat(value).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " if "`" in text else ""
    return _Markdown(f"{fence}{pad}{text or ' '}{pad}{fence}")


def _listed(values: object) -> str:
    """Values in order, escaped one by one, with commas between."""
    items = list(values) if isinstance(values, list | tuple | dict) else [values]
    return _Markdown(", ".join(_finalise(item) for item in items) or "none")


def _first_few(values: list[str]) -> str:
    """A list that may be as long as its photos are many, cut; all of it stands in ``run.json``."""
    more = len(values) - MOST_SOURCES
    told = _listed(values[:MOST_SOURCES])
    return _Markdown(f"{told} and {more} more (in the export's `run.json`)") if more > 0 else told


def _counted(counts: dict[str, int]) -> str:
    return _Markdown(", ".join(f"{_finalise(name)} {count}" for name, count in counts.items()))


def _share(value: float | None, digits: int = 3) -> str:
    return _Markdown("n/a" if value is None else f"{value:.{digits}f}")


def _points(value: float | None) -> str:
    """A change of a share, in percentage points; no sign where it rounds to nothing."""
    if value is None:
        return _Markdown("n/a")
    rounded = round(100 * value, 2)
    return _Markdown("0" if rounded == 0 else f"{rounded:+.2f}")


def _tiny(value: float | None) -> str:
    return _Markdown("n/a" if value is None else f"{value:.1e}")


def _megabytes(value: int | None) -> str:
    return _Markdown("n/a" if value is None else f"{value / 1e6:.2f}")
