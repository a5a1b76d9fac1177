"""HierAttn: train a light network for skin lesions and carry it to a phone, with proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hierattn.models.pretrained.official import load_official_state_dict
    from hierattn.models.registry import create_model, list_models
    from hierattn.preprocessing import PreprocessSpec

__version__ = "0.1.0"
__all__ = ["PreprocessSpec", "create_model", "list_models", "load_official_state_dict"]

_HOMES = {
    "create_model": "hierattn.models.registry",
    "list_models": "hierattn.models.registry",
    "load_official_state_dict": "hierattn.models.pretrained.official",
    "PreprocessSpec": "hierattn.preprocessing",
}


def __getattr__(name: str) -> Any:
    # Imported when asked for: torch takes seconds, and `hierattn --help` must not wait for it.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hierattn' has no attribute '{name}'")
