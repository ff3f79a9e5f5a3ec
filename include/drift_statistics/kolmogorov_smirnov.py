"""Two-sample Kolmogorov-Smirnov test on grouped counts: D bracketed, never estimated."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats  # type: ignore[import-untyped]

from include.drift_statistics.exact_counts import log_probability

# scipy adds one term per row where effective size * D^2 lies between these: seconds for a million rows.
TAIL_START, TAIL_END = 2.2, 370.0
# Below this the p-value is 1 to within 2e-11; scipy takes a matrix power of up to .3 s to say so.
NEARLY_ONE, SURELY_ONE = 0.045, 0.005
LARGE_SAMPLE = 20_000
SUMMED_TERMS = 4096
# Up to this product of the two sizes the exact distribution is walked path by path: some milliseconds.
EXACT_PRODUCT = 10_000


@dataclass(frozen=True)
class KolmogorovSmirnovResult:
    """D of the two samples lies in [statistic, statistic_upper]; the p-values belong to these two ends.

    `direction` is "higher" when the current sample lies to the right of the reference where they differ most.
    """

    statistic: float
    statistic_upper: float
    p_value: float
    p_value_lower: float
    direction: str


def kolmogorov_smirnov_test(
    reference: npt.NDArray[np.int64], current: npt.NDArray[np.int64]
) -> KolmogorovSmirnovResult:
    """Two-sided two-sample KS test of two counts on the same cells (`NumericCounts.cells`).

    Notes
    -----
    Both distribution functions are exact at every boundary of a cell. Inside an open interval they are known
    only where one sample has no row there; where both have rows the bracket opens. A column whose distinct
    values are all knots has statistic = statistic_upper = scipy.stats.ks_2samp(...).statistic.
    The p-value is that of scipy.stats.ks_2samp: method="exact" where N n is at most 10,000, "asymp" above
    (see `kolmogorov_p_value`). It is too large (conservative) for tied data, and it is not valid for
    dependent rows. Raises ValueError when a sample is empty.

    """
    rows_reference, rows_current = int(reference.sum()), int(current.sum())
    if rows_reference == 0 or rows_current == 0:
        raise ValueError("a two-sample test needs at least one value on each side")
    after_reference = np.cumsum(reference) / rows_reference
    after_current = np.cumsum(current) / rows_current
    difference = after_current - after_reference
    place = int(np.argmax(np.abs(difference)))
    lower = float(abs(difference[place]))
    upper = max(lower, _largest_inside(reference, current, after_reference, after_current))
    p_value = kolmogorov_p_value(lower, rows_reference, rows_current)
    return KolmogorovSmirnovResult(
        lower,
        upper,
        p_value,
        p_value if upper == lower else kolmogorov_p_value(upper, rows_reference, rows_current),
        "higher" if difference[place] < 0 else "lower",
    )


def _largest_inside(
    reference: npt.NDArray[np.int64],
    current: npt.NDArray[np.int64],
    after_reference: npt.NDArray[np.float64],
    after_current: npt.NDArray[np.float64],
) -> float:
    """Largest possible difference inside an open interval: one sample may jump first, the other last."""
    opened = np.flatnonzero((reference[1::2] > 0) & (current[1::2] > 0)) * 2 + 1
    if len(opened) == 0:
        return 0.0
    one = after_reference[opened] - after_current[opened - 1]
    other = after_current[opened] - after_reference[opened - 1]
    return float(max(one.max(), other.max()))


def kolmogorov_p_value(statistic: float, rows_reference: int, rows_current: int) -> float:
    """P-value of D, never below the smallest that samples of these sizes can give.

    Exact, as scipy.stats.ks_2samp(method="exact"), for N n up to 10,000. Above it the finite-sample
    distribution of one sample at the rounded effective size N n / (N + n), as method="asymp"; that one gives
    0 at D = 1 whatever the sizes, where the true probability is 2 / C(N + n, n).
    """
    if rows_reference * rows_current <= EXACT_PRODUCT:
        return _exact_p_value(statistic, rows_reference, rows_current)
    smallest = 2 * math.exp(
        log_probability(rows_current, rows_current, rows_current, rows_reference + rows_current)
    )
    return max(smallest, _effective_p_value(statistic, rows_reference, rows_current))


def _exact_p_value(statistic: float, rows_reference: int, rows_current: int) -> float:
    """Chance that the two distribution functions of a random order of all rows are ever so far apart.

    Each order is a path from (0, 0) to (N, n). The probability of the paths still inside is carried along,
    and what leaves is summed up: only positive terms, so small p-values keep their digits.
    """
    limit = math.ceil(statistic * rows_reference * rows_current - 1e-6)
    inside = [1.0] + [0.0] * rows_current
    left = 1.0 if limit <= 0 else 0.0
    for i in range(rows_reference + 1):
        onward = [0.0] * (rows_current + 1)
        for j, chance in enumerate(inside):
            if chance == 0.0 or limit <= 0:
                continue
            if abs(i * rows_current - j * rows_reference) >= limit:
                left += chance
                continue
            rest = rows_reference - i + rows_current - j
            onward[j] = chance * (rows_reference - i) / max(rest, 1)
            if j < rows_current:
                inside[j + 1] += chance * (rows_current - j) / rest
        inside = onward
    return min(1.0, left)


def _effective_p_value(statistic: float, rows_reference: int, rows_current: int) -> float:
    larger, smaller = float(max(rows_reference, rows_current)), float(min(rows_reference, rows_current))
    effective = float(np.round(larger * smaller / (larger + smaller)))
    scaled = effective * statistic * statistic
    if effective > LARGE_SAMPLE and scaled < NEARLY_ONE:
        return 1.0 if scaled < SURELY_ONE else 1.0 - _small_distance(effective, math.sqrt(scaled))
    if effective > LARGE_SAMPLE and TAIL_START <= scaled < TAIL_END and statistic < 0.5:
        return min(1.0, 2 * _smirnov_tail(effective, statistic))
    return float(np.clip(stats.kstwo.sf(statistic, effective), 0.0, 1.0))


def _small_distance(rows: float, z: float) -> float:
    """P(sqrt(n) D <= z) for small z: Kolmogorov's first term and its correction in 1/sqrt(n).

    Pelz and Good (1976), Journal of the Royal Statistical Society B 38; what is left out is below 1e-12.
    """
    leading = math.sqrt(2 * math.pi) / z * math.exp(-(math.pi**2) / (8 * z * z))
    return leading * (1 + (math.pi**2 / 4 - z * z) / (6 * z**3 * math.sqrt(rows)))


def _smirnov_tail(rows: float, statistic: float) -> float:
    """P(D+ >= statistic) of the one-sided statistic: the sum that scipy.special.smirnov adds term by term.

    The terms are smooth in their index and vanish with all derivatives at both ends, so an evenly spaced
    subset of them gives the sum to rounding error (trapezoidal rule): 4,096 terms instead of `rows`.
    Binomial terms by Loader's saddle-point form, which keeps 13 digits for large counts.
    """
    step = max(1.0, rows * (1 - statistic) / SUMMED_TERMS)
    j = np.arange(1, int(rows * (1 - statistic) / step)) * step
    rest = rows - j
    reach = rows * statistic
    exponent = j * np.log1p(reach / j) + rest * np.log1p(-reach / rest)
    correction = _stirling_error(rows) - _stirling_error(j) - _stirling_error(rest)
    binomial = np.exp(exponent + correction) * np.sqrt(rows / (2 * math.pi * j * rest))
    terms = binomial * reach / (reach + j)
    return float(terms.sum() * step)


def _stirling_error(count: Any) -> Any:
    """log(n!) minus Stirling's formula, for n above about 15."""
    square = count * count
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / count


def largest_difference_margin(rows_reference: int, rows_current: int, *, confidence: float = 0.95) -> float:
    """Half-width of a band around D: Dvoretzky-Kiefer-Wolfowitz on both samples, errors shared equally.

    Valid for every distribution and sample size, hence wide: P(|D - D_true| > margin) <= 1 - confidence.
    Massart (1990), Annals of Probability 18(3).
    """
    reach = math.log(4 / (1 - confidence)) / 2
    return math.sqrt(reach / rows_reference) + math.sqrt(reach / rows_current)
