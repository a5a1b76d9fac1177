import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.paper import first_weights
from benchmarks.paper.first_weights import Trial, Trials, main, run_trial, to_markdown
from benchmarks.results import BenchmarkError
from hierattn.data.records import DataFolder
from hierattn.runs import load_run


def trial(way: str, lr: float, seed: int, score: float) -> Trial:
    return Trial(
        data="ham", model="hierattn_xs", initialisation=way, lr=lr, seed=seed,
        train_loss=[2.0, 1.0 + seed], balanced_accuracy=score, images=9, weights_sha256="0",
    )  # fmt: skip


def test_the_table_has_mean_and_range_of_the_seeds() -> None:
    trials = [trial("default", 1e-3, 0, 0.4), trial("default", 1e-3, 1, 0.5)]
    text = to_markdown([*trials, trial("dirac", 2e-3, 0, 0.3)])
    assert "| first weights | lr 0.001 | lr 0.002 |" in text
    assert "| default | 0.450 [0.400, 0.500], 1.50 |  |" in text
    assert "| dirac |  | 0.300 [0.300, 0.300], 1.00 |" in text


def test_a_finished_trial_is_read_and_another_recipe_refused(
    finished: Path, painted: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_weights, "train", lambda request: pytest.fail("trained"))
    config = load_run(finished).config.training
    shutil.copytree(finished, tmp_path / painted.root.name / "hierattn_xs" / "default-0.001-0")
    found = run_trial(painted.root, config, tmp_path)
    assert len(found.train_loss) == 3 and 0 <= found.balanced_accuracy <= 1 and found.images > 0
    other = config.model_copy(update={"epochs": 2})
    with pytest.raises(BenchmarkError, match="another recipe or folder"):
        run_trial(painted.root, other, tmp_path)


def test_every_combination_is_asked_for_and_kept(
    painted: DataFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def answer(data: Path, config: Any, work: Path) -> Trial:
        asked.append((config.initialisation, config.lr, config.seed, config.final_lr))
        return trial(config.initialisation, config.lr, config.seed, 0.5)

    monkeypatch.setattr(first_weights, "run_trial", answer)
    recipe, out = tmp_path / "recipe.json", tmp_path / "trials.json"
    recipe.write_text('{"epochs": 2, "image_size": 64}')
    main(
        [painted.root], recipe, tmp_path / "work", out, way=["dirac"], rate=[0.001, 0.002], seeds=2
    )
    assert [a[:3] for a in asked] == [
        ("dirac", 0.001, 0), ("dirac", 0.002, 0), ("dirac", 0.001, 1), ("dirac", 0.002, 1),
    ]  # fmt: skip
    assert asked[1][3] == pytest.approx(2e-5)
    kept = Trials.model_validate_json(out.read_bytes())
    assert len(kept.trials) == 4 and kept.recipe["image_size"] == 64 and "lr" not in kept.recipe
    assert "--way dirac --rate 0.001" in kept.command


def test_each_way_stands_against_the_default_at_the_same_rate_and_seed() -> None:
    scores = {"default": (0.3, 0.5), "dirac": (0.4, 0.7), "whitening": (0.2,)}
    trials = [
        trial(way, 0.001, seed, score)
        for way, given in scores.items()
        for seed, score in enumerate(given)
    ]
    # Changes of 0.1 and 0.2: their mean, and 12.706 (Student, one degree of freedom) times 0.05.
    assert "dirac less default, 2 pairs: +0.150 [-0.485, +0.785]" in to_markdown(trials)
    assert "whitening less" not in to_markdown(trials)
