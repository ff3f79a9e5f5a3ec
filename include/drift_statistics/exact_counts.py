"""Exact two-sample tests of a share: hypergeometric tails, right where normal approximations fail."""

import math

import numpy as np
import numpy.typing as npt

# Beyond the mode a tail falls at least as fast as a normal one: what is left out is below 1e-16 of the rest.
SUMMED_TERMS = 60
SUMMED_SPREADS = 10


def share_test(
    current_hits: int, current_rows: int, reference_hits: int, reference_rows: int
) -> tuple[float, str]:
    """Two-sided exact p-value that both samples have the same share of hits, and the direction.

    Twice the smaller hypergeometric tail, capped at 1 (Fisher's test with central doubling): conditional on
    the total number of hits, so valid for any share and any sample sizes; conservative for few hits.
    Returns p = 1 when either sample is empty.
    """
    if current_rows == 0 or reference_rows == 0:
        return 1.0, "same"
    hits = current_hits + reference_hits
    total = current_rows + reference_rows
    expected = hits * current_rows / total
    higher = current_hits >= expected
    tail = hypergeometric_tail(current_hits, hits, current_rows, total, upper=higher)
    direction = "same" if current_hits == expected else ("higher" if higher else "lower")
    return min(1.0, 2.0 * tail), direction


def hypergeometric_tail(observed: int, hits: int, draws: int, total: int, *, upper: bool) -> float:
    """P(X >= observed) or P(X <= observed) for the hits among `draws` of `total` rows of which `hits` hit.

    Summed outwards from `observed`.
    """
    low, high = max(0, hits - (total - draws)), min(hits, draws)
    if observed < low or observed > high:
        return 1.0 if (observed < low) == upper else 0.0
    step = 1 if upper else -1
    end = high if upper else low
    mode = (hits + 1) * (draws + 1) / (total + 2)
    if (observed < mode - 1 and upper) or (observed > mode + 1 and not upper):
        other = hypergeometric_tail(observed - step, hits, draws, total, upper=not upper)
        return max(0.0, 1.0 - other)
    spread = math.sqrt(hits * draws * (total - draws) * (total - hits) / total**3)
    count = min(abs(end - observed) + 1, SUMMED_TERMS + int(SUMMED_SPREADS * spread))
    first = math.exp(log_probability(observed, hits, draws, total))
    return min(1.0, first * (1.0 + float(_ratios(observed, step, count - 1, hits, draws, total).sum())))


def _ratios(
    observed: int, step: int, count: int, hits: int, draws: int, total: int
) -> npt.NDArray[np.float64]:
    """Probabilities of the next `count` values away from `observed`, as multiples of its own.

    Products of the exact ratios of neighbours: one multiplication a term where a binomial coefficient
    would take six logarithms of factorials, and an error of a few times `count` roundings.
    """
    x = observed + step * np.arange(count, dtype=np.float64)
    rest = total - hits - draws
    if step > 0:
        neighbours = (hits - x) * (draws - x) / ((x + 1) * (rest + x + 1))
    else:
        neighbours = x * (rest + x) / ((hits - x + 1) * (draws - x + 1))
    return np.asarray(np.cumprod(neighbours))


def log_probability(value: int, hits: int, draws: int, total: int) -> float:
    """Log hypergeometric probability."""
    return _log_choose(hits, value) + _log_choose(total - hits, draws - value) - _log_choose(total, draws)


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)


def share_interval(hits: int, rows: int, *, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson score interval of a share; (0, 1) without rows. Wilson (1927), JASA 22."""
    if rows == 0:
        return 0.0, 1.0
    share = hits / rows
    denominator = 1 + z * z / rows
    middle = (share + z * z / (2 * rows)) / denominator
    half = z / denominator * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, middle - half), min(1.0, middle + half)
