"""Help texts that name the formats, runtimes and kinds of devices there are."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperOption


class RegistryCommand(TyperCommand):
    """A command whose options may say ``{formats}``, ``{defaults}``, ``{bundled}``, ``{runtimes}``,
    ``{devices}``.

    They are filled from the registries when help is asked for: to load those at every start would
    slow all commands down.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Fill the names in, then write the help."""
        from benchmarks.runtimes.registry import all_runtimes
        from export.formats.registry import FORMATS, all_abilities, default_formats
        from export.targets.fleet import device_names

        names = {
            "formats": ", ".join(FORMATS),
            "defaults": ",".join(default_formats()),
            "bundled": " or ".join(one.suffix for one in all_abilities() if one.is_bundled),
            "runtimes": ", ".join(all_runtimes()),
            "devices": " or ".join(device_names()),
        }
        written = {
            option: option.help
            for option in self.params
            if isinstance(option, TyperOption) and option.help
        }
        for option, text in written.items():
            for name, known in names.items():
                text = text.replace(f"{{{name}}}", known)
            option.help = text
        super().format_help(ctx, formatter)
        for option, text in written.items():
            option.help = text
