"""Probabilities, decisions, percentiles and floats as Python computes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hierattn.metrics.operating_point import OperatingPoint
from hierattn.preprocessing import PreprocessSpec


def number_cases() -> dict[str, Any]:
    """Everything for ``numbers.json``; the same every time."""
    return {
        "decisions": _decisions(),
        "percentiles": _percentiles(),
        "input": _input(),
    }


def _decisions() -> list[dict[str, Any]]:
    """Logits and what an operating point makes of them, as Python's docstring defines it."""
    generator = np.random.default_rng(2)
    cases = []
    for case in range(300):
        classes = int(generator.integers(2, 12))
        spread = float(generator.choice([0.01, 1, 5, 90, 5000]))
        logits = (generator.standard_normal(classes) * spread).astype(np.float32)
        if case % 5 == 0:
            logits[generator.integers(0, classes, 3)] = logits[0]
        point = OperatingPoint(
            temperature=float(np.exp(generator.uniform(-1.6, 2.3))),
            melanoma_class="MEL",
            melanoma_threshold=float(generator.uniform(0, 1)),
            abstain_threshold=float(generator.uniform(0, 1)),
        )
        probabilities = point.probabilities(logits[None])[0]
        cases.append(
            {
                "logits": logits.astype(np.float64).tolist(),
                "temperature": point.temperature,
                "melanoma_threshold": point.melanoma_threshold,
                "abstain_threshold": point.abstain_threshold,
                "probabilities": probabilities.tolist(),
                "order": np.argsort(-probabilities, kind="stable").tolist(),
                "sure": bool(probabilities.max() >= point.abstain_threshold),
                "melanoma": bool(probabilities[0] >= (point.melanoma_threshold or 0)),
            }
        )
    return cases


def _percentiles() -> list[dict[str, Any]]:
    generator = np.random.default_rng(4)
    cases = []
    for count in (*range(1, 40), 100, 101, 999, 1000):
        values = generator.lognormal(3, 1, count)
        if count % 3 == 0:
            values = values.round(1)
        if count == 4:
            # Counted from the lower of the middle two, the median has another last bit.
            values = np.array([4.566, 7.22, 18.55, 19.788])
        p50, p90, p99 = np.percentile(values, [50, 90, 99])
        cases.append(
            {
                "values": values.tolist(),
                "p50": float(p50),
                "p90": float(p90),
                "p99": float(p99),
                "mean": float(values.mean()),
            }
        )
    return cases


def _input() -> dict[str, list[float]]:
    """A 16 x 16 tensor that holds every byte, as floats in both orders."""
    pixels = (np.arange(768) * 7 % 256).astype(np.uint8).reshape(1, 16, 16, 3)
    nchw = PreprocessSpec(image_size=16).to_input(pixels)
    nhwc = nchw.transpose(0, 2, 3, 1)
    return {
        "pixels": pixels.ravel().astype(float).tolist(),
        "nchw": nchw.ravel().astype(float).tolist(),
        "nhwc": nhwc.ravel().astype(float).tolist(),
    }
