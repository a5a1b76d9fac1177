"""Loading of a plain dictionary of tensors into a network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn


def load_tensors(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load every tensor, strictly.

    Safe files hold tensors alone, not the versions of modules that torch keeps beside them and
    that torchvision's MnasNet insists on; the versions are the model's own.

    Raises:
        RuntimeError: names or shapes that do not fit.
    """
    versioned = OrderedDict(state)
    versioned._metadata = model.state_dict()._metadata  # type: ignore[attr-defined]
    model.load_state_dict(versioned)
