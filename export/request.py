"""What is asked of an export: the run, the formats and precisions, the photos; checked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from export.errors import ExportError
from export.formats.conversion_input import FormatOptions
from export.formats.registry import abilities_of, default_formats
from export.schema.metadata import Precision
from hierattn.errors import UnknownNameError


@dataclass(frozen=True)
class ExportRequest:
    """Request of an export.

    Attributes:
        run: run folder or name of a shipped checkpoint.
        out: the export folder to write; must not exist, or be empty.
        precisions: None for fp32 and fp16, and int8 if there are photos.
        data: photos for evaluation; some are set apart for int8.
        untrained_size: if given, ``run`` is a model's name, exported with random weights for
            inputs of this side, pixels.
    """

    run: str
    out: Path
    formats: tuple[str, ...] = default_formats()
    precisions: tuple[str, ...] | None = None
    data: Path | None = None
    graph: str = "deploy"
    options: FormatOptions = field(default_factory=FormatOptions)
    skip_unreadable: bool = False
    untrained_size: int | None = None

    def checked_precisions(self) -> list[Precision]:
        """The precisions to export.

        Raises:
            UnknownNameError: a format, precision or graph that does not exist.
        """
        for name in self.formats:
            abilities_of(name)
        if self.graph not in ("deploy", "naive"):
            raise UnknownNameError("graph", self.graph, ("deploy", "naive"))
        if not self.formats or self.precisions == ():
            raise ExportError("nothing to export; give at least one format and one precision")
        if self.precisions is None:
            return [p for p in Precision if self.data is not None or p is not Precision.INT8]
        for name in self.precisions:
            if name not in list(Precision):
                raise UnknownNameError("precision", name, list(Precision))
        for abilities in map(abilities_of, self.formats):
            for name in self.precisions:
                if name not in abilities.precisions:
                    raise ExportError(
                        f"--precision {name}: {abilities.title} files are made in "
                        f"{', '.join(abilities.precisions)} alone; export it apart"
                    )
        return [precision for precision in Precision if precision in self.precisions]
