"""Fixtures that every part shares."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from hierattn.data.folder import read_data_folder
from hierattn.data.pixels.store import LIMIT_VARIABLE
from hierattn.data.records import DataFolder
from hierattn.data.synth.dataset import write_synthetic
from hierattn.training.recipe.config import build_config
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train

REPOSITORY = Path(__file__).parent.parent
NO_BROWSER = "no Chromium in PATH; install one or set CHROMIUM to its path"
NO_OLD_RUNTIME = "the oldest ONNX Runtime cannot be installed"
UNTESTED = {
    NO_BROWSER: "THE PAGE WAS NOT TESTED IN A BROWSER",
    NO_OLD_RUNTIME: "ONNX FILES WERE NOT TRIED ON THE OLDEST RUNTIME CLAIMED",
}
"""What is said loudly, by the reason for which tests are skipped."""


def pytest_collection_finish() -> None:
    """Take what is imported by now out of the garbage collector's walks.

    Converters call it at every conversion, and it walked a million objects that stay anyway.
    """
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly at the end what was not tested."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, words in UNTESTED.items():
        unseen = [report for report in skipped if reason in str(report.longrepr)]
        if unseen:
            terminalreporter.write_sep("!", "NOT TESTED", red=True, bold=True)
            line = f"{words}: {len(unseen)} tests skipped: {reason}"
            terminalreporter.write_line(line, red=True, bold=True)


# A busy machine fails no test.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# Tests neither fill the user's store of photos nor lean on what an earlier run left there.
os.environ[LIMIT_VARIABLE] = "0"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small tensors run faster on one thread, and results do not depend on the machine's cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photos_root() -> Path:
    """Folder with the real data sets: $HIERATTN_PHOTOS, else ../shared/data."""
    root = Path(os.environ.get("HIERATTN_PHOTOS", REPOSITORY.parent / "shared" / "data"))
    if not (root / "pad_ufes_20").is_dir():
        pytest.skip("no real photos here; set HIERATTN_PHOTOS to a folder that holds pad_ufes_20")
    return root


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A folder that the first of pytest's processes to ask makes, for all of them; read only.

    Args:
        name: such as ``runs/finished``.
        build: makes the folder at the path that it is given.
    """
    base = factory.getbasetemp()
    if base.name.startswith("popen-gw"):  # A worker's own folder in one that all share.
        base = base.parent
    folder = base / "shared" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder.with_name(f"{folder.name}.done")
    failed = folder.with_name(f"{folder.name}.failed")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            pytest.fail(f"{name} failed in another process: {failed.read_text()}", pytrace=False)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # What another began and was killed at.
            failed.write_text("it was killed")
            try:
                build(folder)
            except BaseException as error:
                failed.write_text(repr(error))
                raise
            failed.unlink()
            done.touch()
    return folder


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A small painted data folder, 6 classes of 12 pictures; read only."""

    def paint(out: Path) -> None:
        write_synthetic(out, per_class=12, size=64)

    return read_data_folder(built_once(tmp_path_factory, "data/painted", paint))


@pytest.fixture(scope="session")
def finished(painted: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of three epochs on the painted pictures; read only."""
    config = build_config(model="hierattn_xs", image_size=64, epochs=3, batch_size=8)

    def run(out: Path) -> None:
        train(TrainingRequest(config, painted.root, out))

    return built_once(tmp_path_factory, "runs/finished", run)


@dataclass(frozen=True)
class Answer:
    """Exit code, stdout and stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Answer]]:
    """Run ``hierattn`` with arguments in this process; a new Python takes seconds to load torch."""
    from hierattn.cli.main import main

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["hierattn", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return Answer(int(left.value.code or 0), captured.out, captured.err)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
