"""Changed dependence between columns that each look unchanged: differences of Spearman correlations."""

import math

import numpy as np
import numpy.typing as npt

from include.drift_statistics.drift_report import JointResult
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.joint_moments import JointMoments

LARGEST_CORRELATION = 0.9999
UNIFORM_KURTOSIS = 1.8  # of the scores of a column that is never missing and has no heavy value


def correlations(moments: JointMoments) -> npt.NDArray[np.float64]:
    """Correlation matrix of the joint scores; NaN where a column does not vary."""
    mean = moments.sums / moments.rows
    covariance = moments.products / moments.rows - np.outer(mean, mean)
    deviation = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = covariance / np.outer(deviation, deviation)
    matrix[:, deviation < 1e-9] = matrix[deviation < 1e-9, :] = np.nan
    return np.asarray(matrix, dtype=np.float64)


def fisher_variance(moments: JointMoments) -> npt.NDArray[np.float64]:
    """Variance of atanh(r) times the rows, for every pair, from fourth moments: right for any dependence.

    The delta-method variance of a correlation (Cramer 1946, section 27.8) divided by (1 - r^2)^2. The joint
    scores of the reference have mean 0 up to rounding, so raw moments stand for central ones.
    Raises ValueError without fourth moments.
    """
    if moments.squares is None or moments.cubes is None:
        raise ValueError("the reference profile has no fourth moments; count it with fourth_moments=True")
    r = np.clip(np.nan_to_num(correlations(moments)), -LARGEST_CORRELATION, LARGEST_CORRELATION)
    deviation = np.sqrt(np.maximum(np.diag(moments.products) / moments.rows, 1e-9))
    outer = np.outer(deviation, deviation)
    squares = moments.squares / moments.rows / (outer * outer)
    cubes = moments.cubes / moments.rows / (outer * deviation[None, :] ** 2)
    fourth = np.diag(moments.squares) / moments.rows / deviation**4
    spread = (fourth[:, None] + fourth[None, :]) / 4
    variance = squares * (1 + r * r / 2) + r * r * spread - r * (cubes + cubes.T)
    return np.asarray(np.maximum(variance, 1e-6) / (1 - r * r) ** 2)


def varying_rows(moments: JointMoments, rows: int) -> npt.NDArray[np.float64]:
    """Of `rows`, about how many have both columns of a pair away from the value that most rows share.

    A column that is filled, or not the usual level, in a share p of the rows has a kurtosis near 1.8 / p. Two
    such columns vary together in very few rows, too few for a correlation to be nearly normal.
    """
    if moments.squares is None:
        raise ValueError("the reference profile has no fourth moments; count it with fourth_moments=True")
    second = np.maximum(np.diag(moments.products) / moments.rows, 1e-9)
    shares = UNIFORM_KURTOSIS * second**2 / np.maximum(np.diag(moments.squares) / moments.rows, 1e-18)
    shares = np.minimum(shares, 1.0)
    return np.asarray(rows * np.outer(shares, shares))


def joint_test(reference: JointMoments, current: JointMoments, rule: DriftRule) -> JointResult | None:
    """Largest standardised difference of Fisher-transformed Spearman correlations, Bonferroni over the pairs.

    Notes
    -----
    Spearman correlations are those of the reference's mid-rank scores (255 steps), so a pair is compared on
    the same scale on both sides. A missing value and an unseen level count as an average one. A pair that
    varies together in fewer than `rule.smallest_batch` rows is not tested; None when no pair is. Differences
    below `rule.floor_correlation` do not count.

    """
    if reference.rows < 4 or current.rows < 4 or len(reference.names) < 2:
        return None
    before, now = correlations(reference), correlations(current)
    limit = LARGEST_CORRELATION
    change = np.arctanh(np.clip(now, -limit, limit)) - np.arctanh(np.clip(before, -limit, limit))
    z = change / np.sqrt(fisher_variance(reference) * (1 / reference.rows + 1 / current.rows))
    enough = varying_rows(reference, min(reference.rows, current.rows)) >= rule.smallest_batch
    pair = np.triu(np.isfinite(z) & enough, 1)
    pairs = int(pair.sum())
    if pairs == 0:
        return None
    counted = np.where(pair & (np.abs(now - before) >= rule.floor_correlation), np.abs(z), 0.0)
    place = np.unravel_index(int(np.argmax(counted)), z.shape)
    statistic = float(counted[place])
    p_value = min(1.0, pairs * math.erfc(statistic / math.sqrt(2)))
    share = rule.joint_share * rule.family_share
    adjusted = min(1.0, p_value / share) if share > 0 else 1.0
    drifted = adjusted <= rule.alpha
    first, second = reference.names[int(place[0])], reference.names[int(place[1])]
    r_before, r_now = (float(matrix[place]) if statistic > 0 else 0.0 for matrix in (before, now))
    sentence = (
        f"{first} and {second} go together differently: Spearman correlation {r_before:.2f} -> {r_now:.2f}"
        if drifted
        else "columns go together as they did in the reference"
    )
    return JointResult(
        "drift" if drifted else "no_drift",
        p_value,
        adjusted,
        pairs,
        (first, second) if statistic > 0 else None,
        r_before,
        r_now,
        statistic,
        rule.floor_correlation,
        sentence,
    )
