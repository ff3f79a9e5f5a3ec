"""Against values that other tools made: see tests/reference_values/drift_statistics.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from include.drift_statistics.contingency import permutation_moments
from include.drift_statistics.exact_counts import hypergeometric_tail, share_interval
from include.drift_statistics.p_values import adjust_p_values

FILE = Path(__file__).resolve().parents[2] / "reference_values" / "drift_statistics.json"
VALUES = json.loads(FILE.read_text())


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_adjust_p_values_when_compared_with_statsmodels_then_equal(method):
    assert adjust_p_values(VALUES["p_values"], method) == pytest.approx(VALUES[method], rel=1e-12)


@pytest.mark.parametrize(("hits", "rows", "low", "high"), VALUES["wilson"])
def test_share_interval_when_compared_with_statsmodels_then_equal(hits, rows, low, high):
    assert share_interval(hits, rows) == pytest.approx((low, high), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize(("observed", "hits", "draws", "total", "tail"), VALUES["hypergeometric_upper_tail"])
def test_hypergeometric_tail_when_compared_with_exact_fractions_then_equal(
    observed, hits, draws, total, tail
):
    assert hypergeometric_tail(observed, hits, draws, total, upper=True) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize(("totals", "draws", "mean", "variance"), VALUES["permutation_moments"])
def test_permutation_moments_when_compared_with_every_table_then_equal(totals, draws, mean, variance):
    assert permutation_moments(np.array(totals), draws) == pytest.approx((mean, variance), rel=1e-10)
