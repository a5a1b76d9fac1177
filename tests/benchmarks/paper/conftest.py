from pathlib import Path

import pytest

from benchmarks.paper.study import Study, StudyRecipe
from hierattn.data.records import DataFolder

TRAINING = {"epochs": 1, "image_size": 64, "batch_size": 8}


@pytest.fixture
def study(painted: DataFolder, tmp_path: Path) -> Study:
    return Study((painted.root,), StudyRecipe(folds=("1/3",), training=TRAINING), tmp_path / "work")
