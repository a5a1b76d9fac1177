"""The judge of an exported file, asked on photos that are little evidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.checks.comparison import TorchReference
from export.checks.eval_data import EvaluationPhotos
from export.checks.gates import TOLERANCES
from export.jobs.messages import FileChecked
from export.schema.manifest import JudgedData
from export.schema.metadata import Precision
from hierattn.data.folder import read_data_folder
from hierattn.metrics.operating_point import OperatingPoint
from tests.data.helpers import write_class_folders

GOLDEN = np.array([[3.0, -1.0], [-2.0, 4.0], [0.5, 0.25]])
RECORD = JudgedData(
    name="d", path="d", sha256="0" * 64, images=8, calibration=0, judged=8, seen_in_training=None
)


def reference(tmp_path: Path, answers: np.ndarray, *, distinct: bool) -> TorchReference:
    """Torch's logits of three golden images and eight photos, grey ones alike or not."""
    folder = read_data_folder(write_class_folders(tmp_path / "data", {"mel": 4, "nv": 4}))
    greys = np.arange(8) * distinct + 128
    pixels = np.broadcast_to(greys[:, None, None, None], (8, 4, 4, 3)).astype(np.uint8)
    groups = tuple(record.group for record in folder.records)
    photos = EvaluationPhotos(folder, pixels, groups, pixels[:0], RECORD)
    point = OperatingPoint(target_classes=("mel",), melanoma_threshold=0.4)
    logits = np.concatenate([GOLDEN, answers])
    return TorchReference(logits, len(GOLDEN), 4, photos, ("mel", "nv"), point)


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.INT8])
def test_an_int8_file_does_not_pass_on_eight_photos_that_are_one(
    tmp_path: Path, precision: Precision, distinct: bool
) -> None:
    answers = np.tile([[1.0, 2.0], [2.0, 1.0]], (4, 1))
    torch = reference(tmp_path, answers, distinct=distinct)
    np.save(tmp_path / "logits.npy", torch.logits)
    checked = FileChecked.model_construct(
        precision=precision, evaluator="x", logits=tmp_path / "logits.npy", other_runtimes=[]
    )
    gate = torch.compare(checked).gate
    held_back = precision is Precision.INT8 and not distinct
    assert gate.status == ("not run" if held_back else "passed")
    assert torch.remarks[:1] == (
        [] if distinct else ["evidence: 8 photos, 1 distinct (a copy proves nothing more)"]
    )


def test_the_image_that_lies_furthest_is_named(tmp_path: Path) -> None:
    answers = np.tile([[1.0, 2.0], [2.0, 1.0]], (4, 1))
    torch = reference(tmp_path, answers, distinct=True)
    moved = torch.logits.copy()
    moved[len(GOLDEN) + 5, 0] += 0.01
    np.save(tmp_path / "logits.npy", moved)
    checked = FileChecked.model_construct(
        precision=Precision.FP32,
        evaluator="x",
        logits=tmp_path / "logits.npy",
        other_runtimes=[],
    )
    worst = torch.compare(checked).worst
    assert worst.index == len(GOLDEN) + 5 and worst.error == pytest.approx(0.01 / worst.scale)


@pytest.mark.parametrize("precision", [Precision.FP16, Precision.INT8])
def test_golden_images_decide_no_gate_of_int8(tmp_path: Path, precision: Precision) -> None:
    torch = reference(tmp_path, np.tile([[1.0, 2.0], [2.0, 1.0]], (4, 1)), distinct=True)
    moved = torch.logits.copy()
    moved[0, 0] += 0.5
    moved[len(GOLDEN) + 1, 1] += 0.001
    np.save(tmp_path / "logits.npy", moved)
    checked = FileChecked.model_construct(
        precision=precision, evaluator="x", logits=tmp_path / "logits.npy", other_runtimes=[]
    )
    found = torch.compare(checked)
    assert found.worst.index == (len(GOLDEN) + 1 if precision is Precision.INT8 else 0)
    bound = TOLERANCES[precision].max_relative
    assert (found.worst.error > bound) == (found.gate.status == "failed")


def test_a_network_of_one_answer_is_remarked_on_beside_its_passed_gates(tmp_path: Path) -> None:
    torch = reference(tmp_path, np.tile([1.0, 2.0], (8, 1)), distinct=True)
    (line,) = torch.remarks
    assert line.startswith("this network answers nv for every one of the 8 photos")
