"""Facts read from an exported file: its input, its output, and its delegation to XNNPACK."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class InputFacts(BaseModel):
    """The input tensor as the file declares it.

    Attributes:
        layout: ``NCHW``, ``NHWC`` or ``image``.
        shape: -1 where any size is taken.
        range: lowest and highest value that preprocessing yields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    layout: Literal["NCHW", "NHWC", "image"]
    dtype: str
    shape: list[int]
    range: tuple[float, float] = (0.0, 1.0)


class OutputFacts(BaseModel):
    """The output tensor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["logits"] = "logits"


class Delegation(BaseModel):
    """Delegation of the graph: number of partitions, and of operators left outside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partitions: int
    left: int
