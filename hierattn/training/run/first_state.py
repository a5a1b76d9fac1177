"""The initial state of a run: first weights of its network, and its recorded facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from hierattn.data.records import DataFolder
from hierattn.data.splits import Split
from hierattn.errors import ConfigError
from hierattn.evaluation.pooling import PooledFolds
from hierattn.lineage import describe_initialisation
from hierattn.metrics.target_classes import NO_TARGET, resolve_targets
from hierattn.models.initialisation import start
from hierattn.models.pretrained.initialise import classifier_prefix, initialise
from hierattn.models.pretrained.wrappers import describe_prefixes
from hierattn.models.registry import create_model
from hierattn.preprocessing import PreprocessSpec
from hierattn.training.data import PreparedData
from hierattn.training.distributed import ProcessGroup
from hierattn.training.leaks import EarlierTraining
from hierattn.training.progress import TrainingObserver
from hierattn.training.recipe.config import TrainingConfig
from hierattn.training.run.checkpoint import TrainingState
from hierattn.training.run.request import TrainingRequest

_SAMPLE = 256
"""Training photos that the first convolution is whitened by."""

_OWN_POINT = (
    "the operating point is fitted on this run's own validation part; with --calibrate-from, set "
    "--validation-fraction 0"
)


def new_network(config: TrainingConfig, data: PreparedData, classes: int) -> nn.Module:
    """A network with its first weights: a function of the seed and of the training part alone.

    Raises:
        ConfigError: the network cannot start as ``config.initialisation`` says.
    """
    torch.manual_seed(config.seed)
    network = create_model(config.model, classes)
    if config.initialisation != "default":
        sample = data.training_sample(_SAMPLE, config.seed)
        images = PreprocessSpec(image_size=config.image_size).to_input(sample)
        start(network, config.initialisation, torch.from_numpy(images))
    return network


def first_state(
    request: TrainingRequest,
    group: ProcessGroup,
    config: TrainingConfig,
    data: PreparedData,
    model: nn.Module,
    observer: TrainingObserver,
    earlier: EarlierTraining | None,
    teachers: Sequence[dict[str, Any]],
) -> TrainingState:
    """The state before the first epoch; puts the weights of ``request.init`` into ``model``.

    Args:
        earlier: what these weights had learnt from, as far as it is known.
        teachers: the records of those that teach.

    Raises:
        ConfigError: a calibration is given, but the run has a validation part of its own.
        CheckpointError: the weights do not fit.
    """
    calibration = request.calibration
    if calibration is not None and len(data.indices(Split.VALIDATION)):
        raise ConfigError(_OWN_POINT)
    initialisation, frozen = None, []
    if request.init is not None:
        report = initialise(model, config.model, request.init)
        initialisation = describe_initialisation(report, request.init)
        if earlier is not None:
            initialisation["seen"] = earlier.leaked
            if earlier.without_labels is not None:
                initialisation["seen_without_labels"] = earlier.without_labels
                shown = " and ".join(
                    f"{count} of {whole} {part} photos"
                    for part, count in earlier.without_labels.items()
                    if (whole := len(data.indices(Split(part))))
                )
                if shown:
                    told = f"{request.init} saw {shown} of this run, without their labels"
                    observer.status(told)
        if config.freeze_epochs:
            # Of the same classes everything is taken; something must learn all the same.
            last = classifier_prefix(model)
            taken = report.transferred_parameters
            frozen = sorted(name for name in taken if not name.startswith(last))
        observer.status(
            f"from {request.init} ({report.source_kind}): {len(report.taken)} tensors taken, "
            f"{len(report.untouched)} begin anew{describe_prefixes(report.unwrapped)}"
        )
    return TrainingState.before_training(
        config,
        data.provenance,
        data.folder.roots,
        group,
        initialisation=initialisation,
        frozen=frozen,
        skip_unreadable=request.skip_unreadable,
        calibration=calibration.model_dump(mode="json") if calibration is not None else None,
        teachers=teachers,
    )


def check_calibration(
    calibration: PooledFolds, config: TrainingConfig, everything: DataFolder
) -> None:
    """Check that an operating point fits a run, before its photos are decoded.

    Raises:
        ConfigError: it is of other classes, or watches others; or the run fits its own.
    """
    given = {record.split for record in everything.records}
    if Split.VALIDATION in given or (given == {None} and config.validation_fraction):
        raise ConfigError(_OWN_POINT)
    classes = list(everything.classes)
    if calibration.report.classes != classes:
        raise ConfigError(
            f"--calibrate-from was made for classes {', '.join(calibration.report.classes)}, "
            f"the data has {', '.join(classes)}"
        )
    pooled = calibration.operating_point.target_classes
    if pooled != resolve_targets(config.target_classes, classes):
        raise ConfigError(
            f"--calibrate-from watches {' + '.join(pooled) or 'no class'}; give the same with "
            f"--target-class {' --target-class '.join(pooled) or NO_TARGET}"
        )
