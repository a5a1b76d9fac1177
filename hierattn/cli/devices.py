"""``hierattn verify --device``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from hierattn.cli.console import make_table, print_json, standard_console
from hierattn.cli.progress import PartsProgress

if TYPE_CHECKING:
    from export.targets.adb.verify import PhoneVerdict


def verify_phones(
    folder: Path, device: str, apk: Path | None, timeout: float, json_output: bool
) -> None:
    """Ask phones, print what was found; exit code 1 if one falls short."""
    from export.targets.adb.phone import Patience
    from export.targets.adb.verify import verify_on_phones

    with PartsProgress() as parts:
        found = verify_on_phones(folder, device, apk, Patience(task=timeout), parts.follow)
    passed = all(verdict.status != "failed" for verdict in found)
    if json_output:
        print_json({"passed": passed, "phones": [_document(verdict) for verdict in found]})
    else:
        _show(found, folder)
    if not passed:
        raise typer.Exit(1)


def _show(found: list[PhoneVerdict], folder: Path) -> None:
    console = standard_console()
    columns = ("phone", "device", "file", "runtime", "difference", "allowed", "pixels", "")
    table = make_table(f"{folder} on phones", [(name, "left") for name in columns])
    table.columns[2].overflow = "fold"
    for verdict in found:
        parity, told = verdict.parity, verdict.told
        pixels = verdict.differing_bytes
        table.add_row(
            verdict.serial,
            told.device.name if told else "–",
            verdict.file or "–",
            f"{told.runtime.name} {told.runtime.version or ''}".strip() if told else "–",
            f"{parity.max_relative:.1e}" if parity else "–",
            f"{verdict.allowed:g}" if verdict.allowed is not None else "–",
            "–" if pixels is None else "equal" if pixels == 0 else f"{pixels} bytes differ",
            "FAILED" if verdict.status == "failed" else verdict.status,
        )
    console.print(table)
    console.print(
        "difference: largest of a logit of the golden images, as a share of its image's scale, "
        "computed here from the phone's numbers. pixels: of the golden tensors. numbers only: the "
        "file's decisions had no photos when it was exported.",
        soft_wrap=True,
    )
    for verdict in found:
        if verdict.reason:
            reason = verdict.reason.replace("\n", "\\n")
            console.print(f"FAILED {verdict.serial}: {reason}", soft_wrap=True)


def _document(verdict: PhoneVerdict) -> dict[str, Any]:
    told = verdict.told
    return {
        "serial": verdict.serial,
        "passed": verdict.passed,
        "status": verdict.status,
        "reason": verdict.reason,
        "file": verdict.file,
        "allowed": verdict.allowed,
        "differing_bytes": verdict.differing_bytes,
        "parity": verdict.parity.model_dump(mode="json") if verdict.parity else None,
        "device": told.device.model_dump(mode="json") if told else None,
        "runtime": told.runtime.model_dump(mode="json") if told else None,
    }
