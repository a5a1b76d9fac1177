"""``hierattn pretrain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.cli.next_steps import (
    foresee_init,
    pretraining_again,
    print_training,
    told_stop,
)


def pretrain(
    context: typer.Context,
    data: Annotated[
        list[Path], typer.Option(help="Data folder; again for more. No label is looked at.")
    ],
    teacher: Annotated[
        str, typer.Option(help="Run folder, shipped checkpoint, or weight file of a known network.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write, for 'hierattn train --init'.")],
    model: Annotated[
        str | None, typer.Option(help="See 'hierattn models'; by default hierattn_xs.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="JSON file of training fields.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the photos; by default 60.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the input, pixels; by default 128.")
    ] = None,
    start_image_size: Annotated[
        int | None, typer.Option(help="Smaller side to begin with (progressive resizing).")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Photos a step, all processes; by default 32.")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Highest learning rate; by default 0.001.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the training; by default 0.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, same arguments.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Learn a teacher's features from photos without labels, as a start for 'hierattn train'."""
    set_up_logging(verbose)
    flags: dict[str, Any] = {
        "model": model,
        "epochs": epochs,
        "image_size": image_size,
        "start_image_size": start_image_size,
        "batch_size": batch_size,
        "lr": lr,
        "seed": seed,
    }
    from hierattn.cli.progress import RichObserver
    from hierattn.runs import load_run
    from hierattn.training.pretrain import PretrainingRequest
    from hierattn.training.pretrain import pretrain as run_pretraining
    from hierattn.training.recipe.config import build_config

    request = PretrainingRequest(
        build_config("features", config, **flags), tuple(data), teacher, out, resume, device
    )
    with told_stop(out, pretraining_again(context, out)), RichObserver() as observer:
        outcome = run_pretraining(request, observer)
    if not outcome.is_main:
        return
    if json_output:
        print_json(
            {
                "run": str(out),
                "epochs": outcome.epochs,
                "loss": outcome.loss,
                "validation_loss": outcome.validation_loss,
            }
        )
        return
    judged = outcome.validation_loss
    photos = [word for folder in data for word in ("--data", folder)]
    held_out = "" if judged is None else f", {judged:.3f} on images kept aside"
    console = standard_console()
    console.print(f"Pretrained: {out}", soft_wrap=True)
    told = f"loss {outcome.loss:.3f}{held_out}"
    console.print(f"{told}; 1 is that of features which say nothing of the teacher's")
    behind = None if Path(teacher).is_file() else load_run(teacher).config.training
    foreseen = foresee_init(data, out, behind)
    network, size = request.config.model, request.config.image_size
    sized = () if size == build_config().image_size else ("--image-size", size)
    asked = ("--init", out, *photos, "--model", network, *sized)
    print_training(console, foreseen, out, *asked)
