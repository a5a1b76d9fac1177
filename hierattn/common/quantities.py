"""Ranges of figures that records may hold: what lies outside nobody measured."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_HUGE = 1e9
MOST_THREADS = 1024

Share = Annotated[float, Field(ge=0, le=1)]
Change = Annotated[float, Field(ge=-1, le=1)]
"""Of a share."""

Count = Annotated[int, Field(ge=0, le=10**12)]
Positive = Annotated[int, Field(ge=1, le=10**12)]
Threads = Annotated[int, Field(ge=1, le=MOST_THREADS)]
Milliseconds = Annotated[float, Field(ge=0, le=_HUGE)]
Megabytes = Annotated[float, Field(ge=0, le=_HUGE)]
Ratio = Annotated[float, Field(gt=0, le=_HUGE)]
Amount = Annotated[float, Field(ge=0)]
"""Of any size, such as a difference of logits."""
