"""The ``hierattn`` command. Heavy imports wait until a command needs them."""

from __future__ import annotations

import os
import sys

import click
import typer

from hierattn.cli import evaluate, models, train
from hierattn.cli.data import app as data_app
from hierattn.cli.demo import demo
from hierattn.errors import HierAttnError

app = typer.Typer(
    name="hierattn",
    help="Train HierAttn on skin-lesion photos and carry it to a phone. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(models.models)
app.add_typer(data_app, name="data")
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(evaluate.pool)
app.command()(demo)


def main() -> None:
    """Run the command line: exit 0 if all that was asked was done, 2 for wrong usage, else 1."""
    try:
        code = app(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except HierAttnError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, click.Abort):
        print("interrupted; nothing half-written is left", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    # Typer answers Ctrl-C with 130; here it is 1, as for anything that was not done.
    sys.exit(1 if code == 130 else code or 0)
