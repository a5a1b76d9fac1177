"""Training configuration: validated at construction, and stored with the run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from hierattn.common.files import regular_file
from hierattn.common.json_text import parse_json
from hierattn.errors import ConfigError, UnknownNameError, first_problem


class TrainingConfig(BaseModel):
    """A training recipe. The defaults suit small data, from scratch or fine-tuned.

    ``recipe="paper"`` (see :func:`paper_recipe`) restores the published one. Learning rates are
    per AdamW step; epochs count passes of as many images as the training part holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = "hierattn_xs"
    initialisation: Literal["default", "dirac", "whitening", "whitening_dirac"] = Field(
        "default", description="first weights of what --init does not fill; see docs/training.md"
    )
    image_size: int = Field(256, ge=64, le=1024)
    start_image_size: int | None = Field(
        None, ge=64, le=1024, description="progressive resizing: side at the first epoch"
    )
    full_size_from: float = Field(
        0.6, ge=0, le=1, description="share of the epochs after which images have their full size"
    )
    epochs: int = Field(60, ge=1, le=10_000)
    batch_size: int = Field(32, ge=2, le=4096)
    schedule: Literal["cosine", "paper"] = "cosine"
    lr: float = Field(1e-3, gt=0, le=1)
    final_lr: float = Field(1e-5, ge=0, le=1)
    warmup_lr: float = Field(1e-4, ge=0, le=1)
    warmup_epochs: float = Field(3.0, ge=0)
    weight_decay: float = Field(0.05, ge=0, le=10)
    beta2: float = Field(0.99, gt=0, lt=1, description="of AdamW; the paper's is 0.999")
    freeze_epochs: int = Field(0, ge=0, description="epochs in which transferred tensors stay put")

    augmentation: Literal["none", "paper", "light", "strong", "crops"] = "strong"
    mixup: float = Field(0.0, ge=0, le=10, description="Beta parameter; 0 turns it off")
    cutmix: float = Field(0.0, ge=0, le=10, description="Beta parameter; 0 turns it off")
    label_smoothing: float = Field(0.05, ge=0, lt=1)
    sampling_power: float = Field(
        0.5, ge=0, le=1, description="0 natural, 0.5 square root, 1 equal share for every class"
    )
    logit_adjustment: float = Field(
        1.0, ge=0, le=2, description="tau of Menon et al. 2020, against the sampled class shares"
    )
    teacher_weight: float = Field(
        0.7, ge=0, le=1, description="share of the teachers' answers in the loss, with --teacher"
    )
    teacher_temperature: float = Field(
        2.0, ge=0.1, le=100, description="what all logits are divided by, with --teacher"
    )
    feature_maps: int = Field(
        3, ge=1, le=5, description="of a pretraining: maps at 1/32, 1/16, ... that are learnt"
    )
    ema_decay: float = Field(0.998, ge=0, lt=1)
    selection: Literal["balanced_accuracy", "accuracy", "last"] = "balanced_accuracy"
    precision: Literal["auto", "bf16", "fp32"] = "auto"

    class_map: dict[str, str] = Field(
        default_factory=dict, description="new names of classes by the old; empty leaves one out"
    )
    synonyms: bool = Field(
        True, description="joined folders: official labels for one class are one, AKIEC and AK"
    )
    target_classes: tuple[str, ...] | None = Field(
        None, description="the classes that are melanoma; [] for none, null for an official label"
    )
    seed: int = Field(0, ge=0, lt=2**31)
    fold: str | None = Field(None, description="I/K, I from 1 to K")
    validation_fraction: float = Field(0.15, ge=0, le=0.5)
    test_fraction: float = Field(0.15, ge=0, le=0.5)

    @field_validator("fold")
    @classmethod
    def _one_of_several(cls, fold: str | None) -> str | None:
        if fold is not None:
            found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", fold, re.ASCII)
            index, count = map(int, found.groups()) if found else (0, 0)
            if count < 2 or not 1 <= index <= count:
                raise ValueError("give I/K, such as 1/5, with K at least 2 and I from 1 to K")
        return fold

    @model_validator(mode="after")
    def _consistent(self) -> TrainingConfig:
        if self.start_image_size is not None and self.start_image_size > self.image_size:
            raise ValueError("start_image_size must not be larger than image_size")
        if self.warmup_epochs > self.epochs:
            raise ValueError(
                f"warmup_epochs {self.warmup_epochs:g} is longer than epochs {self.epochs}"
            )
        if self.freeze_epochs >= self.epochs:
            raise ValueError(
                f"freeze_epochs {self.freeze_epochs} leaves none of the {self.epochs} epochs free"
            )
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on")
        return self

    @model_serializer(mode="wrap")
    def _target_only_where_it_is_named(
        self, handler: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        if self.target_classes is None:
            # Runs from before the setting are written as they were read.
            fields.pop("target_classes", None)
        return fields

    def fold_numbers(self) -> tuple[int, int]:
        """The fold as (I, K), I counted from 1. Only call it where ``fold`` is set."""
        index, count = (self.fold or "0/0").split("/")
        return int(index), int(count)

    def size_at(self, epoch: int) -> int:
        """Side of the training images in pixels at ``epoch`` (from 0).

        With ``start_image_size`` it grows linearly in steps of 32 pixels over the first epochs,
        and is ``image_size`` from ``full_size_from`` on (progressive resizing, as in
        EfficientNetV2, arXiv 2104.00298).
        """
        if self.start_image_size is None:
            return self.image_size
        progress = min(1.0, epoch / max(1.0, self.full_size_from * self.epochs))
        side = self.start_image_size + progress * (self.image_size - self.start_image_size)
        return self.image_size if progress >= 1 else max(64, int(side) // 32 * 32)


def paper_recipe() -> dict[str, Any]:
    """The fields that the official recipe sets (arXiv 2205.04326, section IV and its code)."""
    return {
        "schedule": "paper",
        "epochs": 500,
        "batch_size": 64,
        "lr": 2e-3,
        "warmup_lr": 2e-4,
        "final_lr": 2e-4,
        "warmup_epochs": 15.0,
        "freeze_epochs": 30,
        "weight_decay": 1e-2,
        "beta2": 0.999,
        "augmentation": "paper",
        "mixup": 0.0,
        "cutmix": 0.0,
        "label_smoothing": 0.0,
        "sampling_power": 0.0,
        "logit_adjustment": 0.0,
        "ema_decay": 0.0,
        "selection": "accuracy",
        "precision": "fp32",
    }


def feature_recipe() -> dict[str, Any]:
    """The fields that learning a teacher's features sets; no labels, so all photos are learnt."""
    return {
        "image_size": 128,
        "feature_maps": 5,
        "augmentation": "crops",
        "label_smoothing": 0.0,
        "sampling_power": 0.0,
        "weight_decay": 0.02,
        "selection": "last",
        "validation_fraction": 0.05,
        "test_fraction": 0.0,
    }


def build_config(recipe: str = "default", file: Path | None = None, **flags: Any) -> TrainingConfig:
    """Merge, weakest first: the recipe, a JSON file, and the flags that are not None.

    Raises:
        ConfigError: an unknown field, or a value out of its range; the message names the field.
        UnknownNameError: an unknown recipe.
    """
    recipes = {"default": {}, "paper": paper_recipe(), "features": feature_recipe()}
    if recipe not in recipes:
        raise UnknownNameError("recipe", recipe, recipes)
    asked = _read_fields(file) if file is not None else {}
    asked |= {name: value for name, value in flags.items() if value is not None}
    fields = recipes[recipe] | asked
    unknown = [name for name in fields if name not in TrainingConfig.model_fields]
    if unknown:
        raise UnknownNameError("training field", unknown[0], TrainingConfig.model_fields)
    epochs = fields.get("epochs", TrainingConfig.model_fields["epochs"].default)
    if isinstance(epochs, int) or (isinstance(epochs, float) and epochs.is_integer()):
        # A short run keeps a recipe's shape: its warm-up and its frozen part shrink with it.
        if "warmup_epochs" not in asked:
            fields["warmup_epochs"] = min(fields.get("warmup_epochs", 3.0), 0.1 * epochs)
        if "freeze_epochs" in fields and "freeze_epochs" not in asked:
            fields["freeze_epochs"] = min(fields["freeze_epochs"], int(epochs // 5))
    return parse_config(fields)


def parse_config(fields: dict[str, Any]) -> TrainingConfig:
    """A configuration from its fields.

    Raises:
        ConfigError: a value out of its range; the message names the field.
    """
    try:
        return TrainingConfig(**fields)
    except ValidationError as error:
        raise ConfigError(first_problem(error, "training field")) from error


def _read_fields(file: Path) -> dict[str, Any]:
    try:
        content = parse_json(regular_file(file).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: must hold one JSON object of training fields")
    nested = content.get("training", content)
    if not isinstance(nested, dict):
        raise ConfigError(f"{file}: field 'training' must be a JSON object")
    return nested
