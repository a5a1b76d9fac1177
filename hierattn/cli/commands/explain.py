"""``hierattn verify --explain``: the first layer where each file departs from torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from hierattn.cli.console import standard_console
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import HierAttnError

if TYPE_CHECKING:
    from export.debug.explain import Explanation
    from export.verification import Verification
    from hierattn.runs import Run

SHOWN = 8
"""Rows of the table: the largest additions."""


def run_behind(folder: Path, run: str | None) -> Run:
    """The run behind an export folder.

    Args:
        run: run folder or shipped name; None to look for it here and beside the export.

    Raises:
        ManifestError: it is gone, or not the one the files were made from.
    """
    from export.errors import ManifestError
    from export.run_record import find_run
    from export.schema.manifest import read_manifest
    from hierattn.runs import load_run

    manifest = read_manifest(folder)
    source = manifest.source
    if run is None:
        if source.run is None:
            raise ManifestError(f"{folder}: exported with random weights, which are gone")
        if (behind := find_run(folder, manifest)) is None:
            raise ManifestError(
                f"{folder}: the run '{source.run}' that its files were made from is neither here "
                "nor beside it; give its folder with --run"
            )
        return behind
    found = load_run(run)
    if found.config.weights_sha256 != source.weights_sha256:
        made_from = f"'{source.run}'" if source.run else "unknown"
        raise ManifestError(
            f"{found.path}: not the run these files were made from (theirs: {made_from}); give the "
            "folder or name of theirs with --run"
        )
    return found


def explain_files(folder: Path, verified: Verification, run: Run) -> dict[str, Explanation | str]:
    """Explain every file that is there, each on the image that decides its gate.

    A file that cannot be traced gets the reason instead; one that gave no answers, as when its
    hash is wrong, is asked the first golden image.
    """
    from dataclasses import replace

    import numpy as np

    from export.checks.golden.selftest import golden_inputs, read_selftest
    from export.debug.explain import explain
    from export.passes import deployment_graph

    manifest = verified.manifest
    model = run.load_model()
    selftest = read_selftest(folder / "selftest")
    images = np.asarray(golden_inputs(folder / "selftest", selftest))
    explanations: dict[str, Explanation | str] = {}
    for file in verified.files:
        record = file.record
        scale = None if file.worst is None else file.worst.scale
        if file.worst_photo is None:
            index = 0 if file.worst is None else file.worst.index
            name, image = selftest.images[index].file, images[index : index + 1]
        else:
            name, pixels = file.worst_photo
            image = selftest.preprocessing.to_input(pixels[np.newaxis])
        path = folder / record.path
        if not path.exists():
            continue
        graph = model
        if manifest.source.graph == "deploy":
            graph = deployment_graph(model, manifest.image_size, record.format, record.precision)
        try:
            found = explain(graph, path, image, record.precision, scale=scale)
            explanations[record.path] = replace(found, image=name)
        except HierAttnError as error:
            explanations[record.path] = str(error)
    return explanations


def show_explanations(explanations: Mapping[str, Explanation | str], *, wide: bool = False) -> None:
    """Say which files depart, each file's summary, and the layers that matter of those that do.

    Args:
        wide: the layers of every file.
    """
    console = standard_console()
    found = {path: one for path, one in explanations.items() if not isinstance(one, str)}
    departing = [path for path, one in found.items() if not one.agrees]
    if departing:
        console.print(f"Departing: {', '.join(departing)} ({len(departing)} of {len(found)} files)")
    elif found:
        more = "" if wide else "; --wide shows what each layer adds"
        files = "1 file" if len(found) == 1 else f"{len(found)} files"
        console.print(f"No departure in {files}{more}. By logits: decisions are the gates' matter.")
    if found:
        console.print(
            "Each file was asked one image, which it answered worst of those that its gate looks "
            "at (the first golden one, if it gave no answer). Differences of logits are shares of "
            "the image's scale, as in the gate; those of a layer's results are their root mean "
            "square over the results' standard deviation."
        )
    for path, explanation in explanations.items():
        if isinstance(explanation, str):
            console.print(f"{path}: cannot be explained: {explanation}")
            continue
        console.print(explanation.summary())
        if wide or not explanation.agrees:
            print_table(console, _layers(path, explanation))


def _layers(path: str, explanation: Explanation) -> Table:
    rows = [row for row in explanation.rows if row.added is not None]
    rows = sorted(rows, key=lambda row: -(row.added or 0.0))[:SHOWN]
    table = make_table(
        f"{path}: layers that add most to the difference",
        (("layer", "left"), ("operator", "left"), ("adds", "right"), ("so far", "right")),
    )
    for row in rows:
        so_far = "–" if row.error is None else f"{row.error:.1e}"
        table.add_row(row.layer, row.operator or "–", f"{row.added:.1e}", so_far)
    return table


def explanation_document(explanation: Explanation | str) -> dict[str, object]:
    """For ``--json``."""
    if isinstance(explanation, str):
        return {"reason": explanation}
    fields: dict[str, object] = _finite(asdict(explanation))
    return {"summary": explanation.summary(), **fields}


def _finite(value: Any) -> Any:
    """None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
