"""The class of all commands: refuses an empty value (as a path: this very folder) and nan.

Folders of photos that are not there are told before a command loads anything heavy.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption


class CheckedCommand(TyperCommand):
    """A command whose every value says something."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look at the words as they were given, then parse them."""
        given, _, order = self.make_parser(ctx).parse_args(list(args))
        for parameter in self.params:
            assert isinstance(parameter, TyperArgument | TyperOption), "Typer makes no other"
            # The last would count, and a folder or file before it be lost in silence.
            if order.count(parameter) > 1 and _takes_one_path(parameter):
                raise typer.BadParameter("is given more than once; it takes one", ctx, parameter)
            value = given.get(parameter.name)
            for word in value if isinstance(value, list | tuple) else [value]:
                if isinstance(word, str) and not word.strip():
                    raise typer.BadParameter("is empty; give a value", ctx, parameter)
                if word is not None and _is_nan(parameter, word):
                    raise typer.BadParameter(f"'{word}' is not a number", ctx, parameter)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Make sure that the folders of --data are there, which is cheap, then begin.

        Raises:
            DataError: one is not.
        """
        given = ctx.params.get("data") or ()
        if given:
            from hierattn.data.folder import check_folder

            for folder in (given,) if isinstance(given, Path) else given:
                check_folder(folder)
        return super().invoke(ctx)


def _takes_one_path(parameter: TyperArgument | TyperOption) -> bool:
    of_path = parameter.type_descriptor.annotation is Path
    return isinstance(parameter, TyperOption) and not parameter.multiple and of_path


def _is_nan(parameter: TyperArgument | TyperOption, word: object) -> bool:
    """Whether it is none where a number is asked for; no range refuses that."""
    if parameter.type_descriptor.annotation is not float:
        return False
    try:
        return math.isnan(float(str(word)))
    except ValueError:
        return False
