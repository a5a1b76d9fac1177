"""Help texts that name what the registries hold: formats, runtimes, kinds of devices, layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.core import TyperOption

from hierattn.cli.checked import CheckedCommand


def _formats() -> str:
    from export.formats.registry import FORMATS

    return ", ".join(FORMATS)


def _default_formats() -> str:
    from export.formats.registry import default_formats

    return ",".join(default_formats())


def _bundled() -> str:
    from export.formats.registry import all_abilities

    return " or ".join(one.suffix for one in all_abilities() if one.is_bundled)


def _runtimes() -> str:
    from benchmarks.runtimes.registry import all_runtimes

    return ", ".join(all_runtimes())


def _devices() -> str:
    from export.targets.fleet import device_names

    return " or ".join(device_names())


def _layouts() -> str:
    from hierattn.data.layouts.registry import LAYOUTS

    return ", ".join(layout.name for layout in LAYOUTS)


NAMES: dict[str, Callable[[], str]] = {
    "{formats}": _formats,
    "{defaults}": _default_formats,
    "{bundled}": _bundled,
    "{runtimes}": _runtimes,
    "{devices}": _devices,
    "{layouts}": _layouts,
}
"""What the help of an option may say, and what stands there instead."""


class RegistryCommand(CheckedCommand):
    """A command whose options may say what :data:`NAMES` lists.

    The names are filled in when help is asked for: to load the registries at every start would
    slow all commands down.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Fill the names in, then write the help."""
        written = {
            option: option.help
            for option in self.params
            if isinstance(option, TyperOption) and option.help
        }
        for option, text in written.items():
            for name, known in NAMES.items():
                if name in text:
                    text = text.replace(name, known())
            option.help = text
        super().format_help(ctx, formatter)
        for option, text in written.items():
            option.help = text
