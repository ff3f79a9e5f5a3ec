"""Where counts of a numeric column lie: outside given limits, and what a single cell holds in words."""

import math
from dataclasses import dataclass

import numpy as np

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.exact_counts import log_probability
from include.drift_statistics.numeric_counts import NumericCounts


@dataclass(frozen=True)
class OutOfRange:
    """Finite values of the batch outside the extremes the reference had; `share` is of its finite values."""

    rows: int
    share: float
    p_value: float
    direction: str


def rows_outside(
    layout: NumericLayout, counts: NumericCounts, low: float | None, high: float | None
) -> tuple[int, int]:
    """Rows below `low` and above `high`, infinities included, both limits being knots or None."""
    below = above = 0
    if low is not None:
        below = int(counts.cells[: 2 * int(np.searchsorted(layout.knots, low)) + 2].sum())
    if high is not None:
        above = int(counts.cells[2 * int(np.searchsorted(layout.knots, high, side="right")) + 1 :].sum())
    return below, above


def out_of_range(layout: NumericLayout, reference: NumericCounts, current: NumericCounts) -> OutOfRange:
    """Test how many values leave the reference's range: none, and p = 1, where a side has no finite value.

    That the k largest of N + n values in random order all come from the batch has the probability
    C(n, k) / C(N + n, k), ties make it smaller; the p-value is for the surer of the two ends, doubled.
    """
    if current.finite == 0 or reference.minimum is None or reference.maximum is None:
        return OutOfRange(0, 0.0, 1.0, "none")
    below, above = rows_outside(layout, current, reference.minimum, reference.maximum)
    below, above = below - int(current.cells[0]), above - int(current.cells[-1])
    rows, total = current.finite, reference.finite + current.finite
    p_value = min(math.exp(log_probability(count, count, rows, total)) for count in (below, above))
    ends = [word for word, count in (("below", below), ("above", above)) if count]
    outside = below + above
    return OutOfRange(outside, outside / rows, min(1.0, 2 * p_value), " and ".join(ends) or "none")


def cell_words(layout: NumericLayout, cell: int) -> str:
    """Return what one cell of `NumericCounts.cells` holds: a single value or an open interval."""
    last = 2 * len(layout.knots) + 2
    if cell in {0, last}:
        return "the value -infinity" if cell == 0 else "the value infinity"
    place = cell // 2
    if cell % 2 == 0:
        return f"the value {_number(layout, place - 1)}"
    if place == 0:
        return f"values below {_number(layout, 0)}"
    if place == len(layout.knots):
        return f"values above {_number(layout, place - 1)}"
    return f"values between {_number(layout, place - 1)} and {_number(layout, place)}"


def _number(layout: NumericLayout, knot: int) -> str:
    value = layout.knots[knot].item()
    return str(value) if isinstance(value, int) else f"{value:.10g}"
