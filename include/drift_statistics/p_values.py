"""Several p-values to one verdict: weighted combination within a column, Holm or BH across."""

import math
from collections.abc import Sequence

LARGEST_COMBINED = 0.95  # an exact test may give p = 1, whose Cauchy score is minus infinity


def combine_p_values(p_values: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted Cauchy combination of p-values under any dependence. Liu and Xie (2020), JASA 115(529).

    Good in the tail (p below about .05), where verdicts are made; approximate in the middle of the range.
    A NaN is no evidence: it counts as p = 1.
    """
    total = sum(weights)
    if total <= 0:
        return 1.0
    statistic = 0.0
    for p_value, weight in zip(p_values, weights, strict=True):
        p = LARGEST_COMBINED if math.isnan(p_value) else min(p_value, LARGEST_COMBINED)
        # tan((1/2 - p) pi) loses all digits for small p; 1 / (p pi) is its leading term.
        score = 1 / (max(p, 1e-300) * math.pi) if p < 1e-8 else math.tan((0.5 - p) * math.pi)
        statistic += weight / total * score
    if statistic > 1e7:
        return 1 / (statistic * math.pi)
    return min(1.0, max(0.0, 0.5 - math.atan(statistic) / math.pi))


def adjust_p_values(p_values: Sequence[float], method: str) -> list[float]:
    """Adjusted p-values: "holm" keeps the family-wise error, "bh" the false discovery rate, "none" nothing.

    Raises:
        ValueError: unknown method.

    """
    count = len(p_values)
    order = sorted(range(count), key=lambda position: p_values[position])
    adjusted = [0.0] * count
    if method == "none":
        return list(p_values)
    if method == "holm":
        running = 0.0
        for rank, position in enumerate(order):
            running = max(running, min(1.0, (count - rank) * p_values[position]))
            adjusted[position] = running
        return adjusted
    if method == "bh":
        running = 1.0
        for rank in range(count - 1, -1, -1):
            position = order[rank]
            running = min(running, p_values[position] * count / (rank + 1))
            adjusted[position] = running
        return adjusted
    raise ValueError(f"unknown correction {method!r}; use holm, bh or none")
