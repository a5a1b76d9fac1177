"""Commands that write are killed at random moments: nothing half-written, and the next one works.

``python -m tests.reliability.kills --times 50 --json kills.json`` kills each command so often with
SIGKILL and prints a row a command. Each is started in a fork that has loaded its libraries, so that
every moment falls into its work. What a kill leaves is where the next start begins.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

PAINT = ("data", "synth", "--per-class", "20", "--size", "32")
TRAIN = ("--model", "hierattn_xs", "--image-size", "64", "--epochs", "2", "--batch-size", "32")


def commands(place: Path) -> dict[str, tuple[str, ...]]:
    """What is killed, by name; ``--out FOLDER`` follows, or ``--app FOLDER`` for ``bundle``."""
    painted, run, exported = (str(place / name) for name in ("painted", "run", "exported"))
    return {
        "data synth": PAINT,
        "data prepare": ("data", "prepare", painted),
        "data balance": ("data", "balance", painted),
        "train": ("train", "--data", painted, *TRAIN),
        "evaluate": ("evaluate", run, "--data", painted),
        "export": ("export", run, "--format", "onnx", "--precision", "fp32"),
        "bundle": ("bundle", exported, "--allow-unverified"),
    }


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
        ValueError, OSError, AssertionError: one is not.
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
        elif path.name == "last.ckpt":
            from hierattn.training.run.checkpoint import load_state

            load_state(path)


def kill_at_random(
    name: str, words: tuple[str, ...], times: int, folder: Path, rng: random.Random
) -> dict[str, int]:
    """Kill a command ``times`` times; what was left, counted.

    Args:
        folder: empty; what the command writes goes below it.

    Raises:
        AssertionError: a folder that is neither whole nor absent, a traceback, or a next run that
            fails.
    """
    option, log, temporary = (
        "--app" if name == "bundle" else "--out",
        folder / "log",
        folder / "tmp",
    )
    temporary.mkdir()
    # A fork inherits what Python's tempfile settled on, so that is set, too.
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
    whole, out = folder / "whole", folder / "out"
    for app in (whole, out):
        if name == "bundle":
            (app / "src" / "main").mkdir(parents=True)
    began = time.monotonic()
    finish((*words, option, str(whole)), log)
    lasts, wanted, found = time.monotonic() - began, content(whole), Counter[str]()
    for _ in range(times):
        again = ("--resume",) if name == "train" and (out / "last.ckpt").exists() else ()
        child = start((*words, *again, option, str(out)), log)
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
        visible = {path for path in content(out) if not Path(path).name.startswith(".")}
        if status == 0:
            found["had finished"] += 1
        elif wanted <= visible:
            found["whole"] += 1
        else:
            found["to be gone on with" if visible else "nothing"] += 1
        if wanted <= visible and name != "bundle":
            shutil.rmtree(out)
        elif name.startswith("data") or name == "export":
            assert not visible, visible
    again = ("--resume",) if name == "train" and (out / "last.ckpt").exists() else ()
    finish((*words, *again, option, str(out)), log)
    assert content(out) >= wanted, wanted - content(out)
    beside = {path.name for path in folder.iterdir()} - {"whole", "out", "log", "tmp"}
    left = (content(out) - wanted) | beside
    found["remains after the next run"] = len(left)
    found["remains in TMPDIR after it"] = len(list(temporary.iterdir()))
    return dict(found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--command", action="append", help="only this one; repeatable")
    parser.add_argument("--json", type=Path, help="write the counts here, too")
    asked = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    import hierattn.evaluation.evaluate
    import hierattn.training.trainer  # noqa: F401 - loaded once, for all forks

    results: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for made, words in (
            ("painted", PAINT),
            ("run", commands(place)["train"]),
            ("exported", commands(place)["export"]),
        ):
            if made == "exported" and asked.command and "bundle" not in asked.command:
                continue
            finish((*words, "--out", str(place / made)), place / "log")
        for title, words in commands(place).items():
            if asked.command and title not in asked.command:
                continue
            folder = place / title
            folder.mkdir()
            rng = random.Random(f"{asked.seed} {title}")
            results[title] = kill_at_random(title, words, asked.times, folder, rng)
            counted = ", ".join(f"{count} {what}" for what, count in results[title].items())
            print(f"{title}: {asked.times} kills: {counted}", flush=True)
            if asked.json is not None:
                asked.json.write_text(json.dumps({"seed": asked.seed, "kills": results}, indent=2))


if __name__ == "__main__":
    main()
