"""How many values lie below and at each knot, exactly, whatever mixture of integers and floats they are."""

from typing import Any

import numpy as np
import numpy.typing as npt

Counts = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def search_sorted(ordered: npt.NDArray[Any], knots: npt.NDArray[Any]) -> Counts:
    """Values and knots of one type: a search per knot, a second one only where a value equals the knot."""
    below = np.searchsorted(ordered, knots)
    hit = ordered[np.minimum(below, len(ordered) - 1)] == knots
    equal = np.zeros(len(knots), dtype=np.int64)
    equal[hit] = np.searchsorted(ordered, knots[hit], side="right") - below[hit]
    return below, equal


def _integer_knots(
    knots: npt.NDArray[Any],
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Smallest integer not below each knot, largest not above it, and which knots lie beyond int64 on top."""
    if knots.dtype.kind == "i":
        return knots, knots, np.zeros(len(knots), dtype=np.bool_)
    # 2^63 is a float, 2^63 - 1 is not: clip before the cast, then say which knots no int64 can reach.
    inside = np.clip(knots, -(2.0**63), np.nextafter(2.0**63, 0))
    return np.ceil(inside).astype(np.int64), np.floor(inside).astype(np.int64), knots >= 2.0**63


def search_integers(ordered: npt.NDArray[Any], knots: npt.NDArray[Any]) -> Counts:
    """Integers on knots of either type."""
    if knots.dtype.kind == "i":
        return search_sorted(ordered, knots)
    upper, lower, beyond = _integer_knots(knots)
    below = np.searchsorted(ordered, upper)
    at_most = np.searchsorted(ordered, lower, side="right")
    at_most[knots < -(2.0**63)] = 0
    below[beyond] = at_most[beyond] = len(ordered)
    return below, at_most - below


def count_integers(knots: npt.NDArray[Any], low: int, running: npt.NDArray[np.int64]) -> Counts:
    """The same from a running tally: `running[i]` integers are below low + i."""
    upper, lower, beyond = _integer_knots(knots)
    high = low + len(running) - 1
    below = running[np.clip(upper, low, high) - low]
    # One index further is "at most"; a knot under the tally has nothing at or below it.
    at_most = np.where(lower < low, 0, running[np.clip(lower, low - 1, high - 1) - low + 1])
    below[beyond] = at_most[beyond] = running[-1]
    return below, at_most - below


def search_floats_on_integers(chunk: npt.NDArray[np.float64], knots: npt.NDArray[np.int64]) -> Counts:
    """Floats on integer knots, exactly: v < k if and only if floor(v) < k, and v = k needs a whole v."""
    floors = np.floor(chunk)
    too_low = int((floors < -(2.0**63)).sum())
    inside = (floors >= -(2.0**63)) & (floors < 2.0**63)
    whole = inside & (floors == chunk)
    wholes = np.sort(floors[whole].astype(np.int64))
    others = np.sort(floors[inside & ~whole].astype(np.int64))
    below_wholes = np.searchsorted(wholes, knots)
    equal = np.searchsorted(wholes, knots, side="right") - below_wholes
    return below_wholes + np.searchsorted(others, knots) + too_low, equal
