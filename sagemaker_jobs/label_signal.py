"""How well each single feature ranks the label: too well betrays a leak, not at all shuffled labels."""

import math
from dataclasses import dataclass

import numpy as np

BIN_COUNT = 50
ROWS_PER_BIN = 40


@dataclass(frozen=True)
class FeatureSignal:
    """AUC of the label ranked by this feature's group rates, and the z value of their difference.

    Groups are the levels of a categorical feature or bins of equal size of a numeric one; `z` is the
    Wilson-Hilferty normal approximation of the chi-squared statistic (Wilson, Hilferty 1931).
    """

    name: str
    auc: float
    z: float


def _bin_numbers(values: np.ndarray) -> np.ndarray:
    """Return small bin numbers: at most 50 bins of equal size, each of 40 rows or more; missing is a bin."""
    present = values[~np.isnan(values)]
    bins = max(2, min(BIN_COUNT, len(values) // ROWS_PER_BIN))
    edges = (
        np.unique(np.quantile(present, np.linspace(0, 1, bins + 1)[1:-1])) if len(present) else np.empty(0)
    )
    # An atom (a value of many rows) gets a bin of its own: both sides of each edge are told apart.
    numbers = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), 2 * len(edges) + 1, numbers)


def measure_signal(name: str, values: np.ndarray, labels: np.ndarray) -> FeatureSignal:
    """Measure one feature: `values` float64 (n,) or int16 codes (n,); `labels` 0 or 1, both present."""
    groups = _bin_numbers(values) if values.dtype.kind == "f" else values.astype(np.int64) + 1
    totals = np.bincount(groups).astype(float)
    positives = np.bincount(groups, weights=labels)
    is_used = totals > 0
    totals, positives = totals[is_used], positives[is_used]
    negatives = totals - positives
    order = np.argsort(positives / totals)
    positives, negatives, totals = positives[order], negatives[order], totals[order]
    below = np.cumsum(negatives) - negatives
    auc = float((positives * (below + negatives / 2)).sum() / (positives.sum() * negatives.sum()))
    freedom = len(totals) - 1
    if freedom == 0:
        return FeatureSignal(name, 0.5, 0.0)
    rate = positives.sum() / totals.sum()
    chi_squared = float((np.square(positives - totals * rate) / (totals * rate * (1 - rate))).sum())
    spread = 2 / (9 * freedom)
    z = ((chi_squared / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return FeatureSignal(name, auc, z)


def is_signal(signals: list[FeatureSignal]) -> bool:
    """Whether any feature tells the classes apart at 1 % over all features (Bonferroni)."""
    strongest = max(signal.z for signal in signals)
    return math.erfc(strongest / math.sqrt(2)) / 2 < 0.01 / len(signals)
