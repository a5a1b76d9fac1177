"""Runs exported files on the golden images on the emulated machine, and checks their logits."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from export.checks.conformance import (
    ExpectedLogits,
    GoldenCheck,
    check_golden_logits,
    expected_logits,
    read_golden_reference,
)
from export.checks.integrity import artefact_problems
from export.checks.selftest import golden_inputs
from export.errors import ExportError, ManifestError
from export.formats.abilities import Platform
from export.formats.registry import all_abilities
from export.progress import Observer, Progress, unobserved
from export.runtime import run_file
from export.schema.arm64_report import Arm64Record, Arm64Row
from export.schema.manifest import SELFTEST, ArtefactRecord, Manifest, read_manifest
from export.targets.arm64.packages import EmulatedMachine, PackagesUnavailableError
from hierattn.errors import UnknownNameError, first_line

DEFAULT_CPU = "cortex-a76"
"""A phone core of 2018: half-precision and dot-product instructions, no SVE."""

DEFAULT_PRECISIONS = ("fp32", "int8")
ANSWER_SECONDS = 1800

_SCRIPT = Path(run_file.__file__)


class _WorkerResult(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    machine: str
    features: list[str]
    evaluator: str
    logits: list[list[float]]


@dataclass(frozen=True)
class Arm64Check:
    """Result of a run.

    Attributes:
        record: a row for each file and processor with a result.
        unanswered: a line for each file that timed out.
    """

    record: Arm64Record
    unanswered: list[str]


Runner = Callable[[str, Sequence[str | Path]], subprocess.CompletedProcess[str]]
"""Runs the machine's Python on a kind of processor, with arguments, to its end."""


@dataclass(frozen=True)
class EmulatedRunner:
    """Runs the worker on the emulated machine."""

    machine: EmulatedMachine
    timeout: float = ANSWER_SECONDS

    def __call__(
        self, cpu: str, arguments: Sequence[str | Path]
    ) -> subprocess.CompletedProcess[str]:
        """See :data:`Runner`."""
        return subprocess.run(
            self.machine.command(cpu, *arguments),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=self.timeout,
            check=False,
        )


def choose_files(manifest: Manifest, names: Sequence[str], every: bool) -> list[ArtefactRecord]:
    """The files to run: those named; or all that run there; or :data:`DEFAULT_PRECISIONS`.

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
    chosen = [record for record in fit if every or record.precision in DEFAULT_PRECISIONS]
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
    with tempfile.TemporaryDirectory(prefix="hierattn-arm64-") as temporary:
        images, answer = Path(temporary) / "images.npy", Path(temporary) / "answer.json"
        np.save(images, golden_inputs(folder / SELFTEST, selftest))
        runs = [(record, cpu) for record in files for cpu in cpus]
        for number, (record, cpu) in enumerate(runs):
            progress(Progress("", f"{record.path} on {cpu}", number, len(runs)))
            problems = artefact_problems(folder / record.path, record)
            if problems:
                raise ManifestError(problems[0])
            expected = expected_logits(record, selftest, answers)
            answer.unlink(missing_ok=True)
            try:
                result = _run_worker(run, cpu, (folder / record.path).resolve(), images, answer)
            except subprocess.TimeoutExpired as error:
                unanswered.append(f"{record.path}, {cpu}: no answer in {error.timeout:.0f} s")
            else:
                rows.append(_row(record, cpu, expected, result))
        progress(Progress("", "asked", len(runs), len(runs)))
    return Arm64Check(Arm64Record(packages=list(packages), rows=rows), unanswered)


def _run_worker(
    run: Runner, cpu: str, model: Path, images: Path, answer: Path
) -> _WorkerResult | str:
    """Result of the worker script, or why there is none.

    Raises:
        subprocess.TimeoutExpired: it took too long.
        PackagesUnavailableError: the emulator cannot be started.
    """
    try:
        done = run(cpu, [_SCRIPT, model, images, answer])
    except OSError as error:
        raise PackagesUnavailableError(
            f"{error.filename or 'the emulator'}: cannot be started ({error.strerror}); remove its "
            "folder, then it is fetched again"
        ) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["nothing said"]
        if done.returncode == run_file.REFUSED:
            return f"the runtime refuses the file: {lines[-1][:300]}"
        end = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
        return f"crashed ({end}): {lines[-1][:300]}"
    try:
        result = _WorkerResult.model_validate(json.loads(answer.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        return f"the answer cannot be read: {first_line(error)}"
    if result.machine != "aarch64":
        return f"answered on {result.machine}, not on aarch64"
    return result


def _row(
    record: ArtefactRecord, cpu: str, expected: ExpectedLogits, result: _WorkerResult | str
) -> Arm64Row:
    if isinstance(result, str):
        check, features = GoldenCheck(False, None, result), []
    elif len(result.logits) != len(expected.images):
        check, features = GoldenCheck(False, None, "answers are missing"), result.features
    else:
        found = dict(zip(expected.images, result.logits, strict=True))
        check, features = check_golden_logits(expected, found, result.evaluator), result.features
    assert record.sha256 is not None
    return Arm64Row(
        path=record.path,
        sha256=record.sha256,
        cpu=cpu,
        features=features,
        reference=expected.reference,
        allowed=expected.max_relative,
        parity=check.parity,
        passed=check.passed,
        reason=check.reason,
    )
