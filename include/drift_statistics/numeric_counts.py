"""Integer counts of a numeric column at and between fixed knots: exact, mergeable, free of row order."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import NumericLayout, score_numbers
from include.drift_statistics.column_values import NumericValues
from include.drift_statistics.knot_search import (
    count_integers,
    search_floats_on_integers,
    search_integers,
    search_sorted,
)
from include.drift_statistics.moment_sums import MomentSums, sum_moments
from include.drift_statistics.row_buffers import BUFFERS, CHUNK_ROWS

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


Scores = npt.NDArray[np.float32]


def count_numbers(
    layout: NumericLayout, values: NumericValues, *, scores: Scores | None = None
) -> NumericCounts:
    """Count the values of a column on the knots of `layout`, chunk by chunk.

    `scores` (one place per row) takes the joint scores of the rows, zero where there is no finite number.
    """
    cells = np.zeros(2 * len(layout.knots) + 3, dtype=np.int64)
    cells[0], cells[-1] = values.negative_infinity, values.positive_infinity
    sums = MomentSums()
    lowest: int | float | None = None
    highest: int | float | None = None
    found = scores
    if scores is not None and values.positions is not None:
        found = np.empty(len(values.finite), dtype=np.float32)
    for start in range(0, len(values.finite), CHUNK_ROWS):
        chunk = values.finite[start : start + CHUNK_ROWS]
        counted = _count_chunk(layout, chunk, None if found is None else found[start : start + CHUNK_ROWS])
        _add_cells(cells, counted.below, counted.equal, len(chunk))
        sums = sums.merge(counted.sums)
        low, high = counted.extremes
        lowest, highest = _pick(min, lowest, low), _pick(max, highest, high)
    if scores is not None and found is not None and values.positions is not None:
        scores[:] = 0
        scores[values.positions] = found
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


def _count_chunk(layout: NumericLayout, chunk: npt.NDArray[Any], scores: Scores | None) -> _ChunkCounts:
    if chunk.dtype.kind == "i":
        low, high = int(chunk.min()), int(chunk.max())
        if high - low < DENSE_INTEGERS and low > -TALLY_LIMIT and high < TALLY_LIMIT:
            return _count_tally(layout, low, high, chunk, scores)
    if scores is not None:
        score_numbers(layout, chunk, scores)
    ordered = BUFFERS.rows(f"ordered {chunk.dtype.kind}", len(chunk), chunk.dtype)
    np.copyto(ordered, chunk)
    ordered.sort()
    extremes = (ordered[0].item() + 0, ordered[-1].item() + 0)  # + 0 turns -0.0 into 0.0
    if chunk.dtype.kind == "i":
        below, equal = search_integers(ordered, layout.knots)
    else:
        search = search_floats_on_integers if layout.is_integer else search_sorted
        below, equal = search(ordered, layout.knots)
    return _ChunkCounts(below, equal, sum_moments(layout, ordered), extremes)


def _count_tally(
    layout: NumericLayout, low: int, high: int, chunk: npt.NDArray[np.int64], scores: Scores | None
) -> _ChunkCounts:
    """Integers in a narrow range: every distinct value is handled once, whatever its count."""
    places = BUFFERS.rows("places", len(chunk), np.intp)
    np.subtract(chunk, low, out=places)
    tally = np.bincount(places, minlength=high - low + 1)
    below, equal = count_integers(layout.knots, low, np.concatenate([[0], np.cumsum(tally)]))
    values = np.flatnonzero(tally) + low
    sums = sum_moments(layout, values, tally[values - low])
    if scores is not None:
        known = np.empty(len(tally), dtype=np.float32)
        score_numbers(layout, np.arange(low, high + 1), known)
        known.take(places, out=scores, mode="clip")
    return _ChunkCounts(below, equal, sums, (low, high))
