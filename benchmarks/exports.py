"""Export folders to benchmark: their manifests, and the training runs behind them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import BenchmarkError
from export.checks.integrity import part_problems
from export.run_record import find_run
from export.schema.manifest import PARITY, Manifest, read_manifest
from export.untrained import UNTRAINED, write_untrained_run
from hierattn.runs import Run, load_run


@dataclass(frozen=True)
class Export:
    """One export folder.

    Attributes:
        label: its name, with as much of the path as tells it from the others.
        run: the run behind its files, whose network is untouched; None where it is not at hand.
        run_missing: why not, and what to do.
    """

    folder: Path
    label: str
    manifest: Manifest
    run: Run | None
    run_missing: str


def read_exports(folders: Sequence[Path], runs: Sequence[str], workspace: Path) -> list[Export]:
    """Read the manifests and find the runs.

    Args:
        folders: what ``hierattn export`` wrote.
        runs: run folders and shipped names in which to look for the weights, by their hash.
        workspace: random weights are made again there.

    Raises:
        ManifestError: one is no export folder.
        BenchmarkError: a folder given twice, or a run of ``runs`` behind none of them.
        HierAttnError: a run of ``runs`` cannot be read.
    """
    given = [load_run(name) for name in runs]
    labels = _labels(folders)
    exports = []
    for folder, label in zip(folders, labels, strict=True):
        manifest = read_manifest(folder)
        _check_parity_record(folder, manifest)
        run, missing = _find_run(folder, manifest, given, workspace / "untrained" / label)
        exports.append(Export(folder, label, manifest, run, missing))
    behind = {one.manifest.source.weights_sha256 for one in exports}
    for name, run in zip(runs, given, strict=True):
        if run.config.weights_sha256 not in behind:
            raise BenchmarkError(f"--run {name}: its weights are behind none of the export folders")
    return exports


def _check_parity_record(folder: Path, manifest: Manifest) -> None:
    """Torch's answers are the reference of every accuracy; changed ones would move them all."""
    path = folder / PARITY
    if path.is_file() and (changed := part_problems(path, manifest.files.get(PARITY))):
        raise BenchmarkError(f"{changed[0]}; export again")


def _labels(folders: Sequence[Path]) -> list[str]:
    whole = [Path(os.path.realpath(folder)) for folder in folders]
    twice = [str(path) for path, count in Counter(whole).items() if count > 1]
    if twice:
        raise BenchmarkError(f"{twice[0]}: given twice")
    depth = 1
    while True:
        labels = ["/".join(path.parts[-depth:]) for path in whole]
        if len(set(labels)) == len(labels):
            return labels
        depth += 1


def _find_run(
    folder: Path, manifest: Manifest, given: Sequence[Run], untrained: Path
) -> tuple[Run | None, str]:
    wanted = manifest.source.weights_sha256
    for run in given:
        if run.config.weights_sha256 == wanted:
            return run, ""
    if manifest.intended_use == UNTRAINED:
        write_untrained_run(untrained, manifest.model, manifest.image_size, manifest.classes)
        run = load_run(untrained)
        if run.config.weights_sha256 == wanted:
            return run, ""
        return None, "made from random weights that this version draws differently"
    name = manifest.source.run
    if name is None:
        return None, "the manifest names no run; pass it with --run"
    if (found := find_run(folder, manifest)) is not None:
        return found, ""
    return None, f"the run '{name}' behind the files is not at hand; pass it with --run"
