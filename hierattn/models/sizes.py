"""Names, sizes and sources of the networks, without building them: PyTorch takes seconds.

``sizes.json`` is written by ``python -m hierattn.models.sizes``; a test holds it against the
networks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("sizes.json")
CLASSES, IMAGE_SIZE = 8, 256
"""What the table counts at."""


@dataclass(frozen=True)
class ModelSize:
    """One network of the registry.

    Attributes:
        parameters: trainable numbers, of ``classes`` classes.
        multiply_adds: of one image; see :func:`hierattn.models.complexity.count_multiply_adds`.
        source: who defines the network, and where it is described.
    """

    name: str
    parameters: int
    multiply_adds: int
    source: str


def known_sizes() -> list[ModelSize]:
    """The checked-in table, in registry order, of 8 classes and 256 pixels."""
    return [ModelSize(**row) for row in json.loads(TABLE.read_text(encoding="utf-8"))]


def measure_size(name: str, classes: int = CLASSES, image_size: int = IMAGE_SIZE) -> ModelSize:
    """Build a network and count.

    Raises:
        UnknownNameError: no model has this name.
        ConfigError: ``image_size`` is too small for it.
    """
    from hierattn.models.complexity import count_multiply_adds, count_parameters
    from hierattn.models.registry import check_image_size, create_model, find_model

    check_image_size(name, image_size)
    model = create_model(name, classes)
    return ModelSize(
        name,
        count_parameters(model),
        count_multiply_adds(model, image_size),
        find_model(name).source,
    )


if __name__ == "__main__":
    from hierattn.common.files import write_json
    from hierattn.models.registry import list_models

    write_json(TABLE, [asdict(measure_size(name)) for name in list_models()])
