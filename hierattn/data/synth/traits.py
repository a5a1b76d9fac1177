"""Traits of a painted lesion, and the rule that derives its class from them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hierattn.errors import UnknownNameError

NEVUS = "painted_nevus"
MELANOMA = "painted_melanoma"
BASAL_CELL = "painted_basal_cell"
KERATOSIS = "painted_keratosis"
VASCULAR = "painted_vascular"
DERMATOFIBROMA = "painted_dermatofibroma"
CLASSES = (BASAL_CELL, DERMATOFIBROMA, KERATOSIS, MELANOMA, NEVUS, VASCULAR)

_STRUCTURE_OF = {
    BASAL_CELL: "vessels",
    DERMATOFIBROMA: "scar",
    KERATOSIS: "cysts",
    VASCULAR: "lacunae",
}
_STRUCTURE_THRESHOLD = 0.5
_SUSPICION_THRESHOLD = 0.5
_MARGIN = 0.05
_SMALLEST_MM, _LARGEST_MM = 3.0, 13.0


@dataclass(frozen=True)
class Traits:
    """The painted lesion's traits, each from 0 to 1, but for the diameter in millimetres.

    The first three and the diameter follow the dermatologists' A, B, C, D. The last four are the
    structures of one class each: branching vessels, a pale central scar, milia-like cysts, and
    red lacunae.
    """

    asymmetry: float
    border: float
    colours: float
    diameter_mm: float
    vessels: float
    scar: float
    cysts: float
    lacunae: float

    @property
    def suspicion(self) -> float:
        """Mean of asymmetry, border, colours and relative diameter, from 0 to 1."""
        size = (self.diameter_mm - _SMALLEST_MM) / (_LARGEST_MM - _SMALLEST_MM)
        return (self.asymmetry + self.border + self.colours + size) / 4


def classify(traits: Traits) -> str:
    """The class of the traits: no label noise, for the rule is all there is.

    The strongest structure of 0.5 or more decides; without one, the lesion is melanocytic, and
    a melanoma where the suspicion is 0.5 or more. No single A, B, C or D is enough.
    """
    structure = {name: getattr(traits, trait) for name, trait in _STRUCTURE_OF.items()}
    strongest = max(structure, key=lambda name: structure[name])
    if structure[strongest] >= _STRUCTURE_THRESHOLD:
        return strongest
    return MELANOMA if traits.suspicion >= _SUSPICION_THRESHOLD else NEVUS


def sample_traits(label: str, rng: np.random.Generator) -> Traits:
    """Draw traits of a class. Those that do not define it overlap with the other classes'.

    Melanomas and nevi nearer than 0.05 to the threshold are drawn again, so that the classes
    can be told apart by eye.

    Raises:
        UnknownNameError: ``label`` is not one of :data:`CLASSES`.
    """
    if label not in CLASSES:
        raise UnknownNameError("painted class", label, CLASSES)
    while True:
        traits = _draw(label, rng)
        melanocytic = label in (MELANOMA, NEVUS)
        near = abs(traits.suspicion - _SUSPICION_THRESHOLD) < _MARGIN
        if classify(traits) == label and not (melanocytic and near):
            return traits


def _draw(label: str, rng: np.random.Generator) -> Traits:
    mean = {MELANOMA: 0.64, NEVUS: 0.30, KERATOSIS: 0.42, BASAL_CELL: 0.45}.get(label, 0.30)
    abcd = np.clip(rng.normal(mean, 0.2, size=4), 0, 1)
    # Every lesion may have a trace of every structure; only the defining one is strong.
    structures = {
        field.name: float(rng.uniform(0, 0.35) if rng.random() < 0.4 else 0.0)
        for field in fields(Traits)[4:]
    }
    if label in _STRUCTURE_OF:
        structures[_STRUCTURE_OF[label]] = float(rng.uniform(_STRUCTURE_THRESHOLD, 1.0))
    return Traits(
        asymmetry=float(abcd[0]),
        border=float(abcd[1]),
        colours=float(abcd[2]),
        diameter_mm=float(_SMALLEST_MM + (_LARGEST_MM - _SMALLEST_MM) * abcd[3]),
        **structures,
    )
