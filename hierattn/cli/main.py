"""The ``hierattn`` command. Heavy imports wait until a command needs them."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from hierattn.cli.commands import (
    benchmark,
    bundle,
    evaluate,
    export,
    models,
    predict,
    pretrain,
    report,
    runs,
    train,
    verify,
)
from hierattn.cli.commands.data import app as data_app
from hierattn.cli.commands.demo import demo
from hierattn.cli.registry_help import RegistryCommand
from hierattn.errors import HierAttnError, one_line

# What Typer ends with when the user interrupts.
_INTERRUPTED = 130

app = typer.Typer(
    name="hierattn",
    help="Train HierAttn on skin-lesion photos and carry it to a phone. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"hierattn {version('hierattn-mobile')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Neither use nor keep decoded photos on disk.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    if no_cache:
        # Read by every process that a command starts.
        os.environ["HIERATTN_PHOTO_CACHE_GB"] = "0"


app.add_typer(data_app, name="data")
for _command in (
    models.models,
    train.train,
    pretrain.pretrain,
    runs.runs,
    evaluate.evaluate,
    evaluate.pool,
    export.export,
    predict.predict,
    verify.verify,
    benchmark.benchmark,
    report.report,
    bundle.bundle,
    demo,
):
    app.command(cls=RegistryCommand)(_command)


def main() -> None:
    """Run the command line: exit 0 if all that was asked was done, 2 for wrong usage, else 1."""
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP"):  # a closed terminal; Windows has none
        signal.signal(signal.SIGHUP, _interrupt)
    try:
        app()
    except SystemExit as stop:
        if stop.code != _INTERRUPTED:
            raise
        _fail("interrupted; nothing half-written is left")
    except HierAttnError as error:
        _fail(f"error: {error}")
    except MemoryError as error:
        _fail(
            f"error: {str(error) or 'out of memory'}; close other programs, or give smaller files"
        )
    except BrokenPipeError:
        # The reader of a pipe has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        _fail(f"error: {named}{error.strerror or error}")


def _fail(message: str) -> None:
    """Print one line, whatever the names in it hold, and exit 1."""
    print(one_line(message), file=sys.stderr)
    sys.exit(1)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Treat SIGTERM and a closed terminal like Ctrl-C."""
    raise KeyboardInterrupt
