"""Training in processes of its own: killed, out of disk space, and several at once."""

import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hierattn.training.run.checkpoint import load_state

Command = Callable[..., list[str]]
Start = Callable[[list[str]], "subprocess.Popen[str]"]


def finish(process: "subprocess.Popen[str]") -> str:
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    return output


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(
    train_command: Command, start: Start, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    began = time.monotonic()
    finish(start(train_command(whole)))
    length = time.monotonic() - began
    moments = random.Random(7)
    kills = 0
    for _ in range(4):
        process = start(train_command(killed, "--resume"))
        try:
            process.wait(timeout=moments.uniform(0.3, 0.95) * length)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    finish(start(train_command(killed, "--resume")))
    assert kills >= 2
    for name in ("model.safetensors", "metrics.json", "predictions.csv", "splits.csv"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.mark.slow
def test_terminating_leaves_a_run_that_can_go_on(
    train_command: Command, start: Start, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = start(train_command(out, "--epochs=500"))
    deadline = time.monotonic() + 600
    while not (out / "history.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=600)[0]
    assert process.returncode == 1
    assert "Traceback" not in output
    assert f"--resume --out {out}" in output.replace("\n", "")
    assert load_state(out / "last.ckpt").epoch >= 1
    left = {"last.ckpt", "history.csv", "splits.csv", "started.json"}
    assert {path.name for path in out.iterdir()} == left


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_leaves_nothing_half_written(
    train_command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "run"

    def limit() -> None:
        # A file-size limit of 1 MB fails the write of last.ckpt as a full disk would.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))

    process = subprocess.run(
        [sys.executable, *train_command(out)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert process.stderr.rstrip().endswith("last.ckpt: File too large")
    assert {path.name for path in out.iterdir()} == {"splits.csv", "started.json"}


@pytest.mark.slow
def test_a_fold_of_two_processes_tells_to_train_the_other_by_two(
    train_command: Command, start: Start, tmp_path: Path
) -> None:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = train_command(tmp_path / "fold1", "--epochs=1", "--fold=1/2")
    output = finish(start([*torchrun, *arguments]))
    told = output.partition("Next: ")[2].splitlines()
    assert told[0].startswith("torchrun --nproc-per-node 2 -m hierattn.cli train "), output
    assert told[0].endswith(f"--fold 2/2 --out {tmp_path / 'fold2'}")
    assert told[1].strip().startswith("hierattn pool ")


@pytest.mark.slow
def test_two_gloo_processes_write_one_run_of_the_same_layout(
    train_command: Command, start: Start, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = train_command(out, "--epochs=2")
    finish(start([*torchrun, *arguments]))
    assert (out / "config.json").exists()
    assert '"processes": 2' in (out / "config.json").read_text()
    assert load_state(out / "last.ckpt").epoch == 2
    again = tmp_path / "again"
    finish(start([*torchrun, *train_command(again, "--epochs=1")]))
    assert (again / "splits.csv").read_bytes() == (out / "splits.csv").read_bytes()
