"""Tests on counts against scipy, permutations and known values."""

import math

import numpy as np
import pytest
from scipy import stats

from include.drift_statistics.column_layouts import ColumnSpec, choose_layout
from include.drift_statistics.column_values import read_numbers
from include.drift_statistics.contingency import contingency_test, pool_small_levels
from include.drift_statistics.effect_sizes import (
    population_stability_index,
    total_variation,
    wasserstein_distance,
)
from include.drift_statistics.exact_counts import hypergeometric_tail, share_test
from include.drift_statistics.kolmogorov_smirnov import kolmogorov_p_value, kolmogorov_smirnov_test
from include.drift_statistics.numeric_counts import count_numbers
from include.drift_statistics.p_values import adjust_p_values, combine_p_values
from include.drift_statistics.rank_scores import rank_tests
from include.drift_statistics.tail_and_atom_tests import atom_test, tail_test


def test_contingency_test_when_expected_counts_are_large_then_equals_scipy():
    generator = np.random.default_rng(1)
    for levels in (2, 3, 12, 50):
        first = generator.integers(50, 400, levels)
        second = generator.integers(20, 90, levels)
        result = contingency_test(first, second)
        expected = stats.chi2_contingency(np.array([first, second]), correction=False)
        assert math.isclose(result.statistic, expected.statistic, rel_tol=1e-12)
        assert math.isclose(result.p_value, expected.pvalue, rel_tol=1e-12, abs_tol=1e-300)
        assert result.degrees_of_freedom == expected.dof


def test_contingency_test_when_levels_are_many_and_uneven_then_far_tail_matches_permutations():
    generator = np.random.default_rng(3)
    totals = generator.multinomial(9000, generator.dirichlet(np.full(50, 0.7)))
    tables = generator.multivariate_hypergeometric(totals, 1000, size=20_000, method="marginals")
    results = [contingency_test(totals - table, table) for table in tables[:2000]]
    assert np.mean([result.pooled_p_value <= 0.01 for result in results]) == pytest.approx(0.01, abs=0.006)
    assert results[0].pooled_levels > 0


def test_pool_small_levels_when_expected_counts_are_small_then_rest_is_one_level():
    first, second, pooled = pool_small_levels(np.array([800, 60, 3, 2, 1]), np.array([100, 8, 1, 0, 1]))
    assert (first.tolist(), second.tolist(), pooled) == ([800, 66], [100, 10], 3)


@pytest.mark.parametrize("upper", [True, False])
def test_hypergeometric_tail_when_compared_with_scipy_then_equal(upper):
    generator = np.random.default_rng(5)
    for _ in range(300):
        total = int(generator.integers(2, 3000))
        hits, draws = (int(generator.integers(0, total + 1)) for _ in range(2))
        low, high = max(0, hits + draws - total), min(hits, draws)
        observed = int(generator.integers(low, high + 1))
        frozen = stats.hypergeom(total, hits, draws)
        expected = frozen.sf(observed - 1) if upper else frozen.cdf(observed)
        found = hypergeometric_tail(observed, hits, draws, total, upper=upper)
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_share_test_when_three_rows_of_a_new_level_come_then_fisher_is_not_alarmed():
    # 3 of 8,000 against 0 of 8,000: all three on one side, 2 (1/2)^3 = .25.
    p_value, direction = share_test(3, 8000, 0, 8000)
    assert p_value == pytest.approx(0.25, abs=0.001)
    assert direction == "higher"


@pytest.mark.parametrize("test", ["two_samples", "ties"])
def test_rank_tests_when_compared_with_scores_of_single_rows_then_equal(test):
    generator = np.random.default_rng(2)
    first, second = generator.normal(size=60), generator.normal(0.5, 1.4, size=25)
    if test == "ties":
        first, second = first.round(1), second.round(1)
    values, cells = np.unique(np.concatenate([first, second]), return_inverse=True)
    reference = np.bincount(cells[:60], minlength=len(values))
    current = np.bincount(cells[60:], minlength=len(values))
    ranks = stats.rankdata(np.concatenate([first, second]))
    scores = stats.norm.ppf((ranks - 0.5) / 85)
    for result, score in zip(
        (rank_tests(reference, current).location, rank_tests(reference, current).spread),
        (scores, scores**2),
        strict=True,
    ):
        expected = score[60:].sum() - 25 * score.mean()
        variance = 25 * 60 / 85 * score.var(ddof=1)
        assert result.statistic == pytest.approx(expected / math.sqrt(variance), rel=1e-10)


def test_rank_tests_when_nothing_varies_then_no_evidence():
    result = rank_tests(np.array([0, 0, 5, 0, 0]), np.array([0, 0, 3, 0, 0]))
    assert (result.location.p_value, result.spread.p_value, result.shape.p_value) == (1.0, 1.0, 1.0)


def test_tail_test_when_few_rows_are_extreme_then_found():
    reference, current = np.full(1000, 8), np.full(1000, 1)
    current = current.copy()
    current[-1] += 12
    result = tail_test(reference, current)
    assert result.p_value < 1e-6
    assert result.region.startswith("upper")


def test_atom_test_when_rows_pile_up_at_one_value_then_found_in_its_cell():
    reference, current = np.zeros(2001, dtype=np.int64), np.zeros(2001, dtype=np.int64)
    reference[2::2] = 8
    current[2::2] = 1
    current[501] = 15
    result = atom_test(reference, current, intervals=True)
    assert result.cell == 501
    assert result.p_value < 1e-6


def test_combine_p_values_when_independent_and_uniform_then_right_size():
    p_values = np.random.default_rng(0).random((100_000, 3))
    combined = np.array([combine_p_values(row, (0.7, 0.2, 0.1)) for row in p_values[:40_000]])
    for level in (0.05, 0.01):
        assert np.mean(combined <= level) == pytest.approx(level, rel=0.15)


def test_combine_p_values_when_one_is_tiny_then_it_decides():
    assert combine_p_values((1e-200, 1.0), (0.5, 0.5)) == pytest.approx(2e-200, rel=1e-6)


def test_adjust_p_values_when_no_correction_then_unchanged():
    assert adjust_p_values([0.3, 0.01], "none") == [0.3, 0.01]


def test_adjust_p_values_when_method_is_unknown_then_refused_by_name():
    with pytest.raises(ValueError, match="bonferoni"):
        adjust_p_values([0.1], "bonferoni")


def test_kolmogorov_smirnov_when_a_sample_is_empty_then_refused():
    with pytest.raises(ValueError, match="at least one value on each side"):
        kolmogorov_smirnov_test(np.zeros(5, dtype=np.int64), np.ones(5, dtype=np.int64))


@pytest.mark.parametrize(("before", "now"), [(1, 1), (2, 1), (16, 2), (3, 3), (5, 100), (40, 70)])
@pytest.mark.parametrize("shift", [0.0, 1.0, 100.0])
def test_kolmogorov_p_value_when_samples_are_small_then_is_exact(before, now, shift):
    generator = np.random.default_rng(before * now)
    first, second = generator.normal(size=before), generator.normal(shift, 1, now)
    expected = stats.ks_2samp(first, second, method="exact")
    found = kolmogorov_p_value(expected.statistic, before, now)
    assert found == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize(("before", "now"), [(20_000, 1), (8_000, 2), (100_000_000, 3)])
def test_kolmogorov_p_value_when_a_large_sample_meets_a_few_apart_then_is_what_they_can_show(before, now):
    assert kolmogorov_p_value(1.0, before, now) == pytest.approx(2 / math.comb(before + now, now), rel=1e-6)


def test_combine_p_values_when_one_is_nan_then_it_is_no_evidence():
    assert combine_p_values((math.nan, 0.5), (0.5, 0.5)) == combine_p_values((1.0, 0.5), (0.5, 0.5))
    assert combine_p_values((math.nan,), (1.0,)) > 0.9


def test_total_variation_when_shares_move_then_known_value():
    effect = total_variation(np.array([50, 50]), np.array([60, 40]))
    assert effect.value == pytest.approx(0.1)
    assert effect.low < 0.1 < effect.high


def test_population_stability_index_when_known_example_then_known_value():
    effect = population_stability_index(np.array([500, 500]), np.array([600, 400]))
    assert effect.value == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))


def test_wasserstein_distance_when_values_are_few_then_equals_scipy():
    generator = np.random.default_rng(4)
    first, second = generator.integers(0, 73, 3000), generator.integers(5, 70, 500)
    layout = choose_layout(first, ColumnSpec("numeric"))
    counts = [count_numbers(layout, read_numbers(column)) for column in (first, second)]
    effect = wasserstein_distance(layout, *counts)
    assert effect.value == pytest.approx(stats.wasserstein_distance(first, second), rel=1e-12)


def test_effect_intervals_when_shift_is_real_then_cover_the_truth_about_nine_times_in_ten():
    generator = np.random.default_rng(6)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.35, 0.25])
    covered = 0
    for _ in range(400):
        effect = total_variation(generator.multinomial(4000, p), generator.multinomial(1000, q))
        covered += effect.low <= 0.1 <= effect.high
    assert covered / 400 > 0.9


def test_wasserstein_distance_when_values_lie_beyond_the_reference_then_the_guards_do_not_stretch_it():
    first, second = np.arange(73), np.arange(73) * 3
    layout = choose_layout(first, ColumnSpec("numeric"))
    counts = [count_numbers(layout, read_numbers(values)) for values in (first, second)]
    exact = stats.wasserstein_distance(first, second)
    assert wasserstein_distance(layout, *counts).value == pytest.approx(exact, rel=0.05)
