"""The training that a command tells the user to paste: with what it would ask for or refuse."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from hierattn.cli.console import beside, command, progress_console, was_given
from hierattn.common.shell import join
from hierattn.errors import CheckpointError, ConfigError, HierAttnError
from hierattn.metrics.target_classes import NO_TARGET, resolve_targets

if TYPE_CHECKING:
    from hierattn.data.records import DataFolder
    from hierattn.runs import RunConfig
    from hierattn.training.recipe.config import TrainingConfig

_NOT_REPEATED = {"fold", "out", "export", "json_output", "resume"}
"""Options that another training of the kind does not take over."""
_NOT_OF_THE_RECIPE = {"data", "device", "verbose"}
"""Options that a resumed training may be given, and others of the kind need as well."""


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


@contextmanager
def told_stop(run: Path, again: str) -> Iterator[None]:
    """Let Ctrl-C in a training end the command by one line, the last: how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        progress_console().print(after_a_stop(run, again), soft_wrap=True)
        raise typer.Exit(1) from None


def after_a_stop(run: Path, again: str) -> str:
    """What a training that was stopped by Ctrl-C says: how to go on, where something was kept."""
    from hierattn.run_files import CHECKPOINT

    if (run / CHECKPOINT).is_file():
        return f"stopped; go on with: {again}"
    return "stopped before anything was kept; begin again with the same command"


def foresee_targets(classes: Sequence[str]) -> Foreseen:
    """Whether the names of the classes say which of them is watched."""
    try:
        resolve_targets(None, classes)
    except ConfigError as error:
        return Foreseen(("--target-class", NO_TARGET), (str(error),))
    return Foreseen()


def foresee_photos(data: Path) -> Foreseen:
    """Look at a folder of readable photos as a training with the usual recipe would."""
    from hierattn.data.joined.read import read_labelled
    from hierattn.training.data import new_splits
    from hierattn.training.recipe.config import build_config

    try:
        folder = read_labelled([data])
        new_splits(folder, folder, build_config())
    except HierAttnError as error:
        return _refused(error)
    return foresee_targets(folder.classes)


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
        return _refused(error)
    targets = foresee_targets(folder.classes)
    if leak is None:
        return targets
    if behind is not None and _keeps_apart(folder, init, behind):
        options = (*targets.options, *_options_of_split(behind))
        why = "split as its teacher's, which learnt labels of these photos"
        if behind.fold is None and behind.test_fraction == 0:
            why += "; none is left to judge by"
        return Foreseen(options, (*targets.remarks, why))
    return Foreseen((*targets.options, "--allow-seen"), (*targets.remarks, leak))


def _refused(error: HierAttnError) -> Foreseen:
    return Foreseen((), (f"'hierattn train' would refuse these photos: {error}",), False)


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
        given = set(map(str, words))
        if not given & {"--epochs", "--config", "--image-size"}:
            from hierattn.training.recipe.config import build_config

            usual = build_config()
            console.print(
                f"      ({usual.epochs} epochs at {usual.image_size} px, hours on a CPU for "
                "thousands of photos;",
                "      for a first look add --epochs 3 --image-size 96)",
                sep="\n",
            )


def training_again(*words: object) -> str:
    """``hierattn train`` as it can be pasted, started by as many processes as this one was.

    The rendezvous of several machines is known to their user alone.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return command("train", *words)
    train = join(["-m", "hierattn.cli", "train", *words])
    if int(os.environ.get("GROUP_WORLD_SIZE", "1")) > 1:
        return f"on every machine, with the torchrun of this run: {train}"
    return f"torchrun --nproc-per-node {os.environ['LOCAL_WORLD_SIZE']} {train}"


def photos_of_run(run: Path) -> tuple[list[object], list[str]]:
    """The photos that a run learnt from, as options; and options that it had and no file tells."""
    from hierattn.run_files import CHECKPOINT
    from hierattn.training.run.checkpoint import load_state, roots_of

    try:
        state = load_state(run / CHECKPOINT)
    except CheckpointError:
        return [], ["--data", "--init", "--teacher"]
    roots = [root for root in roots_of(state) if root.is_dir()]
    words = [word for root in roots for word in ("--data", _from_here(root))]
    had = {"--data": not roots, "--init": state.initialisation, "--teacher": state.teachers}
    lacking = [option for option, given in had.items() if given]
    return [*words, *["--skip-unreadable"] * state.skip_unreadable], lacking


def _from_here(folder: Path) -> Path:
    """A folder as it would be typed here, where it lies below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def steps_after_fold(context: typer.Context, out: Path) -> list[str] | None:
    """The commands that train the folds not there yet, and the one that pools all of them.

    Finished folds are looked for beside the run. What resumed says again what the run folder keeps.

    Args:
        context: of ``hierattn train``, whose options the other folds take over.
        out: the run that it wrote.

    Returns:
        None where the run is no fold.
    """
    from hierattn.run_files import CONFIG
    from hierattn.runs import read_config

    config = read_config(out / CONFIG)
    if config.training.fold is None:
        return None
    own, count = config.training.fold_numbers()
    runs = {**dict(_folds_beside(out, config)), own: out}
    missing = [index for index in range(1, count + 1) if index not in runs]
    runs |= {index: _named_after(out, own, index) for index in missing}
    pooled = command("pool", *(runs[index] for index in sorted(runs)), "--out")
    pooling = f"{pooled} {beside(out, 'pool')}"
    options, lacking = list(_options_of(context)), list[str]()
    if context.params["resume"]:
        photos, lacking = photos_of_run(out)
        if context.params["data"]:  # moved since the run began
            photos, lacking = [], [option for option in lacking if option != "--data"]
        again = _options_of(context, _NOT_OF_THE_RECIPE)
        options = [*photos, "--config", out / CONFIG, *again]
    training = (
        training_again(*options, "--fold", f"{index}/{count}", "--out", runs[index])
        for index in missing
    )
    added = f"with {' and '.join(lacking)} as this run had, or of that fold where it learnt labels:"
    return [*([added] if lacking and missing else []), *training, pooling]


def _folds_beside(out: Path, config: RunConfig) -> Iterator[tuple[int, Path]]:
    """Finished folds of the same cross-validation in the same folder."""
    from hierattn.run_files import CONFIG
    from hierattn.runs import read_config

    for path in sorted(out.parent.glob(f"*/{CONFIG}")):
        try:
            other = read_config(path)
        except CheckpointError:
            continue
        of_any_fold = (one.training.model_copy(update={"fold": None}) for one in (config, other))
        same = len({one.model_dump_json() for one in of_any_fold}) == 1
        if same and other.training.fold and other.data.sha256 == config.data.sha256:
            index, count = other.training.fold_numbers()
            if count == config.training.fold_numbers()[1]:
                yield index, path.parent


def _named_after(out: Path, own: int, index: int) -> Path:
    """The folder of another fold: the last number that is this fold's gives way, or it is added."""
    name = re.sub(rf"(?<!\d){own}(?!\d)(?!.*(?<!\d){own}(?!\d))", str(index), out.name)
    return out.with_name(name if name != out.name else f"{out.name}-fold-{index}")


def pretraining_again(context: typer.Context, out: Path) -> str:
    """``hierattn pretrain`` as it can be pasted to go on with what ``context`` began."""
    return command("pretrain", *_options_of(context), "--resume", "--out", out)


def _options_of(context: typer.Context, names: Set[str] | None = None) -> Iterator[object]:
    """What was given on the command line, save the fold and where things go; of ``names`` alone."""
    for option in context.command.params:
        name = option.name or ""
        if name in _NOT_REPEATED or not was_given(context, name):
            continue
        if names is not None and name not in names:
            continue
        value = context.params[name]
        if value is True:
            yield option.opts[0]
        else:
            for one in value if isinstance(value, list | tuple) else [value]:
                yield from (option.opts[0], one)
