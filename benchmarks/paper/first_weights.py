"""First weights against learning rates: one JSON, and the table made from it.

python -m benchmarks.paper.first_weights --data A --data B --recipe FILE --work DIR --out FILE.json
"""

from __future__ import annotations

import itertools
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict
from scipy.stats import t as student_t

from benchmarks.environment import describe_host
from benchmarks.paper.trainings import read_history
from benchmarks.results import BenchmarkError
from hierattn.cli.console import progress_console
from hierattn.common.files import write_text
from hierattn.errors import HierAttnError
from hierattn.metrics.predictions import read_csv
from hierattn.metrics.report import evaluate_predictions
from hierattn.run_files import CHECKPOINT, CONFIG, HISTORY, PREDICTIONS
from hierattn.runs import load_run
from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.run.request import TrainingRequest
from hierattn.training.trainer import train

WAYS = ("default", "whitening", "dirac", "whitening_dirac")
RATES = (5e-4, 1e-3, 2e-3, 4e-3)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trial(_Part):
    """One training.

    Attributes:
        train_loss: mean of each epoch.
        balanced_accuracy: on ``images`` photos of the test part, which nothing was chosen by.
    """

    data: str
    model: str
    initialisation: str
    lr: float
    seed: int
    train_loss: list[float]
    balanced_accuracy: float
    images: int
    weights_sha256: str


class Trials(_Part):
    """The whole file; ``recipe`` is what all trials share."""

    version: int = 1
    command: str
    machine: str
    recipe: dict[str, object]
    trials: list[Trial]


def main(
    data: Annotated[list[Path], typer.Option(help="Data folder; again for more.")],
    recipe: Annotated[Path, typer.Option(help="JSON of training fields for all trials.")],
    work: Annotated[Path, typer.Option(help="Folder of runs; what is finished is not done again.")],
    out: Annotated[Path, typer.Option(help="JSON to write, after every trial.")],
    model: Annotated[list[str] | None, typer.Option(help="Network; again for more.")] = None,
    way: Annotated[list[str] | None, typer.Option(help="First weights; all four if none.")] = None,
    rate: Annotated[list[float] | None, typer.Option(help="5e-4 to 4e-3 if none.")] = None,
    seeds: Annotated[int, typer.Option(help="Seeds 0 to N - 1.", min=1)] = 3,
) -> None:
    """Train every network on every folder from all first weights, at all rates, with all seeds."""
    given = [f"--data {folder.name}" for folder in data]
    given += [f"--model {name}" for name in model or ()] + [f"--way {name}" for name in way or ()]
    given += [f"--rate {value:g}" for value in rate or ()]
    command = " ".join(
        ("python -m benchmarks.paper.first_weights", *given, f"--recipe {recipe.name}",
         f"--work {work.name} --out {out.name} --seeds {seeds}")
    )  # fmt: skip
    plan = [
        (folder, _config(recipe, name, start, value, seed))
        for seed, folder, name, value, start in itertools.product(
            range(seeds), data, model or ["hierattn_xs"], rate or RATES, way or WAYS
        )
    ]
    host = describe_host()
    shared = plan[0][1].model_dump(
        mode="json", exclude={"model", "initialisation", "lr", "final_lr", "warmup_lr", "seed"}
    )
    console, done = progress_console(), []
    for number, (folder, config) in enumerate(plan, start=1):
        console.print(
            f"{number} of {len(plan)}: {config.model} on {folder.name}, {config.initialisation}, "
            f"lr {config.lr:g}, seed {config.seed}"
        )
        done.append(run_trial(folder, config, work))
        trials = Trials(
            command=command,
            machine=f"{host.cpu}, {host.cores} cores",
            recipe=shared,
            trials=done,
        )
        write_text(out, trials.model_dump_json(indent=2) + "\n")
    print(to_markdown(done))


def _config(recipe: Path, model: str, way: str, lr: float, seed: int) -> TrainingConfig:
    """The recipe with warm-up and last rate in proportion to the highest one."""
    scaled = {"lr": lr, "warmup_lr": lr / 10, "final_lr": lr / 100}
    return build_config("default", recipe, model=model, initialisation=way, seed=seed, **scaled)


def run_trial(data: Path, config: TrainingConfig, work: Path) -> Trial:
    """Train, or go on, or read what is finished.

    Raises:
        BenchmarkError: the folder holds a run of another recipe or of other photos.
        HierAttnError: the training fails.
    """
    name = f"{config.initialisation}-{config.lr:g}-{config.seed}"
    out = work / data.name / config.model / name
    if not (out / CONFIG).exists():
        resume = (out / CHECKPOINT).exists()
        train(TrainingRequest(config, data, out, resume=resume))
    found = load_run(out).config
    if found.training != config or found.data.name != data.resolve().name:
        raise BenchmarkError(f"{out}: a run of another recipe or folder; give another --work")
    test = read_csv(out / PREDICTIONS).of_split("test")
    if not len(test):
        raise BenchmarkError(f"{out}: no test photos; give a recipe with a fold or test_fraction")
    return Trial(
        data=data.name,
        model=config.model,
        initialisation=config.initialisation,
        lr=config.lr,
        seed=config.seed,
        train_loss=[round(loss, 4) for loss in read_history(out / HISTORY, "train_loss")],
        balanced_accuracy=evaluate_predictions(test, replicates=1).balanced_accuracy,
        images=len(test),
        weights_sha256=found.weights_sha256,
    )


def to_markdown(trials: Sequence[Trial]) -> str:
    """A table a network and data set: mean balanced accuracy [lowest, highest] over the seeds."""
    tables = []
    for model, data in dict.fromkeys((trial.model, trial.data) for trial in trials):
        mine = [trial for trial in trials if (trial.model, trial.data) == (model, data)]
        rates = sorted({trial.lr for trial in mine})
        seeds = len({trial.seed for trial in mine})
        rows = [
            f"**{model}, {data}**: balanced accuracy on unseen photos, {seeds} seeds, then the "
            "last epoch's training loss",
            "",
            "| first weights | " + " | ".join(f"lr {rate:g}" for rate in rates) + " |",
            "|---" * (len(rates) + 1) + "|",
        ]
        for way in dict.fromkeys(trial.initialisation for trial in mine):
            cells = [
                _cell([t for t in mine if (t.initialisation, t.lr) == (way, rate)])
                for rate in rates
            ]
            rows.append(f"| {way} | " + " | ".join(cells) + " |")
        tables.append("\n".join([*rows, "", *_against_default(mine)]))
    return "\n\n".join(tables)


def _against_default(trials: Sequence[Trial]) -> list[str]:
    """Each way less the default at the same rate and seed: mean and 95 % by Student's t."""
    scores = {(t.initialisation, t.lr, t.seed): t.balanced_accuracy for t in trials}
    lines = []
    for way in dict.fromkeys(trial.initialisation for trial in trials):
        changes = [
            score - scores["default", lr, seed]
            for (name, lr, seed), score in scores.items()
            if name == way != "default" and ("default", lr, seed) in scores
        ]
        if len(changes) > 1:
            mean = statistics.fmean(changes)
            half = student_t.ppf(0.975, len(changes) - 1) * statistics.stdev(changes)
            half /= math.sqrt(len(changes))
            lines.append(
                f"{way} less default, {len(changes)} pairs: {mean:+.3f} "
                f"[{mean - half:+.3f}, {mean + half:+.3f}]"
            )
    return lines


def _cell(trials: Sequence[Trial]) -> str:
    if not trials:
        return ""
    scores = [trial.balanced_accuracy for trial in trials]
    loss = statistics.fmean(trial.train_loss[-1] for trial in trials)
    mean = statistics.fmean(scores)
    return f"{mean:.3f} [{min(scores):.3f}, {max(scores):.3f}], {loss:.2f}"


if __name__ == "__main__":
    try:
        typer.run(main)
    except HierAttnError as error:
        sys.exit(f"error: {error}")
