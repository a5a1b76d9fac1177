"""``python -m tests.reliability.edited_records EXPORT --data PHOTOS``: records edited to deceive.

Every kind of value of manifest.json, parity.json, selftest.json and run.json is changed, one at a
time; the hashes are mended and the card is rendered anew; then ``verify`` and ``bundle`` are asked.
What either takes is listed, by field. The exported files do not change, so they answer once.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import export.verify
from export.checks.integrity import path_sha256
from export.jobs.messages import Event, FileChecked, Job
from export.jobs.pool import run_jobs
from export.model_card import render_model_card
from export.run_record import RunRecord
from export.schema.manifest import MANIFEST, MODEL_CARD, PARITY, RUN_RECORD, SELFTEST, read_manifest
from export.targets.apps import bundle as apps
from export.targets.apps.choice import BundleRequest
from hierattn.errors import HierAttnError

RECORDS = (MANIFEST, PARITY, f"{SELFTEST}/selftest.json", RUN_RECORD)
Keys = tuple[str | int, ...]


class _TakenError(Exception):
    """Everything was checked, and writing begins."""


def take(*_: object) -> None:
    """In place of what writes a bundle."""
    raise _TakenError


def edits(value: Any) -> Iterator[tuple[str, Any]]:
    """Other values of the same kind, with the name of the change."""
    if isinstance(value, bool):
        yield "turned", not value
    elif isinstance(value, int):
        yield "one more", value + 1
    elif isinstance(value, float):
        yield "a tenth more", value * 1.1 + 1e-3
    elif isinstance(value, str):
        yield "a word more", f"{value} x"
        yield "other", f"x{value[1:]}" if value else "x"
    elif value is None:
        yield "a number", 1
        yield "a word", "x"
    elif isinstance(value, list):
        if len(value) > 1 and value != value[::-1]:
            yield "reversed", value[::-1]
        if value:
            yield "cut", value[:-1]
        yield "longer", [*value, value[-1] if value else "Approved"]
    elif isinstance(value, dict):
        yield from (("emptied", {}), ("x is added", value | {"x": "1"})) if value else ()


def leaves(value: Any, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value, lists and objects as well; of long lists the first eight."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:8]):
            yield from leaves(inner, (*path, index))


def put(document: Any, path: Keys, value: Any) -> None:
    """Replace one value."""
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = value


class Replay:
    """The answers of the export's files, asked once and given again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: dict[tuple[str, str], FileChecked] = {}
        self.count = 0

    def ask(self, jobs: Sequence[Job], log: Path, report: Callable[[Job, Event], None]) -> None:
        """In place of :func:`run_jobs`: ask, and keep what was answered."""

        def keep(job: Job, event: Event) -> None:
            if isinstance(event, FileChecked):
                answers = [one.logits for one in event.other_runtimes]
                kept = [self._keep(path) if path else None for path in answers]
                event = event.model_copy(
                    update={
                        "logits": self._keep(event.logits),
                        "other_runtimes": [
                            one.model_copy(update={"logits": path})
                            for one, path in zip(event.other_runtimes, kept, strict=True)
                        ],
                    }
                )
                self.events[job.format, event.precision] = event
            report(job, event)

        run_jobs(jobs, log, keep)

    def answer(self, jobs: Sequence[Job], _: Path, report: Callable[[Job, Event], None]) -> None:
        """In place of :func:`run_jobs`: give the kept answers of the images that are asked."""
        for job in jobs:
            count = len(np.load(job.pixels, mmap_mode="r"))
            for precision in job.files:
                event = self.events[job.format, precision]
                given = np.load(event.logits)
                if count < len(given):
                    path = self.folder / f"short-{event.logits.name}"
                    np.save(path, given[:count])
                    event = event.model_copy(update={"logits": path, "other_runtimes": []})
                report(job, event)

    def _keep(self, path: Path) -> Path:
        self.count += 1
        return Path(shutil.copy(path, self.folder / f"{self.count}.npy"))


def mend(folder: Path) -> None:
    """Render the card anew and write the hashes of all that lies there."""
    path = folder / MANIFEST
    try:
        record = RunRecord.model_validate_json((folder / RUN_RECORD).read_bytes())
        card = render_model_card(read_manifest(folder), record.config, record.reports)
        (folder / MODEL_CARD).write_text(card, encoding="utf-8")
    except (HierAttnError, ValueError, ArithmeticError, LookupError, AttributeError):
        pass
    fields = json.loads(path.read_text())
    if not isinstance(fields.get("files"), dict):
        return
    for name in fields["files"]:
        if (folder / name).exists() and name:
            fields["files"][name] = path_sha256(folder / name)
    path.write_text(json.dumps(fields), encoding="utf-8")


def taken_by(folder: Path, data: Path | None, app: Path, artefacts: Sequence[str]) -> list[str]:
    """Which of the commands took it."""
    took = []
    try:
        found = export.verify.verify(folder, data)
        if found.passed:
            took.append("verify")
    except HierAttnError:
        pass
    for name in artefacts:
        try:
            apps.bundle(BundleRequest(folder, app, name))
        except _TakenError:
            took.append(f"bundle {name}")
        except HierAttnError:
            pass
    return took


def main() -> None:
    """List what was taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--artefact", action="append", default=[])
    parser.add_argument("--record", action="append", choices=RECORDS, default=[])
    parser.add_argument("--field", default="", help="regular expression of the fields to change")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        replay = Replay(work)
        app = work / "app"
        (app / "app").mkdir(parents=True)
        (app / "app" / "build.gradle").write_text("// an app\n")
        setattr(apps, "replace_bundle", take)  # noqa: B010
        setattr(export.verify, "run_jobs", replay.ask)  # noqa: B010
        if not export.verify.verify(asked.folder, asked.data).passed:
            sys.exit("the export does not pass as it is")
        setattr(export.verify, "run_jobs", replay.answer)  # noqa: B010
        told: dict[tuple[str, str], list[str]] = defaultdict(list)
        tried = 0
        seen: set[tuple[str, str, str]] = set()
        for record in asked.record or RECORDS:
            whole = json.loads((asked.folder / record).read_text())
            for path, value in leaves(whole):
                name = ".".join(str(part) for part in path)
                kind = re.sub(r"\.\d+(?=\.|$)", "[]", name)
                for change, other in edits(value) if re.match(asked.field, name) else ():
                    if (record, kind, change) in seen:
                        continue
                    seen.add((record, kind, change))
                    folder = work / "export"
                    shutil.rmtree(folder, ignore_errors=True)
                    shutil.copytree(asked.folder, folder)
                    document = json.loads((folder / record).read_text())
                    put(document, path, other)
                    (folder / record).write_text(json.dumps(document), encoding="utf-8")
                    mend(folder)
                    took = taken_by(folder, asked.data, app, asked.artefact)
                    tried += 1
                    if took:
                        told[record, name].append(f"{change}: {', '.join(took)}")
                        print(f"{record} {name}: {told[record, name][-1]}", flush=True)
        print(f"{tried} edits tried, {sum(map(len, told.values()))} taken, {len(told)} fields")


if __name__ == "__main__":
    main()
