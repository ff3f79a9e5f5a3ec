"""Sums for means and standard deviations that do not depend on the order or the split of the rows.

Each value is centred and rounded to a multiple of a fixed power of two; sums of such multiples are exact, so
adding them up in any order gives the same integer. Rounding costs 2^-37 of the reference's reach per value.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.row_buffers import BUFFERS

QUANTUM_BITS = 34
UNIT = math.ldexp(1.0, QUANTUM_BITS)
SQUARE_BITS = 17  # mantissa kept of an outlier before it is squared


@dataclass(frozen=True)
class MomentSums:
    """Exact integer sums of centred values (unit 2^(limit - 34)) and squares (unit 2^(2 limit - 34))."""

    first: int = 0
    second: int = 0

    def merge(self, other: "MomentSums") -> "MomentSums":
        """Sums of both parts."""
        return MomentSums(self.first + other.first, self.second + other.second)


def sum_moments(
    layout: NumericLayout, values: npt.NDArray[Any], counts: npt.NDArray[np.int64] | None = None
) -> MomentSums:
    """Sums of a chunk of at most 2^18 finite values, in any order, each taken `counts` times (None: once)."""
    if len(values) == 0:
        return MomentSums()
    limit = layout.limit_exponent
    centred = BUFFERS.rows("centred", len(values), np.float64)
    with np.errstate(over="ignore"):  # checked below: an infinite difference is outside the limit
        np.subtract(values, layout.centre, out=centred)
    reach = math.ldexp(1.0, limit)
    if centred.max() > reach or centred.min() < -reach:
        repeated = values if counts is None else np.repeat(values, counts)
        far = np.abs(centred if counts is None else np.repeat(centred, counts)) > reach
        outside = _sum_outliers(repeated[far].astype(np.float64), layout)
        return outside.merge(sum_moments(layout, repeated[~far]))
    centred *= math.ldexp(1.0, -limit)
    rounded = BUFFERS.rows("rounded", len(values), np.float64)
    np.rint(np.multiply(centred, UNIT, out=rounded), out=rounded)
    first = _total(rounded, counts)
    np.multiply(centred, centred, out=rounded)
    np.rint(np.multiply(rounded, UNIT, out=rounded), out=rounded)
    return MomentSums(first, _total(rounded, counts))


def _total(numbers: npt.NDArray[np.float64], counts: npt.NDArray[np.int64] | None) -> int:
    return int(numbers.sum() if counts is None else (numbers * counts).sum())


def _sum_outliers(values: npt.NDArray[np.float64], layout: NumericLayout) -> MomentSums:
    """Values beyond the limit, summed per binary exponent; the centre is subtracted in whole units."""
    limit = layout.limit_exponent
    mantissas, exponents = np.frexp(values)
    first, second = 0, 0
    for exponent in np.unique(exponents).tolist():
        chosen = mantissas[exponents == exponent]
        rounded = np.rint(chosen * math.ldexp(1.0, QUANTUM_BITS))
        coarse = np.rint(chosen * math.ldexp(1.0, SQUARE_BITS))
        first += _shift(int(rounded.sum()), exponent - limit)
        second += _shift(
            int((coarse * coarse).sum()), 2 * exponent - 2 * SQUARE_BITS - 2 * limit + QUANTUM_BITS
        )
    centre = round(math.ldexp(layout.centre, QUANTUM_BITS - limit))
    return MomentSums(first - centre * len(values), second)


def _shift(number: int, bits: int) -> int:
    return number << bits if bits >= 0 else number >> -bits


def mean_and_deviation(
    layout: NumericLayout, sums: MomentSums, count: int
) -> tuple[float | None, float | None]:
    """Mean and population standard deviation in the column's unit; None without values or beyond floats."""
    if count == 0:
        return None, None
    try:
        mean = sums.first / count * 2.0 ** (layout.limit_exponent - QUANTUM_BITS)
        square = sums.second / count * 2.0 ** (2 * layout.limit_exponent - QUANTUM_BITS)
    except OverflowError:
        return None, None
    deviation = math.sqrt(max(square - mean * mean, 0.0)) if math.isfinite(square) else None
    total = layout.centre + mean
    return (total if math.isfinite(total) else None), deviation
