from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.paper.study import Study, StudyRecipe, read_recipe
from hierattn.errors import ConfigError, HierAttnError

RECIPES = Path(__file__).parents[3] / "benchmarks/paper/recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.json")), ids=lambda path: path.stem)
def test_every_recipe_can_be_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.fold_config("mnasnet1_0", recipe.folds[0], None).image_size == 96


def test_the_recipe_s_own_rate_holds_where_none_is_chosen() -> None:
    recipe = StudyRecipe(folds=("1/3",), training={"lr": 0.007})
    assert recipe.fold_config("mnasnet1_0", "1/3", None).lr == 0.007
    assert recipe.fold_config("mnasnet1_0", "1/3", 0.002).lr == 0.002


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "recipe.json"),
        ('{"training": {}}', "folds"),
        ('{"folds": [], "training": {}}', "folds"),
        ('{"folds": ["1/3"], "training": {"epoch": 3}}', "'epochs'"),
        ('{"folds": ["4/3"], "training": {}}', "fold"),
        ('{"folds": ["1/3"], "training": {}, "rates": [-1]}', "lr"),
        ('{"folds": ["1/3"], "training": {}, "features": {"epochs": 0}}', "epochs"),
        ('{"folds": ["1/3", "1/3"], "training": {}}', "'folds'"),
        ('{"folds": ["1/3", "01/3"], "training": {}}', "'folds'"),
        ('{"folds": ["1/3", "2/4"], "training": {}}', "'folds'"),
        ('{"folds": ["1/3"], "training": {}, "choosing": {"lr": 0.1}}', "'rates'"),
        ('{"folds": ["1/3"], "training": {}, "rates": [0.001, 0.0010000001]}', "'rates'"),
        ('{"folds": ["1/3"], "training": {"model": "hierattn_s"}}', "'training'.*'model'"),
        ('{"folds": ["1/3"], "training": {"fold": "1/3"}}', "'training'.*'fold'"),
        ('{"folds": ["1/3"], "training": {"lr": 0.1}, "rates": [0.1]}', "'lr'"),
        (
            '{"folds": ["1/3"], "training": {"validation_fraction": 0}, "rates": [0.1]}',
            "'choosing'",
        ),
    ],
)
def test_a_bad_recipe_is_refused_by_its_field(text: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(HierAttnError, match=named):
        read_recipe(path)


def test_features_need_a_teacher_and_photos(study: Study) -> None:
    with pytest.raises(ConfigError, match="learns no features"):
        replace(study, teacher="t.pth")
    recipe = study.recipe.model_copy(update={"features": {}})
    with pytest.raises(ConfigError, match="--feature-data"):
        replace(study, recipe=recipe, teacher="t.pth")
