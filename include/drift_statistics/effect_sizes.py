"""Effect sizes with intervals: how much changed, apart from how sure we are that anything did."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.numeric_counts import NumericCounts

Z_95 = 1.959963984540054
STABILITY_GROUPS = 10
SMOOTHED_ROWS = 0.5  # added to empty groups: the index is infinite without


@dataclass(frozen=True)
class EffectSize:
    """An effect with a 95 % interval; `unit` is empty for a pure number.

    Notes: intervals are from the delta method and cut at 0. They are approximate, and too narrow when the
    true effect is 0, where these estimates are biased upwards by about their standard error.
    """

    value: float
    low: float
    high: float
    unit: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {"value": self.value, "interval_95": [self.low, self.high], "unit": self.unit}


def _interval(value: float, deviation: float, *, largest: float = math.inf, unit: str = "") -> EffectSize:
    half = Z_95 * deviation
    return EffectSize(value, max(0.0, value - half), min(largest, value + half), unit)


def _shares(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def _variance_of_mean(shares: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], rows: int) -> float:
    mean = float((shares * weights).sum())
    return max(float((shares * weights * weights).sum()) - mean * mean, 0.0) / rows


def total_variation(reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]) -> EffectSize:
    """Half the summed absolute differences of the shares: the share of rows that changed level."""
    p, q = _shares(reference), _shares(current)
    sign = np.sign(q - p) / 2
    variance = _variance_of_mean(p, sign, int(reference.sum())) + _variance_of_mean(
        q, sign, int(current.sum())
    )
    return _interval(float(np.abs(q - p).sum() / 2), math.sqrt(variance), largest=1.0)


def cramers_v(statistic: float, degrees_of_freedom: int, rows: int) -> EffectSize:
    """Cramer's V of a 2 x k table; the interval moves the root of the statistic by its error of 1."""
    value = math.sqrt(statistic / rows)
    root = math.sqrt(max(0.0, statistic - degrees_of_freedom))
    low, high = max(0.0, root - Z_95), math.sqrt(statistic) + Z_95
    return EffectSize(value, low / math.sqrt(rows), min(1.0, high / math.sqrt(rows)))


def population_stability_index(
    reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]
) -> EffectSize:
    """Sum of (q - p) ln(q / p) over groups; an empty group counts half a row."""
    a, b = np.maximum(reference, SMOOTHED_ROWS), np.maximum(current, SMOOTHED_ROWS)
    p, q = a / a.sum(), b / b.sum()
    value = float(((q - p) * np.log(q / p)).sum())
    slope_p = -np.log(q / p) - q / p + 1
    slope_q = np.log(q / p) + 1 - p / q
    variance = _variance_of_mean(p, slope_p, int(reference.sum()))
    variance += _variance_of_mean(q, slope_q, int(current.sum()))
    return _interval(value, math.sqrt(variance))


def stability_groups(
    reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Ten groups of cells at the reference's deciles, fewer when single values are heavier."""
    running = np.cumsum(reference)
    edges = np.searchsorted(running, running[-1] * np.arange(1, STABILITY_GROUPS) / STABILITY_GROUPS)
    starts = np.unique(np.concatenate([[0], edges + 1]))
    starts = starts[starts < len(reference)]
    return np.add.reduceat(reference, starts), np.add.reduceat(current, starts)


def wasserstein_distance(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts, unit: str = ""
) -> EffectSize | None:
    """Area between the two distribution functions of the finite values, in the column's unit.

    Values inside an open interval are taken to lie evenly between its ends (the outer intervals end at the
    extremes of both samples), so the error is at most the rows of the interval times its width.
    None without finite values on both sides or when widths exceed the range of floats.
    """
    if reference.finite == 0 or current.finite == 0 or len(layout.knots) == 0:
        return None
    lows = [float(value) for value in (reference.minimum, current.minimum) if value is not None]
    highs = [float(value) for value in (reference.maximum, current.maximum) if value is not None]
    # Knots beyond all values (limits and guards of the layout) must not stretch the interval they end.
    knots = np.clip(layout.knots.astype(np.float64), min(lows), max(highs))
    edges = np.concatenate([[min(lows)], knots, [max(highs)]])
    with np.errstate(over="ignore"):
        widths = np.diff(edges)
    if not bool(np.isfinite(widths).all()):
        return None
    before, after = _gaps(reference.cells, current.cells)
    area = _area_between(widths, before, after)
    sign = np.sign(before + after)
    variance = _area_variance(reference.cells, widths * sign) + _area_variance(current.cells, widths * sign)
    return _interval(area, math.sqrt(variance), unit=unit)


def _gaps(
    reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Difference of the distribution functions of finite values at both ends of every open interval."""
    p, q = _shares(reference[1:-1]), _shares(current[1:-1])
    after = np.cumsum(q - p)
    ends = after[0::2]
    starts = np.concatenate([[0.0], after[1::2]])
    return starts, ends


def _area_between(
    widths: npt.NDArray[np.float64], starts: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]
) -> float:
    """Integral of |straight line from start to end| over every interval."""
    size = np.abs(starts) + np.abs(ends)
    crossing = starts * ends < 0
    squares = (starts * starts + ends * ends) / np.where(size > 0, 2 * size, 1.0)
    return float((widths * np.where(crossing, squares, size / 2)).sum())


def _area_variance(cells: npt.NDArray[np.int64], signed_widths: npt.NDArray[np.float64]) -> float:
    """Variance of the signed area: of the mean of the position measured in signed widths."""
    shares = _shares(cells[1:-1])
    position = np.concatenate([[0.0], np.cumsum(signed_widths)])
    weights = np.empty(len(shares))
    weights[1::2] = position[1:-1]
    weights[0::2] = (position[:-1] + position[1:]) / 2
    return _variance_of_mean(shares, weights - weights.mean(), int(cells[1:-1].sum()))
