"""A pipe or a device where a file is read to its end: one line, and no wait for ever.

The device is the null device, whose end comes at once: what reads it fails here without a wait.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.results import read_results
from export.formats.executorch.program import read_program
from export.formats.tflite.format import TfliteFormat
from export.schema.bundle import read_bundle
from export.schema.parity import read_parity_record
from hierattn.common.files import file_sha256, regular_file, write_text
from hierattn.data.readers.tables import read_table
from hierattn.errors import ConfigError, HierAttnError
from hierattn.evaluation.pooling import read_pooled
from hierattn.metrics.predictions import read_csv
from hierattn.models.pretrained.weights import read_state_dict
from hierattn.outputs import check_output
from hierattn.preprocessing import open_rgb
from hierattn.run_list import list_runs
from hierattn.runs import read_config, seen_rows
from hierattn.training.recipe.config import build_config
from hierattn.training.run.checkpoint import load_state

Reader = Callable[[Path], object]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("config.json", lambda path: build_config(file=path)),
        ("config.json", read_config),
        ("splits.csv", lambda path: seen_rows(path.parent)),
        ("seen.csv", lambda path: seen_rows(path.parent)),
        ("model.safetensors", read_state_dict),
        ("last.ckpt", load_state),
        ("pooled.json", lambda path: read_pooled(path.parent)),
        ("predictions.csv", read_csv),
        ("manifest.csv", read_table),
        ("photo.jpg", open_rgb),
        ("anything", file_sha256),
        ("parity.json", read_parity_record),
        ("bundle.json", lambda path: read_bundle(path.parent)),
        ("model.tflite", TfliteFormat().read_description),
        ("model.pte", read_program),
        ("results.json", read_results),
    ],
)
def test_a_pipe_or_a_device_is_not_read(tmp_path: Path, name: str, read: Reader) -> None:
    path = tmp_path / name
    path.symlink_to("/dev/null")
    with pytest.raises(HierAttnError, match="a pipe or a device; give a regular file") as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_the_list_of_runs_reads_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.ckpt").touch()
    (tmp_path / "run" / "history.csv").symlink_to("/dev/null")
    assert [run.epochs for run in list_runs(tmp_path)] == [None]


def test_files_and_folders_are_for_the_reader_to_judge(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    for name in (".", "file", "link"):
        assert regular_file(tmp_path / name) == tmp_path / name
    with pytest.raises(FileNotFoundError):
        regular_file(tmp_path / "absent")


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(HierAttnError, match="pipe: a pipe or a device"):
        write_text(pipe, "words")
    with pytest.raises(ConfigError, match=r"a pipe or a device; .*choose another --csv"):
        check_output(pipe, option="--csv")
    assert pipe.is_fifo()
