"""Ask a trained run about one photo: python examples/predict_photo.py PHOTO [RUN].

Prints calibrated probabilities, and "not sure" where the run's operating point says so.
A research demonstration, not a medical device.
"""

from __future__ import annotations

import sys

import numpy as np

from hierattn.errors import HierAttnError
from hierattn.inference import TorchPredictor
from hierattn.runs import load_run


def main(photo: str, name: str = "hierattn_xs.pad_ufes_20") -> None:
    """Print what the run makes of the photo."""
    run = load_run(name)
    spec, point = run.config.preprocessing, run.config.operating_point
    logits = TorchPredictor(run.load_model())(spec.to_input(spec.load(photo)[np.newaxis]))
    probabilities = point.probabilities(logits)[0]
    print(f"{name}. A research tool, not a medical device.")
    if probabilities.max() < point.abstain_threshold:
        print("not sure")
    for index in np.argsort(-probabilities):
        print(f"{run.config.classes[index]:>24}  {probabilities[index]:.3f}")
    if point.melanoma_threshold is not None:
        melanoma = point.target_probability(probabilities[None], run.config.classes)[0]
        flagged = "above" if melanoma >= point.melanoma_threshold else "below"
        print(f"{point.target_name} is {flagged} its threshold {point.melanoma_threshold:.3f}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python examples/predict_photo.py PHOTO [RUN]; see also hierattn predict")
    try:
        main(*sys.argv[1:])
    except HierAttnError as error:
        sys.exit(f"error: {error}")
