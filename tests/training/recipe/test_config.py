import json
from pathlib import Path

import pytest

from hierattn.errors import ConfigError, UnknownNameError
from hierattn.training.recipe.config import TrainingConfig, build_config


def test_flags_win_over_file_and_file_over_recipe(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"epochs": 7, "lr": 0.5}))
    config = build_config("paper", file, lr=0.25, batch_size=None, warmup_epochs=1)
    assert (config.epochs, config.lr, config.batch_size) == (7, 0.25, 64)


def test_the_config_of_a_run_can_be_given_back(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    asked = TrainingConfig(epochs=9, fold="2/5")
    file.write_text(json.dumps({"training": asked.model_dump()}))
    assert build_config(file=file) == asked


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_whole_numbers_may_be_written_with_a_point(tmp_path: Path, recipe: str) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"epochs": 2.0, "batch_size": 8.0}')
    assert build_config(recipe, file) == build_config(recipe, epochs=2, batch_size=8)
    file.write_text('{"epochs": 2.5}')
    with pytest.raises(ConfigError, match="epochs"):
        build_config(recipe, file)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"epochs": 0}, "epochs"),
        ({"lr": -1}, "lr"),
        ({"image_size": 32}, "image_size"),
        ({"fold": "6/5"}, "'fold'"),
        ({"fold": "a/b"}, "fold"),
        ({"batch_size": "many"}, "batch_size"),
        ({"start_image_size": 512}, "start_image_size"),
        ({"validation_fraction": 0.6, "test_fraction": 0.5}, "validation_fraction"),
    ],
)
def test_bad_values_name_their_field_in_one_line(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(**fields)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_fields_and_recipes_get_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        build_config(epoch=3)
    with pytest.raises(UnknownNameError, match="did you mean 'paper'"):
        build_config("papr")


@pytest.mark.parametrize("content", ["{", "[1]", '{"training": 3}', "\xff"])
def test_damaged_config_files_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"config\.json"):
        build_config(file=file)


def test_progressive_size_grows_in_steps_and_reaches_the_full_size() -> None:
    config = TrainingConfig(image_size=256, start_image_size=96, epochs=20, full_size_from=0.5)
    sizes = [config.size_at(epoch) for epoch in range(20)]
    assert sizes[0] == 96
    assert sizes == sorted(sizes)
    assert all(size % 32 == 0 for size in sizes)
    assert set(sizes[10:]) == {256}
