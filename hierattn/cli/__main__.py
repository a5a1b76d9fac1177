"""``python -m hierattn.cli``, as torchrun starts it."""

from hierattn.cli.main import main

main()
