"""Names of tensors as they are without the modules that training programs wrap a network in."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
"""Of DataParallel and AveragedModel, of torch.compile, and of most Lightning modules."""
_COUNT = "n_averaged"
"""What AveragedModel keeps beside its ``module.``."""


def unwrap(state_dict: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Take off the prefixes that every name has.

    Returns:
        The tensors under their own names, and the prefixes from the outermost on.
    """
    tensors, removed = dict(state_dict), []
    if _COUNT in tensors and any(name.startswith(_PREFIXES[0]) for name in tensors):
        del tensors[_COUNT]
    while tensors:
        first = next(iter(tensors))
        prefix = next((one for one in _PREFIXES if first.startswith(one)), None)
        if prefix is None or not all(name.startswith(prefix) for name in tensors):
            break
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
        removed.append(prefix)
    return tensors, tuple(removed)


def describe_prefixes(removed: tuple[str, ...]) -> str:
    """Words that go behind a line on the weights; empty where nothing was taken off."""
    return f"; prefix {''.join(removed)} taken off the names" if removed else ""
