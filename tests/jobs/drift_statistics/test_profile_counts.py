"""Profiles: exact counts, a bracket that always holds, and merging that does not depend on the split."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

from include.drift_statistics.column_layouts import ColumnSpec, choose_layout
from include.drift_statistics.column_values import DictionaryColumn, read_levels, read_numbers
from include.drift_statistics.joint_moments import score_rows, sum_products
from include.drift_statistics.kolmogorov_smirnov import kolmogorov_p_value, kolmogorov_smirnov_test
from include.drift_statistics.level_counts import count_levels
from include.drift_statistics.moment_sums import mean_and_deviation
from include.drift_statistics.numeric_counts import count_numbers
from include.drift_statistics.profiles import build_profile, count_rows

FUZZ_CASES = 2000
SPECIAL = np.array([0.0, -0.0, 5e-324, -5e-324, 1e-310, 1.7e308, -1.7e308, 2.0**53, 2.0**53 + 2, 2.0**63])
HUGE = np.array([2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, -(2**63), -(2**53) - 1, 0, 1], dtype=np.int64)


def draw_column(generator):
    """A column of one of many kinds: ties, signed zeros, infinities, NaN, denormals, huge integers."""
    rows = int(generator.integers(1, 120))
    kind = int(generator.integers(0, 7))
    if kind == 0:
        return generator.choice(HUGE, rows)
    if kind == 1:
        return generator.integers(-5, 6, rows)
    if kind == 2:
        return generator.normal(size=rows).round(int(generator.integers(0, 4)))
    if kind == 3:
        return generator.choice(SPECIAL, rows)
    if kind == 4:
        return generator.normal(size=rows) * 10.0 ** generator.integers(-300, 300)
    if kind == 5:
        return generator.choice(HUGE, rows) + generator.integers(-3, 3, rows) * (2**20)
    column = np.concatenate([generator.normal(size=rows), generator.choice(SPECIAL, 5)])
    column[generator.random(len(column)) < 0.1] = generator.choice([np.nan, np.inf, -np.inf])
    return column


def exact_distance(first, second):
    """D by comparing every pair of values as Python numbers: integers and floats compare exactly there."""
    values = sorted({*first, *second})
    if not values:
        return 0.0
    ordered_first, ordered_second = sorted(first), sorted(second)
    best = 0.0
    i = j = 0
    for value in values:
        while i < len(ordered_first) and ordered_first[i] <= value:
            i += 1
        while j < len(ordered_second) and ordered_second[j] <= value:
            j += 1
        best = max(best, abs(i / len(first) - j / len(second)))
    return best


def present(column):
    return [value for value in column.tolist() if value == value]


@pytest.mark.parametrize("block", range(4))
def test_bracket_when_columns_are_hostile_then_true_distance_is_inside(block):
    generator = np.random.default_rng([2026, block])
    checked = 0
    for _ in range(FUZZ_CASES // 4):
        first, second = draw_column(generator), draw_column(generator)
        if not present(first) or not present(second):
            continue
        layout = choose_layout(first, ColumnSpec("numeric"), knots=int(generator.integers(200, 260)))
        knots_few = choose_layout(first, ColumnSpec("numeric"), knots=4096)
        truth = exact_distance(present(first), present(second))
        for place in (layout, knots_few):
            one, other = count_numbers(place, read_numbers(first)), count_numbers(place, read_numbers(second))
            result = kolmogorov_smirnov_test(one.cells, other.cells)
            assert result.statistic - 1e-12 <= truth <= result.statistic_upper + 1e-12
            assert one.values == len(present(first))
            assert other.values == len(present(second))
            assert other.rows == len(second)
        checked += 1
    assert checked > FUZZ_CASES / 4 * 0.9


@pytest.mark.parametrize("block", range(4))
def test_bracket_when_knots_come_from_a_small_sample_then_true_distance_is_inside(block):
    generator = np.random.default_rng([2027, block])
    opened = 0
    for _ in range(125):
        first, second = generator.normal(size=400).round(2), generator.normal(0.2, 1, size=300)
        layout = choose_layout(first[:7], ColumnSpec("numeric"))
        one, other = count_numbers(layout, read_numbers(first)), count_numbers(layout, read_numbers(second))
        result = kolmogorov_smirnov_test(one.cells, other.cells)
        truth = exact_distance(first.tolist(), second.tolist())
        assert result.statistic - 1e-12 <= truth <= result.statistic_upper + 1e-12
        opened += result.statistic < result.statistic_upper
    assert opened > 60  # the bracket is really exercised


def test_count_numbers_when_integers_exceed_2_53_then_neighbours_stay_apart():
    first = np.array([2**53, 2**53 + 1, 2**53 + 1], dtype=np.int64)
    layout = choose_layout(first, ColumnSpec("numeric"))
    counts = count_numbers(layout, read_numbers(first))
    places = {int(knot): int(counts.cells[2 * place + 2]) for place, knot in enumerate(layout.knots)}
    assert (places[2**53], places[2**53 + 1]) == (1, 2)
    assert counts.maximum == 2**53 + 1


def test_count_numbers_when_signed_zeros_are_mixed_then_they_are_one_value():
    layout = choose_layout(np.array([0.0, 1.0]), ColumnSpec("numeric"))
    counts = count_numbers(layout, read_numbers(np.array([-0.0, 0.0, -0.0])))
    place = int(np.searchsorted(layout.knots, 0.0))
    assert counts.cells[2 * place + 2] == 3


def table(generator, rows):
    usage = generator.lognormal(3, 1, rows)
    usage[generator.random(rows) < 0.02] = np.nan
    usage[:2] = [np.inf, 1e12]
    return {
        "usage": usage,
        "tenure": generator.integers(0, 73, rows),
        "contract": generator.choice(np.array(["a", "b", None], dtype=object), rows),
    }


SPECS = {
    "usage": ColumnSpec("numeric"),
    "tenure": ColumnSpec("numeric"),
    "contract": ColumnSpec("categorical"),
}


def test_merge_when_rows_are_split_and_reordered_then_every_integer_is_identical():
    generator = np.random.default_rng(4)
    everyone = table(generator, 150_000)
    whole = build_profile(everyone, SPECS)
    order = generator.permutation(150_000)
    cuts = np.sort(generator.choice(np.arange(1, 150_000), 5, replace=False))
    parts = [
        count_rows(
            whole.layout, {name: column[rows] for name, column in everyone.items()}, fourth_moments=True
        )
        for rows in np.split(order, cuts)
    ]
    merged = parts[3].merge(parts[0]).merge(parts[5].merge(parts[1])).merge(parts[2].merge(parts[4]))
    for name in ("usage", "tenure"):
        one, other = whole.counts[name], merged.counts[name]
        assert np.array_equal(one.cells, other.cells)
        assert one.sums == other.sums
        assert (one.minimum, one.maximum, one.missing) == (other.minimum, other.maximum, other.missing)
    assert whole.counts["contract"] == merged.counts["contract"]
    for part in ("sums", "products", "squares", "cubes"):
        assert np.array_equal(getattr(whole.joint, part), getattr(merged.joint, part))
    assert merged.rows == 150_000


def test_sum_products_when_scores_are_largest_then_equals_integer_arithmetic():
    generator = np.random.default_rng(11)
    for rows in (1, 255, 256, 40_001, 65_536):
        scores = score_rows(3, rows)
        scores[0, :rows], scores[1, :rows] = 255, -255
        scores[2, :rows] = generator.integers(-255, 256, rows)
        whole = scores.astype(np.int64)
        found = sum_products(("a", "b", "c"), scores, rows, fourth=False)
        assert np.array_equal(found.products, whole @ whole.T)
        assert np.array_equal(found.sums, whole.sum(axis=1))


@pytest.mark.parametrize("levels", [2, 50])
def test_count_levels_when_a_code_has_no_level_then_refused(levels):
    names = tuple(f"level {place}" for place in range(levels))
    with pytest.raises(ValueError, match=r"codes|negative"):
        count_levels(np.array([0, levels, 1], dtype=np.int32), names)
    with pytest.raises(ValueError, match=r"codes|negative"):
        count_levels(np.array([0, -2, 1], dtype=np.int32), names)


def test_count_levels_when_levels_are_few_or_many_then_counts_agree():
    codes = np.random.default_rng(12).integers(-1, 3, 5000).astype(np.int8)
    few = count_levels(codes, ("a", "b", "c"))
    many = count_levels(codes, tuple("abcdefghijkl"))
    assert few == many
    assert few.missing == int((codes == -1).sum())


def test_count_rows_when_two_threads_count_at_once_then_they_do_not_share_buffers():
    generator = np.random.default_rng(13)
    tables = [table(generator, 70_000) for _ in range(6)]
    layout = build_profile(tables[0], SPECS).layout
    alone = [count_rows(layout, part) for part in tables]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda part: count_rows(layout, part), tables))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.joint.products, other.joint.products)
        assert np.array_equal(one.counts["usage"].cells, other.counts["usage"].cells)
        assert one.counts["usage"].sums == other.counts["usage"].sums


def test_merge_when_layouts_differ_then_refused():
    one = build_profile({"x": np.arange(10)}, {"x": ColumnSpec("numeric")})
    other = build_profile({"x": np.arange(11)}, {"x": ColumnSpec("numeric")})
    with pytest.raises(ValueError, match="different layouts"):
        one.merge(other)


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e9])
def test_mean_and_deviation_when_values_are_ordinary_then_close_to_numpy(scale):
    values = np.random.default_rng(0).normal(50, 3, 20_000) * scale
    layout = choose_layout(values[:500], ColumnSpec("numeric"))
    mean, deviation = mean_and_deviation(
        layout, count_numbers(layout, read_numbers(values)).sums, len(values)
    )
    assert mean == pytest.approx(values.mean(), rel=1e-9)
    assert deviation == pytest.approx(values.std(), rel=1e-6)


def test_mean_when_values_lie_far_beyond_the_reference_then_still_close():
    layout = choose_layout(np.arange(10.0), ColumnSpec("numeric"))
    values = np.array([1.0, 2.0, 5e6, -3e8, 7e11])
    mean, deviation = mean_and_deviation(layout, count_numbers(layout, read_numbers(values)).sums, 5)
    assert mean == pytest.approx(values.mean(), rel=1e-6)
    assert deviation == pytest.approx(values.std(), rel=1e-3)


@pytest.mark.parametrize(
    "column",
    [
        np.array(["1", "2", "1"], dtype=object),
        np.array([1, 2, 1]),
        np.array([1.0, 2.0, 1.0]),
        DictionaryColumn(np.array([0, 1, 0]), ("1", "2")),
        DictionaryColumn(np.array([1, 0, 1]), (2, 1)),
        np.ma.MaskedArray([1, 2, 1], mask=[False, False, False]),
    ],
)
def test_read_levels_when_the_same_codes_have_another_type_then_levels_agree(column):
    codes, levels = read_levels(column)
    assert [levels[code] for code in codes] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("column", "finite", "missing", "unreadable"),
    [
        (np.array(["1", " 2.5 ", "n/a", "", "x", None], dtype=object), [1.0, 2.5], 3, 1),
        (np.array(["9007199254740993", "1"], dtype=object), [9007199254740993, 1], 0, 0),
        (np.ma.MaskedArray([2**53 + 1, 5], mask=[False, True]), [2**53 + 1], 1, 0),
        (np.array([1.0, np.nan, np.inf]), [1.0], 1, 0),
        (np.array([True, False]), [1, 0], 0, 0),
        (np.array([2**64 - 1, 1], dtype=np.uint64), [2.0**64, 1.0], 0, 0),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), [], 0, 1),
        (np.array([[1], {}], dtype=object), [], 0, 2),
        (np.array([], dtype=object), [], 0, 0),
        (DictionaryColumn(np.array([0, -1]), ("7",)), [7], 1, 0),
    ],
)
def test_read_numbers_when_cells_are_mixed_then_counts_each_kind(column, finite, missing, unreadable):
    read = read_numbers(column)
    assert read.finite.tolist() == finite
    assert (read.missing, read.unreadable) == (missing, unreadable)
    assert read.rows == len(column)


def test_kolmogorov_smirnov_when_distinct_values_are_few_then_equals_scipy():
    generator = np.random.default_rng(8)
    for rows in (7, 40, 900):
        first, second = generator.normal(size=3000).round(2), generator.normal(0.1, 1.2, rows).round(2)
        layout = choose_layout(first, ColumnSpec("numeric"))
        result = kolmogorov_smirnov_test(
            count_numbers(layout, read_numbers(first)).cells,
            count_numbers(layout, read_numbers(second)).cells,
        )
        expected = stats.ks_2samp(first, second, method="asymp")
        assert result.statistic == result.statistic_upper
        assert math.isclose(result.statistic, expected.statistic, rel_tol=0, abs_tol=1e-12)
        assert math.isclose(result.p_value, expected.pvalue, rel_tol=1e-12, abs_tol=1e-300)


@pytest.mark.parametrize("rows", [50_000, 300_000])
@pytest.mark.parametrize("scaled", [1e-6, 0.03, 0.044, 2.3, 9.0, 80.0])
def test_kolmogorov_p_value_when_samples_are_large_then_equals_scipy(rows, scaled):
    effective = rows / 2
    statistic = math.sqrt(scaled / effective)
    expected = float(stats.kstwo.sf(statistic, effective))
    assert math.isclose(kolmogorov_p_value(statistic, rows, rows), expected, rel_tol=1e-12)
