"""Computes the Pareto front of latency and accuracy."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Find the points that no other beats.

    A point is beaten by one that is no slower and no less accurate, and better in at least one of
    the two. Equal points stand or fall together.

    Args:
        points: latency (lower is better) and accuracy (higher is better), finite.

    Returns:
        Positions on the front, by rising latency, then in the given order.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    front: list[int] = []
    for position in order:
        latency, accuracy = points[position]
        if not front or accuracy > points[front[-1]][1] or points[front[-1]] == (latency, accuracy):
            front.append(position)
    return front
