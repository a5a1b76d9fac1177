"""A study: one data set, one recipe, eight systems, and where their files lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hierattn.common.files import regular_file
from hierattn.common.json_text import parse_model
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.read import read_labelled, read_unlabelled
from hierattn.data.provenance import describe_data
from hierattn.errors import ConfigError, first_problem
from hierattn.training.recipe.config import TrainingConfig, build_config


class StudyRecipe(BaseModel):
    """What all systems share.

    Attributes:
        folds: the folds that are judged, as ``1/3``, together; each photo once.
        training: training fields of the folds.
        rates: learning rates that each system chooses from; none for that of ``training``.
        choosing: training fields of the trials that choose, over those of ``training``. A trial is
            judged on its validation part, so that this needs a ``validation_fraction``.
        features: training fields of a pretraining before the labels; None for random weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: tuple[str, ...] = Field(min_length=1)
    training: dict[str, Any]
    rates: tuple[float, ...] = ()
    choosing: dict[str, Any] = Field(default_factory=dict)
    features: dict[str, Any] | None = None

    @field_validator("rates")
    @classmethod
    def _told_apart(cls, rates: tuple[float, ...]) -> tuple[float, ...]:
        if len({f"{rate:g}" for rate in rates}) < len(rates):
            raise ValueError("name rates that differ in their first six digits")
        return rates

    @field_validator("training", "choosing", "features")
    @classmethod
    def _of_no_system(cls, fields: dict[str, Any] | None) -> dict[str, Any] | None:
        if own := sorted({"model", "fold"} & set(fields or {})):
            raise ValueError(f"leave out '{own[0]}', which the study sets itself")
        return fields

    @model_validator(mode="after")
    def _can_choose(self) -> StudyRecipe:
        if "lr" in self.choosing or (self.rates and "lr" in self.training):
            raise ValueError("leave out 'lr': a trial's rate is one of 'rates'")
        return self

    def fold_config(self, model: str, fold: str, lr: float | None) -> TrainingConfig:
        """Of one fold's training; ``lr`` is the rate that was chosen, None for the recipe's own."""
        chosen = {} if lr is None else {"lr": lr}
        return build_config(**{**self.training, **chosen, "model": model, "fold": fold})

    def trial_config(self, model: str, lr: float) -> TrainingConfig:
        """Of a trial of one rate, on the first fold."""
        own = {"model": model, "fold": self.folds[0], "lr": lr}
        return build_config(**{**self.training, **self.choosing, **own})

    def feature_config(self, model: str) -> TrainingConfig:
        """Of the pretraining."""
        return build_config("features", **{**(self.features or {}), "model": model})


def read_recipe(path: Path) -> StudyRecipe:
    """Read a recipe, and check every training field in it.

    Raises:
        ConfigError: not a recipe; the message names the field.
    """
    try:
        recipe = parse_model(StudyRecipe, regular_file(path).read_bytes())
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not a readable recipe ({error})") from error
    model = "hierattn_xs"
    folds = [recipe.fold_config(model, fold, None).fold_numbers() for fold in recipe.folds]
    if len(set(folds)) < len(folds) or len({count for _, count in folds}) > 1:
        raise ConfigError(
            f"{path}: field 'folds': name different folds of one partition, such as 1/3 and 2/3"
        )
    for rate in recipe.rates:
        if not recipe.trial_config(model, rate).validation_fraction:
            raise ConfigError(f"{path}: field 'choosing' needs a validation_fraction above 0")
    recipe.feature_config(model)
    return recipe


@dataclass(frozen=True)
class Study:
    """One data set, one recipe, eight systems.

    Attributes:
        data: the photos, of one folder or of several as one.
        recipe: the same for all systems.
        work: where runs and exports live; a killed study goes on from there.
        teacher: of the features; None where the recipe has none.
        feature_data: the photos of the features, whose labels are not looked at.
        earlier: the work folder of another study; each system goes on from its fold 1 there.
    """

    data: tuple[Path, ...]
    recipe: StudyRecipe
    work: Path
    teacher: str | None = None
    feature_data: tuple[Path, ...] = ()
    earlier: Path | None = None

    def __post_init__(self) -> None:
        """Refuse a study whose features lack a teacher or photos, or are not in its recipe."""
        told = self.teacher is not None, bool(self.feature_data)
        if self.recipe.features is not None and self.earlier is not None:
            raise ConfigError("this recipe learns features first; leave out --init-from")
        if self.recipe.features is not None and not all(told):
            raise ConfigError("this recipe learns features first; give --teacher, --feature-data")
        if self.recipe.features is None and any(told):
            raise ConfigError(
                "this recipe learns no features; leave out --teacher and --feature-data"
            )

    @property
    def name(self) -> str:
        """Of the photos, as a run's record has it."""
        return "+".join(folder.name for folder in self.data)

    @cached_property
    def data_sha256(self) -> str:
        """Fingerprint of the photos, as a run's record has it."""
        config = self.recipe.fold_config("hierattn_xs", self.recipe.folds[0], None)
        table = ClassTable(config.class_map, config.synonyms)
        return describe_data(read_labelled(self.data, table), ()).sha256

    @cached_property
    def feature_data_sha256(self) -> str:
        """Fingerprint of the features' photos, as a pretraining's record has it."""
        return describe_data(read_unlabelled(self.feature_data), ()).sha256

    @property
    def initialisation(self) -> str:
        """What all systems start from, for the record."""
        if self.earlier is not None:
            return f"fold 1 of {self.earlier.name} for all"
        return "random weights for all" if self.recipe.features is None else "features for all"

    def start(self, model: str) -> Path | None:
        """The run folder whose weights a system starts from; None for random ones."""
        if self.earlier is not None:
            return self.earlier / model / "fold_1"
        return None if self.recipe.features is None else self.features(model)

    def features(self, model: str) -> Path:
        """The run folder of a system's pretraining."""
        return self.work / model / "features"

    def trial(self, model: str, lr: float) -> Path:
        """The run folder of a trial of one learning rate."""
        return self.work / model / f"rate_{lr:g}"

    def folds(self, model: str) -> tuple[Path, ...]:
        """The run folders of a system's folds."""
        return tuple(self.work / model / f"fold_{fold.split('/')[0]}" for fold in self.recipe.folds)

    def exported(self, model: str) -> Path:
        """The export folder of a system: of its first fold."""
        return self.work / model / "export"

    @property
    def report(self) -> Path:
        """The benchmark's report folder."""
        return self.work / "report"
