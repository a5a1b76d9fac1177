"""The results of a trial, as they are written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from export.schema.metadata import Precision
from export.schema.parity import Parity
from export.schema.validation import indented_json
from hierattn.common.json_text import DoubleNameError, parse_model
from hierattn.common.strict_model import StrictModel
from hierattn.errors import ConfigError, first_problem


class Row(StrictModel):
    """One file on one runtime.

    Attributes:
        setting: of the runtime, such as the kernels it was told to use.
        own: distances from the same file's logits on the runtime it is checked with at export.
        torch: distances from the network's logits in float32 torch.
        status: ``agrees``: within the bounds of :mod:`export.checks.gates`; ``departs``: answers,
            but not so; ``fails``: does not answer; ``not run``: the runtime is not to be had here.
        reason: why it does not agree.
        known: the reason is known, and it is no fault of the file.
    """

    runtime: str
    version: str
    setting: str
    file: str
    format: str
    precision: Precision
    own: Parity | None
    torch: Parity | None
    status: Literal["agrees", "departs", "fails", "not run"]
    reason: str | None
    known: bool

    @property
    def title(self) -> str:
        """Runtime, version and setting."""
        return " ".join(word for word in (self.runtime, self.version) if word) + (
            f", {self.setting}" if self.setting else ""
        )

    @property
    def unexplained(self) -> bool:
        """Whether it failed or departed without a known reason."""
        return self.status in ("departs", "fails") and not self.known


class Trial(StrictModel):
    """A whole trial.

    Attributes:
        images: how many each runtime was asked.
        scale: torch's largest logit on them.
        asked: ``photos`` of the data set, or the export's own ``golden images``.
    """

    version: Literal[1] = 1
    date: str
    command: str
    machine: str
    model: str
    image_size: int
    weights_sha256: str
    tools: dict[str, str]
    data: str
    asked: Literal["photos", "golden images"]
    images: int
    scale: float
    rows: list[Row]

    def to_json(self) -> str:
        """Indented JSON."""
        return indented_json(self)


def read_trial(path: Path) -> Trial:
    """Read the results of a trial.

    Raises:
        ConfigError: unreadable, or not such results.
    """
    try:
        return parse_model(Trial, path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: not results of a trial: {first_problem(error)}") from error
    except DoubleNameError as error:
        raise ConfigError(f"{path}: {error}; try the files again") from error
