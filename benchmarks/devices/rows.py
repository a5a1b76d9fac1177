"""Converts a phone's benchmark result to a row and an environment of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.exports import Export
from benchmarks.results import Environment, Row
from benchmarks.stats import summarise
from export.schema.manifest import ArtefactRecord
from export.targets.results import PhoneBenchmark
from export.targets.verify import find_artefact, other_model

UNKNOWN = "unknown"


@dataclass(frozen=True)
class PhoneRun:
    """One phone with one number of threads: what it wrote, or why it wrote nothing.

    Attributes:
        address: ``KIND:SERIAL``.
        device: its name in the report, unique among the phones.
        threads, runs, warm_up: what was ordered; the phone must have done just that.
    """

    address: str
    device: str
    threads: int
    runs: int
    warm_up: int
    result: PhoneBenchmark | None
    reason: str | None


def name_phones(found: Sequence[tuple[str, PhoneBenchmark | None]]) -> dict[str, str]:
    """Names by address: the phone's own words, numbered where two are alike; never its address.

    A phone that gave no result keeps its address: its owner must know which one it was.
    """
    names: dict[str, str] = {}
    for address, result in found:
        if address in names and result is None:
            continue
        if result is None:
            names[address] = address
            continue
        if names.get(address, address) != address:
            continue
        others = {name for other, name in names.items() if other != address}
        wanted, number = result.device.name, 1
        name = wanted
        while name in others:
            number += 1
            name = f"{wanted} no. {number}"
        names[address] = name
    return names


def phone_row(run: PhoneRun, exports: Sequence[Export]) -> Row:
    """The row of one run; failed, with the reason, where there is no trustworthy figure."""
    result = run.result
    if result is None:
        return _failed(run, None, None, run.reason or "no answer")
    export, record = _find(result, exports)
    if result.artefact is not None and record is None:
        return _failed(run, None, None, other_model(result.artefact))
    if export is None or record is None or result.status == "error":
        return _failed(run, export, record, result.reason or "the app could not measure")
    for what, done, ordered in (
        ("threads", result.threads, run.threads),
        ("runs", result.runs, run.runs),
        ("runs to warm up", result.warmup, run.warm_up),
    ):
        if done != ordered:
            return _failed(run, export, record, f"{what}: {done} on the phone, {ordered} ordered")
    latency = summarise(result.latencies_ms or [])
    failed = record.gate.status == "failed"
    return _row(run, export, record).model_copy(
        update={
            "load_ms": result.load_ms,
            "first_ms": result.first_ms,
            **asdict(latency),
            "peak_rss_mb": result.peak_rss_mb,
            "warm_up_runs": result.warmup,
            "runs": result.runs,
            "samples_ms": [round(ms, 4) for ms in result.latencies_ms or []],
            "status": "gate failed" if failed else "measured",
            "reason": "; ".join(filter(None, [_gate(record), state(result)])),
        }
    )


def phone_environment(device: str, runs: Sequence[PhoneRun]) -> Environment:
    """What is known of one phone; of one that gave no result, nothing but its name."""
    results = [run.result for run in runs if run.result is not None]
    if not results:
        reason = next((run.reason for run in runs if run.reason), UNKNOWN)
        return _environment(device, "Android", UNKNOWN, 1, {}, reason)
    first, last = results[0], results[-1]
    facts = first.device
    versions = {"app": first.app_version, first.runtime.name: first.runtime.version or UNKNOWN}
    environment = _environment(
        device,
        f"Android {facts.android or UNKNOWN} (API {facts.sdk})",
        facts.chip or UNKNOWN,
        facts.cores,
        versions,
        f"{first.thermal.before or UNKNOWN} before, {last.thermal.after or UNKNOWN} after",
    )
    features = [facts.abi] if facts.abi else []
    return environment.model_copy(update={"features": features})


def state(result: PhoneBenchmark) -> str:
    """How warm it was and how it was powered, in words."""
    warm, power = result.thermal, result.battery
    parts = [f"thermal state {warm.before or UNKNOWN} before, {warm.after or UNKNOWN} after"]
    if power.percent is not None:
        charging = {True: ", charging", False: ", not charging", None: ""}[power.charging]
        parts.append(f"battery {power.percent:.0f} %{charging}")
    if power.temperature_c is not None:
        parts.append(f"battery at {power.temperature_c:.0f} °C")
    return ", ".join(parts)


def _find(
    result: PhoneBenchmark, exports: Sequence[Export]
) -> tuple[Export | None, ArtefactRecord | None]:
    for export in exports:
        record = find_artefact(export.manifest, result.artefact)
        if record is not None:
            return export, record
    return None, None


def _gate(record: ArtefactRecord) -> str:
    if record.gate.status == "passed":
        return ""
    reasons = "; ".join(record.gate.reasons) or "no reason recorded"
    return reasons if record.gate.status == "failed" else f"gate not run: {reasons}"


def _row(run: PhoneRun, export: Export | None, record: ArtefactRecord | None) -> Row:
    return Row(
        export=export.label if export else UNKNOWN,
        name=record.path if record else UNKNOWN,
        sha256=record.sha256 if record else None,
        model=export.manifest.model if export else UNKNOWN,
        format=record.format if record else UNKNOWN,
        precision=record.precision.value if record else UNKNOWN,
        runtime=run.result.runtime.name if run.result else UNKNOWN,
        device=run.device,
        threads=run.threads,
        size_mb=record.bytes / 1e6 if record and record.bytes is not None else None,
        status="not run",
    )


def _failed(
    run: PhoneRun, export: Export | None, record: ArtefactRecord | None, reason: str
) -> Row:
    update = {"status": "failed", "reason": reason}
    return _row(run, export, record).model_copy(update=update)


def _environment(
    device: str, system: str, cpu: str, cores: int, versions: dict[str, str], thermal: str
) -> Environment:
    return Environment(
        device=device,
        system=system,
        cpu=cpu,
        cores=cores,
        features=[],
        governor=None,
        load_before=None,
        load_after=None,
        memory_gb=None,
        pinned_to=None,
        thermal=thermal,
        versions=versions,
    )
