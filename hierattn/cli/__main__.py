"""Entry of the ``hierattn`` command, and of ``python -m hierattn.cli``, as torchrun starts it."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded is told in one line, too."""
    try:
        from hierattn.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing was begun")
    run()


if __name__ == "__main__":
    main()
