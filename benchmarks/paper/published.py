"""The paper's table: Dai et al., arXiv 2205.04326, top-1 in percent, 10-fold.

Those figures are of other data (IHISIC20000 and IHPAD3000, balanced by copies before the split,
lesions and patients not kept together), at 256 px with up to 500 epochs. They stand beside ours
for orientation and cannot be compared number by number.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """One network; top-1 in percent on both of the paper's sets, parameters in millions."""

    model: str
    ihisic20000: float
    ihpad3000: float
    parameters: float


SYSTEMS = (
    System("mobilenet_v2", 93.45, 87.44, 2.23),
    System("mobilevit_s", 94.72, 88.22, 4.94),
    System("mobilenet_v3_large", 94.77, 88.78, 4.21),
    System("shufflenet_v2_x1_0", 95.23, 87.89, 2.28),
    System("mnasnet1_0", 95.45, 90.33, 3.11),
    System("efficientnet_b0", 95.48, 90.22, 4.02),
    System("hierattn_xs", 96.15, 90.11, 1.08),
    System("hierattn_s", 96.70, 91.22, 2.14),
)
OURS = ("hierattn_xs", "hierattn_s")
