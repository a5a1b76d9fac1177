"""Sizes that users set by environment variables, in gigabytes."""

from __future__ import annotations

import os

from hierattn.errors import ConfigError


def bytes_from_environment(variable: str, default: int) -> int:
    """Bytes of the gigabytes that an environment variable holds; the default where it is not set.

    Raises:
        ConfigError: the variable is not a number from 0 on.
    """
    given = os.environ.get(variable)
    if given is None:
        return default
    try:
        size = int(float(given) * 1e9)
    except (ValueError, OverflowError):
        size = -1
    if size < 0:
        raise ConfigError(f"{variable}={given}: give gigabytes, such as 4, or 0 for none")
    return size
