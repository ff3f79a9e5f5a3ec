"""Where a column is counted: the knots, limits and scores the reference fixes once for all batches."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_values import Column, read_levels, read_numbers
from include.drift_statistics.row_buffers import BUFFERS

ColumnKind = Literal["numeric", "categorical"]

DEFAULT_KNOTS = 4096
SCORE_BINS = 2048
LARGEST_SCORE = 255
GUARD_RANGES = 10  # a value ten whole ranges beyond the reference is another unit or a sentinel


@dataclass(frozen=True)
class ColumnSpec:
    """What is known of a column before it is counted.

    Args:
        kind: "numeric" or "categorical".
        valid_minimum: a smaller value is broken data, in the column's unit (None: not known).
        valid_maximum: the same for larger values.
        unit: what a number counts, in words such as "months"; empty when it is not known.

    """

    kind: ColumnKind
    valid_minimum: float | None = None
    valid_maximum: float | None = None
    unit: str = ""


@dataclass(frozen=True, eq=False)
class NumericLayout:
    """Knots (int64 or float64, strictly increasing) and the constants of order-free sums and joint scores."""

    knots: npt.NDArray[Any]
    guard_low: int | float | None
    guard_high: int | float | None
    valid_minimum: float | None
    valid_maximum: float | None
    centre: float
    limit_exponent: int
    score_low: float
    score_step: float
    score_table: npt.NDArray[np.int64]
    unit: str = ""

    @property
    def is_integer(self) -> bool:
        """Whether the reference held integers."""
        return bool(self.knots.dtype.kind == "i")


@dataclass(frozen=True, eq=False)
class CategoricalLayout:
    """Levels that have a joint score; level counts themselves need no layout."""

    level_scores: Mapping[str, int]


Layout = NumericLayout | CategoricalLayout


def choose_layout(column: Column, spec: ColumnSpec, *, knots: int = DEFAULT_KNOTS) -> Layout:
    """Choose the layout of one column from the reference, or from a sample of it.

    A column of at most `knots` distinct values gets every one of them as a knot and is counted exactly;
    any other gets knots at its quantiles, denser at both ends. Without a finite number there are no knots.
    """
    if spec.kind == "categorical":
        codes, levels = read_levels(column)
        return CategoricalLayout(_level_scores(codes, levels))
    values = np.sort(read_numbers(column).finite)
    distinct = np.unique(values)
    chosen = distinct if len(distinct) <= knots else _quantile_knots(values, knots)
    low, high = _guards(distinct)
    extra = [limit for limit in (low, high, spec.valid_minimum, spec.valid_maximum) if limit is not None]
    if values.dtype.kind == "i":
        extra = [
            whole
            for limit in extra
            if math.isfinite(limit)
            for whole in (math.floor(limit), math.ceil(limit))
        ]
        extra = [whole for whole in extra if -(2**63) <= whole < 2**63]
    all_knots = (
        np.unique(np.concatenate([chosen, np.array(extra, dtype=chosen.dtype)])) if len(chosen) else chosen
    )
    centre, exponent = _centre_and_limit(distinct)
    score_low, score_step, table = _score_table(values)
    return NumericLayout(
        all_knots,
        low,
        high,
        spec.valid_minimum,
        spec.valid_maximum,
        centre,
        exponent,
        score_low,
        score_step,
        table,
        spec.unit,
    )


def _quantile_knots(values: npt.NDArray[Any], knots: int) -> npt.NDArray[Any]:
    last = len(values) - 1
    tail = np.unique(np.geomspace(1, max(2, last / knots * 2), 64).astype(np.int64)) - 1
    even = np.linspace(0, last, knots - 2 * len(tail)).astype(np.int64)
    ranks = np.unique(np.concatenate([tail, even, last - tail]))
    return np.unique(values[ranks])


def _guards(distinct: npt.NDArray[Any]) -> tuple[int | float | None, int | float | None]:
    if len(distinct) == 0:
        return None, None
    low, high = distinct[0].item(), distinct[-1].item()
    reach = GUARD_RANGES * ((high - low) or max(abs(high), 1))
    if isinstance(low, int):
        first, last = low - reach, high + reach
        return (first if first >= -(2**63) else None), (last if last < 2**63 else None)
    return _finite(low - reach), _finite(high + reach)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _centre_and_limit(distinct: npt.NDArray[Any]) -> tuple[float, int]:
    """Centre and the power of two that bounds eight times the reference's reach around it."""
    if len(distinct) == 0:
        return 0.0, 3
    centre = float(distinct[len(distinct) // 2])
    reach = max(abs(float(distinct[0]) - centre), abs(float(distinct[-1]) - centre)) or max(abs(centre), 1.0)
    if not math.isfinite(reach):
        centre, reach = 0.0, max(abs(float(distinct[0])), abs(float(distinct[-1])))
    return centre, max(-900, min(math.frexp(reach)[1] + 3, 1000))


def _score_table(values: npt.NDArray[Any]) -> tuple[float, float, npt.NDArray[np.int64]]:
    """Reference mid-ranks on a uniform grid over the central 99.8 % of the values, as integers around 0.

    A fixed monotone function of the value, so the joint sums do not depend on how the rows were split.
    """
    if len(values) == 0:
        return 0.0, 0.0, np.zeros(SCORE_BINS, dtype=np.int64)
    low, high = (float(values[int(share * (len(values) - 1))]) for share in (0.001, 0.999))
    width = high - low
    if width <= 0 or not math.isfinite(width):
        low, high = float(values[0]), float(values[-1])
        width = high - low
    step = (SCORE_BINS - 1) / width if width > 0 and math.isfinite((SCORE_BINS - 1) / width) else 0.0
    bins = _score_bins(values, low, step)
    counts = np.bincount(bins, minlength=SCORE_BINS)
    mid_ranks = (np.cumsum(counts) - counts / 2) / len(values)
    return low, step, np.rint((2 * mid_ranks - 1) * LARGEST_SCORE).astype(np.int64)


def _score_bins(values: npt.NDArray[Any], low: float, step: float) -> npt.NDArray[np.int64]:
    with np.errstate(over="ignore"):  # a huge value lands in the last bin
        scaled = values * step - low * step  # this order: a huge difference times a zero step is no number
    return np.clip(scaled, 0, SCORE_BINS - 1).astype(np.int64)


def score_numbers(layout: NumericLayout, values: npt.NDArray[Any], scores: npt.NDArray[np.float32]) -> None:
    """Write the joint scores of finite values into `scores`, one whole number in [-255, 255] each."""
    scaled = BUFFERS.rows("scaled", len(values), np.float64)
    with np.errstate(over="ignore"):
        np.multiply(values, layout.score_step, out=scaled)
    scaled -= layout.score_low * layout.score_step
    np.clip(scaled, 0, SCORE_BINS - 1, out=scaled)
    bins = BUFFERS.rows("bins", len(values), np.intp)
    np.copyto(bins, scaled, casting="unsafe")
    layout.score_table.astype(np.float32).take(bins, out=scores, mode="clip")


def _level_scores(codes: npt.NDArray[np.integer[Any]], levels: tuple[str, ...]) -> dict[str, int]:
    """Mid-rank scores of the levels in alphabetical order: any fixed order shows a changed dependence."""
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)[1:]
    total = max(int(counts.sum()), 1)
    scores: dict[str, int] = {}
    before = 0
    for name, count in sorted(zip(levels, counts.tolist(), strict=True)):
        scores[name] = round((2 * (before + count / 2) / total - 1) * LARGEST_SCORE)
        before += count
    return scores
