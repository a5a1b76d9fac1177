"""Runs exported files on the golden images on the emulated machine, and checks their logits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.checks.golden.conformance import (
    ExpectedLogits,
    GoldenCheck,
    check_golden_logits,
    expected_logits,
    read_golden_reference,
)
from export.checks.golden.selftest import golden_inputs
from export.checks.integrity import artefact_problems
from export.errors import ExportError, ManifestError, WorkerError, WorkerTimeoutError
from export.formats.abilities import Platform
from export.formats.registry import abilities_of, all_abilities
from export.progress import Observer, Progress, unobserved
from export.runtime.client import Worker, WorkerConfig
from export.schema.arm64_report import Arm64Record, Arm64Row
from export.schema.manifest import SELFTEST, ArtefactRecord, Manifest, read_manifest
from export.targets.arm64.packages import EmulatedMachine, PackagesUnavailableError
from hierattn.errors import UnknownNameError

DEFAULT_CPUS = ("cortex-a76", "neoverse-v1")
"""A phone core of 2018, with half-precision and dot-product instructions; and one with SVE and
8-bit matrix products, too, for which runtimes have other kernels."""

DEFAULT_PRECISIONS = ("fp32", "int8")
ANSWER_SECONDS = 1800


@dataclass(frozen=True)
class Arm64Check:
    """Result of a run.

    Attributes:
        record: a row for each file and processor with a result.
        unanswered: a line for each file that timed out.
    """

    record: Arm64Record
    unanswered: list[str]


@dataclass(frozen=True, eq=False)
class WorkerAnswer:
    """What a file answered.

    Attributes:
        machine: processor, as its Python names it.
        features: its instruction sets.
        evaluator: name and version of the runtime.
        logits: float64 [N, K].
    """

    machine: str
    features: list[str]
    evaluator: str
    logits: np.ndarray


Runner = Callable[[str, ArtefactRecord, Path, np.ndarray], WorkerAnswer]
"""Runs a file (its record and path) on a kind of processor, with images float32 [N, 3, S, S].

It raises WorkerTimeoutError where that takes too long, WorkerError where there is no answer."""


@dataclass(frozen=True)
class EmulatedRunner:
    """Runs files on the emulated machine."""

    machine: EmulatedMachine
    timeout: float = ANSWER_SECONDS

    def __call__(
        self, cpu: str, record: ArtefactRecord, path: Path, images: np.ndarray
    ) -> WorkerAnswer:
        """See :data:`Runner`."""
        return run_worker(tuple(self.machine.command(cpu)), record, path, images, self.timeout)


def run_worker(
    python: tuple[str, ...],
    record: ArtefactRecord,
    path: Path,
    images: np.ndarray,
    timeout: float = ANSWER_SECONDS,
) -> WorkerAnswer:
    """A file's answers by its runtime for ARM64, in a worker that ``python`` runs.

    Raises:
        PackagesUnavailableError: it cannot be started.
        WorkerError: see :data:`Runner`.
    """
    runtimes = abilities_of(record.format).runtimes
    runtime = next(one for one in runtimes if Platform.ARM64 in one.platforms)
    try:
        worker = Worker(WorkerConfig(runtime, str(path), 1, python=python, reply_s=timeout))
    except WorkerError as error:
        raise PackagesUnavailableError(
            f"{error}; remove its folder, then it is fetched again"
        ) from error
    with worker, tempfile.TemporaryDirectory(prefix="hierattn-arm64-") as temporary:
        ready = worker.wait_until_ready()
        worker.load()
        logits = worker.answer(images, Path(temporary))
    evaluator = f"{runtime.distribution} {ready.version}"
    return WorkerAnswer(ready.machine, ready.features, evaluator, logits)


def choose_files(manifest: Manifest, names: Sequence[str], every: bool) -> list[ArtefactRecord]:
    """The files to run: those named; or all that run there; or those computed otherwise there.

    Those are of :data:`DEFAULT_PRECISIONS`, and of a precision in which some processors err, so
    that its format has a fallback.

    Raises:
        UnknownNameError: a name that the export does not have, or that does not run there.
        ExportError: none is left.
    """
    able = [one for one in all_abilities() if one.runs_on(Platform.ARM64)]
    names_able = [one.name for one in able]
    fit = [record for record in manifest.artefacts if record.format in names_able]
    by_name = {record.path: record for record in fit}
    for name in names:
        if name not in by_name:
            raise UnknownNameError("file for ARM64", name, by_name)
    if names:
        return [by_name[name] for name in names]
    chosen = [
        record
        for record in fit
        if every
        or record.precision in (*DEFAULT_PRECISIONS, *abilities_of(record.format).fallbacks)
    ]
    if not chosen:
        titles = " or ".join(one.title for one in able)
        raise ExportError(
            f"no {titles} file in this export; export with --format {','.join(names_able)}"
        )
    return chosen


def check_on_arm64(
    folder: Path,
    files: Sequence[ArtefactRecord],
    cpus: Sequence[str],
    run: Runner,
    packages: Sequence[str],
    progress: Observer = unobserved,
) -> Arm64Check:
    """Run every file on every kind of processor; one that fails stops no other.

    Raises:
        ManifestError: the export folder is damaged.
        PackagesUnavailableError: the emulator cannot be started.
    """
    manifest = read_manifest(folder)
    selftest, answers = read_golden_reference(folder, manifest)
    rows, unanswered = [], []
    images = golden_inputs(folder / SELFTEST, selftest)
    runs = [(record, cpu) for record in files for cpu in cpus]
    for number, (record, cpu) in enumerate(runs):
        progress(Progress("", f"{record.path} on {cpu}", number, len(runs)))
        path = folder / record.path
        problems = artefact_problems(path, record)
        if problems:
            raise ManifestError(problems[0])
        expected = expected_logits(record, selftest, answers)
        result: WorkerAnswer | str
        try:
            result = run(cpu, record, path.resolve(), images)
        except WorkerTimeoutError as error:
            unanswered.append(f"{record.path}, {cpu}: {error}")
            continue
        except WorkerError as error:
            result = str(error)
        rows.append(_row(record, cpu, expected, result))
    progress(Progress("", "asked", len(runs), len(runs)))
    return Arm64Check(Arm64Record(packages=list(packages), rows=rows), unanswered)


def _row(
    record: ArtefactRecord, cpu: str, expected: ExpectedLogits, result: WorkerAnswer | str
) -> Arm64Row:
    features = [] if isinstance(result, str) else result.features
    decisions = None
    if isinstance(result, str):
        check = GoldenCheck(False, None, result)
    elif result.machine != "aarch64":
        check = GoldenCheck(False, None, f"answered on {result.machine}, not on aarch64")
    elif len(result.logits) != len(expected.images):
        check = GoldenCheck(False, None, "answers are missing")
    else:
        found = dict(zip(expected.images, result.logits.tolist(), strict=True))
        check = check_golden_logits(expected, found, result.evaluator)
        decided = result.logits.argmax(axis=1) == expected.logits.argmax(axis=1)
        decisions = int(decided.sum())
    assert record.sha256 is not None
    return Arm64Row(
        path=record.path,
        sha256=record.sha256,
        cpu=cpu,
        features=features,
        reference=expected.reference,
        allowed=expected.max_relative,
        images=len(expected.images),
        decisions=decisions,
        parity=check.parity,
        passed=check.passed,
        reason=check.reason,
    )
