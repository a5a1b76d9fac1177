"""``hierattn verify --device``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from hierattn.cli.console import print_json, standard_console
from hierattn.cli.progress import PartsProgress
from hierattn.cli.tables import make_table, print_table

if TYPE_CHECKING:
    from export.targets.verify import PhoneCheck


def verify_phones(
    folder: Path, device: str, apk: Path | None, timeout: float, json_output: bool
) -> None:
    """Ask phones, print what was found; exit code 1 if one falls short."""
    from export.targets.task import Timeouts
    from export.targets.verify import verify_on_phones

    with PartsProgress() as parts:
        found = verify_on_phones(folder, device, apk, Timeouts(task=timeout), parts.follow)
    passed = all(check.status != "failed" for check in found)
    if json_output:
        print_json({"passed": passed, "phones": [_document(check) for check in found]})
    else:
        show_phones(found, folder)
    if not passed:
        raise typer.Exit(1)


def show_phones(found: list[PhoneCheck], folder: Path) -> None:
    """Print the table, and why a phone falls short."""
    console = standard_console()
    columns = ("phone", "result", "difference", "allowed", "pixels", "file", "runtime", "device")
    table = make_table(f"{folder} on phones", [(name, "left") for name in columns])
    for check in found:
        parity, result = check.parity, check.result
        pixels = check.differing_bytes
        table.add_row(
            check.serial,
            "FAILED" if check.status == "failed" else check.status,
            f"{parity.max_relative:.1e}" if parity else "–",
            f"{check.allowed:g}" if check.allowed is not None else "–",
            "–" if pixels is None else "equal" if pixels == 0 else f"{pixels} bytes differ",
            check.file or "–",
            f"{result.runtime.name} {result.runtime.version or ''}".strip() if result else "–",
            result.device.name if result else "–",
        )
    print_table(console, table)
    console.print(
        "difference: largest of a logit of the golden images, as a share of its image's scale, "
        "computed here from the phone's numbers. pixels: of the golden tensors. numbers only: the "
        "file's decisions had no images when it was exported."
    )
    for check in found:
        tried = check.result.tried if check.result else []
        if tried:
            words = "; ".join(one.words for one in tried)
            console.print(f"{check.serial}: chosen there by self-test, then time: {words}")
        if check.reason:
            console.print(f"FAILED {check.serial}: {check.reason}")


def _document(check: PhoneCheck) -> dict[str, Any]:
    result = check.result
    return {
        "serial": check.serial,
        "passed": check.passed,
        "status": check.status,
        "reason": check.reason,
        "file": check.file,
        "allowed": check.allowed,
        "differing_bytes": check.differing_bytes,
        "parity": check.parity.model_dump(mode="json") if check.parity else None,
        "device": result.device.model_dump(mode="json") if result else None,
        "runtime": result.runtime.model_dump(mode="json") if result else None,
        "tried": [one.model_dump(mode="json") for one in result.tried] if result else [],
    }
