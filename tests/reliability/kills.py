"""Commands that write are killed at random moments: nothing half-written, and the next one works.

``python -m tests.reliability.kills --times 50 --json kills.json`` kills each command so often with
SIGKILL and prints a row a command. Each is started in a fork that has loaded its libraries, its
worker processes likewise, so that every moment falls into its work. What a kill leaves is where the
next start begins.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from export.runtime import process
from hierattn.models.pretrained.weights import read_state_dict
from hierattn.training.run.checkpoint import load_state
from tests.reliability.forked import ForkedPython

PAINT = ("data", "synth", "--per-class", "8", "--size", "16")
_LIBRARIES = (
    "onnxruntime",
    "onnxscript",
    "torch.onnx",
    "benchmarks.run",
    "export.formats.onnx.format",
    "export.jobs.worker",
    "hierattn.evaluation.evaluate",
    "hierattn.training.trainer",
)
TRAIN = ("--model", "hierattn_xs", "--image-size", "64", "--epochs", "2", "--batch-size", "32")


@dataclass(frozen=True)
class Command:
    """One that is killed.

    Attributes:
        words: after ``hierattn``.
        needs: inputs that are made first, see :func:`inputs`.
        out: the options that say where to write, with ``{}`` for the folder.
        at_once: nothing is visible before all is.
        resumes: goes on with ``--resume`` where there is a checkpoint.
    """

    words: tuple[str, ...]
    needs: tuple[str, ...] = ()
    out: tuple[str, ...] = ("--out", "{}")
    at_once: bool = False
    resumes: bool = False

    def line(self, out: Path) -> tuple[str, ...]:
        """All words of the command that writes to ``out``, begun or not."""
        again = ("--resume",) if self.resumes and (out / "last.ckpt").exists() else ()
        return (*self.words, *again, *(word.format(out) for word in self.out))


def inputs(place: Path) -> dict[str, tuple[str, ...]]:
    """Commands that make what is read, in their order; ``--out PLACE/NAME`` follows."""
    train = ("train", "--data", str(place / "painted"), *TRAIN)
    return {
        "painted": PAINT,
        "run": train,
        "fold1": (*train, "--fold", "1/2"),
        "fold2": (*train, "--fold", "2/2"),
        "exported": ("export", str(place / "run"), "--format", "onnx", "--precision", "fp32"),
    }


def commands(place: Path) -> dict[str, Command]:
    """What is killed, by name."""
    names = ("painted", "run", "exported", "fold1", "fold2")
    painted, run, exported, *folds = (str(place / name) for name in names)
    answers = ("--csv", "{}/answers.csv", "--saliency", "{}/maps")
    measure = ("--runtime", "onnxruntime", "--threads", "1", "--runs", "20", "--launches", "2")
    trained = ("painted", "run")
    # One photo: where an answer comes from takes seconds.
    photo = f"{painted}/painted_nevus/painted_nevus_00000_0.jpg"
    return {
        "data synth": Command(PAINT, at_once=True),
        "data prepare": Command(("data", "prepare", painted), ("painted",), at_once=True),
        "data balance": Command(
            ("data", "balance", painted, "--target", "8"), ("painted",), at_once=True
        ),
        "train": Command(("train", "--data", painted, *TRAIN), ("painted",), resumes=True),
        "pretrain": Command(
            ("pretrain", "--data", painted, "--teacher", run, *TRAIN), trained, resumes=True
        ),
        "evaluate": Command(("evaluate", run, "--data", painted), trained),
        "pool": Command(("pool", *folds, "--replicates", "100"), ("painted", "fold1", "fold2")),
        "predict": Command(("predict", run, photo), trained, answers),
        "export": Command(inputs(place)["exported"], trained, at_once=True),
        "benchmark": Command(("benchmark", exported, *measure), (*trained, "exported")),
        "bundle": Command(
            ("bundle", exported, "--allow-unverified"), (*trained, "exported"), ("--app", "{}")
        ),
    }


def load_libraries() -> None:
    """Import once, for all forks, what commands and their workers import."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    forked = types.SimpleNamespace(**{**vars(subprocess), "Popen": ForkedPython})
    process.subprocess = forked  # type: ignore[assignment]


def start(words: Sequence[str], log: Path) -> int:
    """Start ``hierattn`` with these words in a fork; returns its process id."""
    child = os.fork()
    if child:
        return child
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.setpgid(0, 0)
    sys.argv = ["hierattn", *words]
    code = 1
    try:
        from hierattn.cli.main import main

        main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def finish(words: Sequence[str], log: Path) -> None:
    """Run ``hierattn`` to its end.

    Raises:
        AssertionError: it failed; with its words.
    """
    _, status = os.waitpid(start(words, log), 0)
    assert status == 0, f"{words}: {log.read_text(errors='replace')}"


def content(folder: Path) -> set[str]:
    """Names of all that lies in a folder, however deep."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def check_whole(folder: Path) -> None:
    """Check that every file under its final name is whole, in so far as its kind tells.

    Raises:
        ValueError, OSError, HierAttnError, AssertionError: one is not.
    """
    for path in folder.rglob("*"):
        if path.name.startswith("."):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".csv":
            assert path.read_text().endswith("\n"), path
        elif path.suffix in (".png", ".jpg"):
            with Image.open(path) as image:
                image.load()
        elif path.suffix == ".safetensors":
            read_state_dict(path)
        elif path.name == "last.ckpt":
            load_state(path)


def kill_at_random(
    command: Command, times: int, minutes: float, folder: Path, rng: random.Random
) -> dict[str, int]:
    """Kill a command ``times`` times; what was left, counted.

    Args:
        minutes: after which no further kill begins; ``kills`` says how many there were.
        folder: empty; what the command writes goes below it.

    Raises:
        AssertionError: a folder that is neither whole nor absent, a traceback, or a next run that
            fails.
    """
    log, temporary, is_app = folder / "log", folder / "tmp", "--app" in command.out
    temporary.mkdir()
    # A fork inherits what Python's tempfile settled on, so that is set, too.
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
    whole, out = folder / "whole", folder / "out"
    for app in (whole, out):
        if is_app:
            (app / "src" / "main").mkdir(parents=True)
    began = time.monotonic()
    finish(command.line(whole), log)
    own = content(out)
    lasts, wanted, found = time.monotonic() - began, content(whole) - own, Counter[str]()
    for _ in range(times):
        if time.monotonic() - began > 60 * minutes:
            break
        found["kills"] += 1
        child = start(command.line(out), log)
        time.sleep(rng.uniform(0, lasts))
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        said = log.read_text(errors="replace")
        assert "Traceback" not in said, said
        if out.exists():
            check_whole(out)
        visible = {path for path in content(out) if not Path(path).name.startswith(".")} - own
        if status == 0:
            found["had finished"] += 1
        elif wanted <= visible:
            found["whole"] += 1
        else:
            found["to be gone on with" if visible else "nothing"] += 1
        if wanted <= visible and not is_app:
            shutil.rmtree(out)
        elif command.at_once:
            assert not visible, visible
    finish(command.line(out), log)
    assert content(out) >= wanted, wanted - content(out)
    beside = {path.name for path in folder.iterdir()} - {"whole", "out", "log", "tmp"}
    left = (content(out) - wanted - own) | beside
    found["remains after the next run"] = len(left)
    found["remains in TMPDIR after it"] = len(list(temporary.iterdir()))
    return dict(found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="a command at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--command", action="append", help="only this one; repeatable")
    parser.add_argument("--json", type=Path, help="write the counts here, too")
    asked = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    load_libraries()
    results: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        chosen = {
            title: command
            for title, command in commands(place).items()
            if not asked.command or title in asked.command
        }
        needed = {need for command in chosen.values() for need in command.needs}
        for made, words in inputs(place).items():
            if made in needed:
                finish((*words, "--out", str(place / made)), place / "log")
        for title, command in chosen.items():
            folder = place / title
            folder.mkdir()
            rng = random.Random(f"{asked.seed} {title}")
            results[title] = kill_at_random(command, asked.times, asked.minutes, folder, rng)
            counted = ", ".join(f"{count} {what}" for what, count in results[title].items())
            print(f"{title}: {counted}", flush=True)
            if asked.json is not None:
                asked.json.write_text(json.dumps({"seed": asked.seed, "kills": results}, indent=2))


if __name__ == "__main__":
    main()
