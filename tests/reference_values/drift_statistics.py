"""Make drift_statistics.json with other tools than the ones under test: statsmodels and exact fractions.

    python -m venv ENV && ENV/bin/pip install statsmodels==0.15.0
    ENV/bin/python tests/reference_values/drift_statistics.py > tests/reference_values/drift_statistics.json

The exact values use only fractions of the standard library, so they carry no rounding at all until written.
"""

import itertools
import json
import math
import sys
from fractions import Fraction

import statsmodels
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

P_VALUES = [0.01, 0.04, 0.03, 0.005, 0.5, 0.0001, 0.2]


def hypergeometric_tail(observed, hits, draws, total):
    """P(X >= observed) as an exact fraction."""
    ways = sum(
        math.comb(hits, k) * math.comb(total - hits, draws - k) for k in range(observed, min(hits, draws) + 1)
    )
    return float(Fraction(ways, math.comb(total, draws)))


def permutation_moments(totals, draws):
    """Mean and variance of Pearson's statistic over every table with these margins."""
    total = sum(totals)
    mean = square = Fraction(0)
    for table in itertools.product(*(range(count + 1) for count in totals)):
        if sum(table) != draws:
            continue
        ways = math.prod(math.comb(count, cell) for count, cell in zip(totals, table, strict=True))
        weight = Fraction(ways, math.comb(total, draws))
        statistic = Fraction(0)
        for count, cell in zip(totals, table, strict=True):
            expected = Fraction(count * draws, total)
            statistic += (cell - expected) ** 2 * (1 / expected + 1 / (count - expected))
        mean += weight * statistic
        square += weight * statistic**2
    return float(mean), float(square - mean**2)


def main():
    """Print the values as JSON."""
    tails = [(20, 100, 1000, 9000), (3, 3, 8000, 16000), (12, 12, 1000, 9000), (150, 1000, 1000, 9000)]
    tables = [([3, 4, 2, 5], 6), ([10, 1, 7], 9), ([2, 2, 2, 2, 2], 4)]
    shares = [(15, 148), (0, 20), (1, 29), (81, 263)]
    values = {
        "made_with": {"python": sys.version.split()[0], "statsmodels": statsmodels.__version__},
        "p_values": P_VALUES,
        "holm": multipletests(P_VALUES, method="holm")[1].tolist(),
        "bh": multipletests(P_VALUES, method="fdr_bh")[1].tolist(),
        "wilson": [[*share, *proportion_confint(*share, method="wilson")] for share in shares],
        "hypergeometric_upper_tail": [[*tail, hypergeometric_tail(*tail)] for tail in tails],
        "permutation_moments": [
            [list(totals), draws, *permutation_moments(totals, draws)] for totals, draws in tables
        ],
    }
    print(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
