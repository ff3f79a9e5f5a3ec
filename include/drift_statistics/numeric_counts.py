"""Integer counts of a numeric column at and between fixed knots: exact, mergeable, free of row order."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.column_values import NumericValues
from include.drift_statistics.moment_sums import MomentSums, sum_moments

CHUNK_ROWS = 1 << 16  # a chunk that stays in the second-level cache sorts fastest
TALLY_LIMIT = 1 << 62  # beyond it index arithmetic could overflow
DENSE_INTEGERS = 1 << 16  # integers in a narrow range are tallied instead of sorted


@dataclass(frozen=True, eq=False)
class NumericCounts:
    """Counts of one numeric column on the knots of its layout.

    `cells` alternates points and open intervals: -inf, below the first knot, at knot 1, between knots 1 and
    2, ..., above the last knot, +inf: 2 K + 3 counts. Even positions are single values, odd ones intervals.
    """

    cells: npt.NDArray[np.int64]
    missing: int = 0
    unreadable: int = 0
    minimum: int | float | None = None
    maximum: int | float | None = None
    sums: MomentSums = field(default_factory=MomentSums)

    @property
    def values(self) -> int:
        """Rows that hold a number, infinities included."""
        return int(self.cells.sum())

    @property
    def finite(self) -> int:
        """Rows that hold a finite number."""
        return int(self.cells[1:-1].sum())

    @property
    def infinite(self) -> int:
        """Rows that hold an infinity."""
        return int(self.cells[0] + self.cells[-1])

    @property
    def rows(self) -> int:
        """All rows."""
        return self.values + self.missing + self.unreadable

    def merge(self, other: "NumericCounts") -> "NumericCounts":
        """Counts of both parts; they must be on the same knots."""
        return NumericCounts(
            self.cells + other.cells,
            self.missing + other.missing,
            self.unreadable + other.unreadable,
            _pick(min, self.minimum, other.minimum),
            _pick(max, self.maximum, other.maximum),
            self.sums.merge(other.sums),
        )


def _pick(choose: Any, one: float | None, other: float | None) -> int | float | None:
    if one is None or other is None:
        return other if one is None else one
    # An int and a float of the same size: take the int, whichever came first, so that merging commutes.
    if one == other:
        return one if isinstance(one, int) else other
    chosen: int | float = choose(one, other)
    return chosen


def empty_counts(layout: NumericLayout) -> NumericCounts:
    """Counts of no rows."""
    return NumericCounts(np.zeros(2 * len(layout.knots) + 3, dtype=np.int64))


def count_numbers(layout: NumericLayout, values: NumericValues) -> NumericCounts:
    """Count the values of a column on the knots of `layout`, chunk by chunk."""
    cells = np.zeros(2 * len(layout.knots) + 3, dtype=np.int64)
    cells[0], cells[-1] = values.negative_infinity, values.positive_infinity
    sums = MomentSums()
    lowest: int | float | None = None
    highest: int | float | None = None
    for start in range(0, len(values.finite), CHUNK_ROWS):
        chunk = values.finite[start : start + CHUNK_ROWS]
        counted = _count_chunk(layout, chunk)
        _add_cells(cells, counted.below, counted.equal, len(chunk))
        sums = sums.merge(counted.sums)
        low, high = counted.extremes
        lowest, highest = _pick(min, lowest, low), _pick(max, highest, high)
    return NumericCounts(cells, values.missing, values.unreadable, lowest, highest, sums)


def _add_cells(
    cells: npt.NDArray[np.int64], below: npt.NDArray[np.int64], equal: npt.NDArray[np.int64], rows: int
) -> None:
    """Turn counts below and at each knot into counts of points and of the intervals between them."""
    after = below + equal
    cells[2:-1:2] += equal
    cells[1:-2:2] += below
    cells[3:-1:2] -= after
    cells[-2] += rows


@dataclass(frozen=True, eq=False)
class _ChunkCounts:
    below: npt.NDArray[np.int64]
    equal: npt.NDArray[np.int64]
    sums: MomentSums
    extremes: tuple[int | float, int | float]


def _count_chunk(layout: NumericLayout, chunk: npt.NDArray[Any]) -> _ChunkCounts:
    if chunk.dtype.kind == "i":
        low, high = int(chunk.min()), int(chunk.max())
        if high - low < DENSE_INTEGERS and low > -TALLY_LIMIT and high < TALLY_LIMIT:
            return _count_tally(layout, low, np.bincount(chunk - low, minlength=high - low + 1))
        ordered = np.sort(chunk)
        below, equal = _search_integers(ordered, layout.knots)
        return _ChunkCounts(below, equal, sum_moments(layout, ordered), (low, high))
    ordered = np.sort(chunk)
    extremes = (ordered[0].item() + 0, ordered[-1].item() + 0)  # + 0 turns -0.0 into 0.0
    search = _search_floats_on_integers if layout.is_integer else _search_sorted
    below, equal = search(ordered, layout.knots)
    return _ChunkCounts(below, equal, sum_moments(layout, ordered), extremes)


def _count_tally(layout: NumericLayout, low: int, tally: npt.NDArray[np.int64]) -> _ChunkCounts:
    """Integers in a narrow range: every distinct value is handled once, whatever its count."""
    below, equal = _count_integers(layout.knots, low, np.concatenate([[0], np.cumsum(tally)]))
    values = np.flatnonzero(tally) + low
    sums = sum_moments(layout, values, tally[values - low])
    return _ChunkCounts(below, equal, sums, (low, low + len(tally) - 1))


def _search_sorted(
    ordered: npt.NDArray[Any], knots: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
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


def _search_integers(
    ordered: npt.NDArray[Any], knots: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if knots.dtype.kind == "i":
        return _search_sorted(ordered, knots)
    upper, lower, beyond = _integer_knots(knots)
    below = np.searchsorted(ordered, upper)
    at_most = np.searchsorted(ordered, lower, side="right")
    at_most[knots < -(2.0**63)] = 0
    below[beyond] = at_most[beyond] = len(ordered)
    return below, at_most - below


def _count_integers(
    knots: npt.NDArray[Any], low: int, running: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same from a running tally: `running[i]` integers are below low + i."""
    upper, lower, beyond = _integer_knots(knots)
    high = low + len(running) - 1
    below = running[np.clip(upper, low, high) - low]
    # One index further is "at most"; a knot under the tally has nothing at or below it.
    at_most = np.where(lower < low, 0, running[np.clip(lower, low - 1, high - 1) - low + 1])
    below[beyond] = at_most[beyond] = running[-1]
    return below, at_most - below


def _search_floats_on_integers(
    chunk: npt.NDArray[np.float64], knots: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
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
