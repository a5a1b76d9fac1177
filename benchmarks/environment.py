"""Description of the machine and software that a benchmark ran on."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from benchmarks.results import HOST, Environment

FEATURES = (
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimdhp",
    "asimddp",
    "i8mm",
    "sve",
    "bf16",
)
"""Instruction sets that the runtimes' kernels choose by."""

PACKAGES = ("hierattn-mobile", "numpy")
BUSY = 0.5
"""Load average a core above which a machine is called busy."""

_GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_THERMAL = Path("/sys/class/thermal")


def describe_host() -> Environment:
    """This machine, now."""
    cores = os.cpu_count() or 1
    return Environment(
        device=HOST,
        system=f"{platform.system()} {platform.release()}",
        cpu=_cpu_name(),
        cores=cores,
        features=_features(),
        governor=_read(_GOVERNOR),
        load_before=load_average(),
        load_after=None,
        memory_gb=_memory_gb(),
        pinned_to=_pinned_to(cores),
        thermal=_thermal(),
        versions=_versions(),
    )


def finish_host(
    before: Environment, versions: Mapping[str, str], gmacs: Mapping[int, float]
) -> Environment:
    """Add what is known once everything ran.

    Args:
        before: what :func:`describe_host` gave.
        versions: of runtimes, as their processes said.
        gmacs: the matrix product, by thread count.
    """
    return before.model_copy(
        update={
            "load_after": load_average(),
            "versions": before.versions | dict(sorted(versions.items())),
            "matrix_product_gmacs": dict(gmacs),
        }
    )


def load_average() -> float | None:
    """Over one minute; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def busy_warning(environment: Environment) -> str | None:
    """Why the latencies here are not those of a quiet machine, if so."""
    load, cores = environment.load_before, environment.cores
    if load is None or load <= BUSY * cores:
        return None
    return (
        f"the machine was busy before the first run (load average {load:g} on {cores} cores): "
        "latencies are longer than on a quiet one, and the noise floor is high; better measure "
        "again when it is idle"
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _cpuinfo() -> dict[str, str]:
    """Fields of the first processor in /proc/cpuinfo; none elsewhere."""
    fields: dict[str, str] = {}
    for line in (_read(Path("/proc/cpuinfo")) or "").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def _cpu_name() -> str:
    fields = _cpuinfo()
    for name in ("model name", "Model", "Hardware"):
        if fields.get(name):
            return fields[name]
    return platform.processor() or platform.machine()


def _features() -> list[str]:
    fields = _cpuinfo()
    words = set((fields.get("flags") or fields.get("Features") or "").split())
    return [name for name in FEATURES if name in words]


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (OSError, ValueError):
        return None


def _pinned_to(cores: int) -> list[int] | None:
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return None if len(allowed) == cores else allowed


def _thermal() -> str | None:
    """Highest zone's temperature."""
    found = []
    for zone in sorted(_THERMAL.glob("thermal_zone*/temp")):
        with suppress(ValueError):
            found.append(int(_read(zone) or "") / 1000)
    return f"{max(found):.0f} °C" if found else None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
