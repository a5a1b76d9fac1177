"""Help texts that name the formats and runtimes there are."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperOption


class RegistryCommand(TyperCommand):
    """A command whose options may say ``{formats}``, ``{defaults}``, ``{bundled}``, ``{runtimes}``.

    They are filled from the registries when help is asked for: to load those at every start would
    slow all commands down.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Fill the names in, then write the help."""
        from benchmarks.runtimes.registry import all_runtimes
        from export.formats.registry import FORMATS, all_abilities, default_formats

        names = {
            "formats": ", ".join(FORMATS),
            "defaults": ",".join(default_formats()),
            "bundled": " or ".join(one.suffix for one in all_abilities() if not one.not_bundled),
            "runtimes": ", ".join(all_runtimes()),
        }
        for parameter in self.params:
            if isinstance(parameter, TyperOption) and parameter.help:
                for name, text in names.items():
                    parameter.help = parameter.help.replace(f"{{{name}}}", text)
        super().format_help(ctx, formatter)
