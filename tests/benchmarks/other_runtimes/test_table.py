from __future__ import annotations

from pathlib import Path

import pytest
import typer

from benchmarks.other_runtimes.__main__ import main
from benchmarks.other_runtimes.results import Row, Trial, read_trial
from benchmarks.other_runtimes.table import to_markdown
from export.schema.parity import Parity
from hierattn.errors import ConfigError
from tests.conftest import REPOSITORY

RESULTS = REPOSITORY / "benchmarks" / "results" / "hierattn_xs.pad_ufes_20" / "other_runtimes.json"
DOCS = REPOSITORY / "docs" / "export.md"


@pytest.fixture
def trial() -> Trial:
    near = Parity(
        evaluator="ort 1",
        images=42,
        max_abs=1.2e-6,
        max_relative=1e-6,
        relative_l2=0,
        cosine=1,
        top1_agreement=41 / 42,
    )
    fields = {"runtime": "ort", "version": "1.0", "setting": "", "format": "onnx", "known": True}
    rows = [
        Row(
            **fields,
            file="m-fp32.onnx",
            precision="fp32",
            own=near,
            torch=near,
            status="agrees",
            reason=None,
        ),
        Row(
            **fields,
            file="m-int8.onnx",
            precision="int8",
            own=None,
            torch=None,
            status="fails",
            reason="it has no MatMulInteger (Error: 3)",
        ),
    ]
    return Trial(
        date="2026-01-01",
        command="c",
        machine="m",
        model="hierattn_xs",
        image_size=128,
        weights_sha256="0" * 64,
        tools={},
        data="d",
        asked="photos",
        images=42,
        scale=7.5,
        rows=rows,
    )


def test_a_row_is_whole_and_what_fails_is_explained_below(trial: Trial) -> None:
    lines = to_markdown(trial).splitlines()
    assert lines[2] == "| ort 1.0 | onnx fp32 | 1.2e-06 | 41/42 | 1.2e-06 | 41/42 | |"
    assert lines[3] == "| ort 1.0 | onnx int8 | – | – | – | – | fails |"
    assert lines[5] == "- ort 1.0 (onnx int8): it has no MatMulInteger."


def test_results_are_read_back_and_printed_at_80_columns(
    trial: Trial,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "results.json"
    path.write_text(trial.to_json())
    assert read_trial(path) == trial
    terminal = {"TTY_COMPATIBLE": "1", "TERM": "dumb", "COLUMNS": "80", "LINES": "25"}
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    main(path)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "MatMulInteger" in shown and "41/42" in shown


def test_what_was_not_tried_is_said_loudly_and_what_departs_fails(
    trial: Trial, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    fields = {"status": "not run", "reason": "no 'node' in PATH", "known": False}
    rows = [trial.rows[0].model_copy(update=fields), trial.rows[1]]
    path.write_text(trial.model_copy(update={"rows": rows}).to_json())
    main(path)
    assert capsys.readouterr().err == "NOT TRIED: ort 1.0: no 'node' in PATH\n"
    rows[1] = rows[1].model_copy(update={"known": False})
    path.write_text(trial.model_copy(update={"rows": rows}).to_json())
    with pytest.raises(typer.Exit) as left:
        main(path)
    assert left.value.exit_code == 1


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"date": 1}')
    with pytest.raises(ConfigError, match=r"x.json: not results of a trial: field"):
        read_trial(tmp_path / "x.json")


def test_the_docs_show_the_results_that_are_kept() -> None:
    assert to_markdown(read_trial(RESULTS)) in DOCS.read_text(encoding="utf-8")
