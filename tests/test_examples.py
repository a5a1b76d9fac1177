import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from hierattn.data.records import DataFolder
from hierattn.runs import load_run

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_predict_photo_prints_probabilities_that_sum_to_one(
    finished: Path, painted: DataFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(EXAMPLES / "predict_photo.py"))["main"]
    main(str(painted.records[0].path), str(finished))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    shown = {row[0]: float(row[1]) for row in rows if len(row) == 2 and row[0] != "not"}
    assert set(shown) == set(load_run(finished).config.classes)
    assert sum(shown.values()) == pytest.approx(1, abs=0.004)
    assert list(shown.values()) == sorted(shown.values(), reverse=True)


def test_predict_photo_without_a_photo_says_how_it_is_called() -> None:
    command = [sys.executable, str(EXAMPLES / "predict_photo.py")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=EXAMPLES.parent)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("usage: python examples/predict_photo.py PHOTO [RUN]")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_speed_benchmark_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.dev.training_speed", "--image-size", "64"]
    command += ["--batch-size", "4", "--epochs", "1", "--steps", "1", "--threads", "1", "--json"]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=EXAMPLES.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
    )
    assert '"images_per_second"' in result.stdout
