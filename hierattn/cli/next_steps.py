"""The training that a command tells the user to paste: with what it would ask for or refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hierattn.cli.console import beside, command
from hierattn.errors import CheckpointError, ConfigError, HierAttnError
from hierattn.metrics.target_classes import NO_TARGET, resolve_targets

if TYPE_CHECKING:
    from hierattn.data.records import DataFolder
    from hierattn.training.recipe.config import TrainingConfig


@dataclass(frozen=True)
class Foreseen:
    """How ``hierattn train`` would take what it is told to be given.

    Attributes:
        options: without which it would refuse.
        remarks: why; without options, why it would refuse in any case.
        possible: whether it would train, with the options.
    """

    options: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    possible: bool = True


def foresee_targets(classes: Sequence[str]) -> Foreseen:
    """Whether the names of the classes say which of them is watched."""
    try:
        resolve_targets(None, classes)
    except ConfigError as error:
        return Foreseen(("--target-class", NO_TARGET), (str(error),))
    return Foreseen()


def foresee_init(data: Sequence[Path], init: Path, behind: TrainingConfig | None) -> Foreseen:
    """Look at readable photos, and at the weights to start from, as a training would.

    Args:
        data: data folders.
        init: a pretraining.
        behind: recipe of the run that was its teacher, which never learnt from its own test part.
    """
    from hierattn.data.joined.read import read_labelled
    from hierattn.training.recipe.config import build_config

    try:
        folder = read_labelled(data)
        leak = _leak(folder, init, build_config())
    except HierAttnError as error:
        return Foreseen((), (f"'hierattn train' would refuse these photos: {error}",), False)
    targets = foresee_targets(folder.classes)
    if leak is None:
        return targets
    if behind is not None and _keeps_apart(folder, init, behind):
        return Foreseen((*targets.options, *_options_of_split(behind)), targets.remarks)
    return Foreseen((*targets.options, "--allow-seen"), (*targets.remarks, leak))


def _leak(folder: DataFolder, init: Path, config: TrainingConfig) -> str | None:
    """Why a run of this split would be refused, or None."""
    from hierattn.training.data import SplitFolder, new_splits
    from hierattn.training.leaks import check_init

    split = SplitFolder(folder, new_splits(folder, folder, config))
    try:
        check_init(init, split, allow_seen=False)
    except ConfigError as error:
        return str(error)
    return None


def _keeps_apart(folder: DataFolder, init: Path, behind: TrainingConfig) -> bool:
    try:
        return _leak(folder, init, behind) is None
    except HierAttnError:  # such as a fold of photos that have a split of their own
        return False


def _options_of_split(config: TrainingConfig) -> tuple[str, ...]:
    from hierattn.training.recipe.config import build_config

    names = ("seed", "fold", "validation_fraction", "test_fraction")
    usual = build_config()
    return tuple(
        word
        for name in names
        if getattr(config, name) != getattr(usual, name)
        for word in (f"--{name.replace('_', '-')}", str(getattr(config, name)))
    )


def print_training(console: Console, foreseen: Foreseen, out: Path, *words: object) -> None:
    """Say how to train, as a command to paste, and what is to be known before.

    Args:
        console: of the results.
        foreseen: of the photos and weights.
        out: what the run folder is to lie beside.
        words: options of ``hierattn train``.
    """
    for remark in foreseen.remarks:
        console.print(remark)
    if foreseen.possible:
        told = command("train", *words, *foreseen.options, "--out")
        console.print(f"Next: {told} {beside(out, 'run')}", soft_wrap=True)


def photos_of_run(run: Path) -> tuple[list[object], list[str]]:
    """The photos that a run learnt from, as options; and options that it had and no file tells."""
    from hierattn.runs import CHECKPOINT
    from hierattn.training.run.checkpoint import load_state, roots_of

    try:
        state = load_state(run / CHECKPOINT)
    except CheckpointError:
        return [], ["--data", "--init", "--teacher"]
    roots = [root for root in roots_of(state) if root.is_dir()]
    words = [word for root in roots for word in ("--data", root)]
    had = {"--data": not roots, "--init": state.initialisation, "--teacher": state.teachers}
    lacking = [option for option, given in had.items() if given]
    return [*words, *["--skip-unreadable"] * state.skip_unreadable], lacking
