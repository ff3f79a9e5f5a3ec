"""Bad batches: each gets a verdict, never a crash, never NaN."""

import json

import numpy as np
import pytest
from scipy import stats

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.column_results import ColumnFinding, Correction, Sufficiency, to_result
from include.drift_statistics.comparison import compare_profiles, rows_needed
from include.drift_statistics.drift_report import ColumnCounts
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.numeric_comparison import Evidence
from include.drift_statistics.profile_files import profile_bytes, read_profile
from include.drift_statistics.profiles import build_profile, count_rows
from include.drift_statistics.value_ranges import out_of_range

SPECS = {
    "number": ColumnSpec("numeric"),
    "whole": ColumnSpec("numeric"),
    "level": ColumnSpec("categorical"),
    "constant": ColumnSpec("numeric"),
    "absent": ColumnSpec("numeric"),
}


def table(rows, seed=0):
    generator = np.random.default_rng(seed)
    return {
        "number": generator.normal(size=rows),
        "whole": generator.integers(0, 50, rows),
        "level": generator.choice(np.array(["a", "b", "c"], dtype=object), rows),
        "constant": np.full(rows, 7.0),
        "absent": np.full(rows, np.nan),
    }


@pytest.fixture(scope="module")
def reference():
    return build_profile(table(4000), SPECS)


def report_on(reference, columns):
    report = compare_profiles(reference, count_rows(reference.layout, columns))
    json.dumps(report.to_mapping(), allow_nan=False)
    return report


def changed(**columns):
    return {**table(1000, 1), **columns}


ROWS = 1000


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        (table(1000, 2), "no_drift"),
        (table(0), "insufficient_data"),
        (table(1), "insufficient_data"),
        (table(29), "insufficient_data"),
        ({}, "data_break"),
        (changed(number=np.full(ROWS, np.nan)), "data_break"),
        (changed(number=np.full(ROWS, "text", dtype=object)), "data_break"),
        (changed(number=np.full(ROWS, np.inf)), "data_break"),
        (changed(number=np.zeros(ROWS)), "data_break"),
        (changed(number=np.full(ROWS, -999.0)), "data_break"),
        (changed(level=np.full(ROWS, None, dtype=object)), "data_break"),
        (changed(level=np.full(ROWS, "a", dtype=object)), "data_break"),
        (changed(level=np.full(ROWS, "new", dtype=object)), "data_break"),
        (changed(level=np.full(ROWS, np.nan)), "data_break"),
        (changed(whole=table(1000, 5)["whole"].astype(str).astype(object)), "no_drift"),
        (changed(whole=table(1000, 5)["whole"].astype(float)), "no_drift"),
        (changed(constant=np.full(ROWS, 7)), "no_drift"),
        (changed(constant=np.full(ROWS, 8.0)), "drift"),
        (changed(absent=np.arange(1000.0)), "drift"),
        ({name: column for name, column in changed().items() if name != "level"}, "data_break"),
        ({**changed(), "extra": np.arange(1000)}, "no_drift"),
    ],
)
def test_compare_profiles_when_batch_is_degenerate_then_verdict(reference, columns, verdict):
    report = report_on(reference, columns)
    assert report.verdict == verdict, report.sentence
    assert len(report.features) == len(SPECS)


def test_compare_profiles_when_a_column_is_new_then_says_so(reference):
    report = report_on(reference, {**changed(), "extra": np.arange(1000)})
    assert report.notes == ("column extra is new and was not compared",)


def test_compare_profiles_when_the_batch_is_counted_elsewhere_then_refused(reference):
    other = build_profile(table(1000, 9), SPECS)
    with pytest.raises(ValueError, match="another layout"):
        compare_profiles(reference, other)


def test_compare_profiles_when_no_joint_share_is_set_then_dependence_never_alarms(reference):
    rule = DriftRule(joint_share=0.0)
    report = compare_profiles(reference, count_rows(reference.layout, table(1000, 2)), rule)
    assert report.joint.verdict == "no_drift"


def test_compare_profiles_when_codes_change_type_then_no_drift():
    codes = np.random.default_rng(1).integers(0, 3, 3000)
    profile = build_profile({"code": codes.astype(str).astype(object)}, {"code": ColumnSpec("categorical")})
    report = compare_profiles(profile, count_rows(profile.layout, {"code": codes[:1000]}))
    assert report.verdict == "no_drift"
    assert report.features[0].unseen_levels == ()


def test_compare_profiles_when_three_rows_of_a_new_level_come_then_no_alarm_but_listed(reference):
    level = table(1000, 1)["level"]
    level[:3] = "typo"
    report = report_on(reference, changed(level=level))
    assert report.verdict == "no_drift"
    assert next(item for item in report.features if item.name == "level").unseen_levels == (("typo", 3),)


def test_compare_profiles_when_reference_is_tiny_then_insufficient_for_any_batch():
    profile = build_profile(table(10), SPECS)
    report = compare_profiles(profile, count_rows(profile.layout, table(5000, 3)))
    assert report.verdict == "insufficient_data"
    assert report.rows_needed is None
    assert "too small" in report.sentence


def test_compare_profiles_when_values_leave_the_valid_range_then_data_break():
    reference = table(4000)["whole"]
    profile = build_profile({"whole": reference}, {"whole": ColumnSpec("numeric", 0, 60)})
    current = table(1000, 1)["whole"].copy()
    current[:20] = 61
    report = compare_profiles(profile, count_rows(profile.layout, {"whole": current}))
    assert report.verdict == "data_break"
    assert "valid range" in report.sentence


def test_compare_profiles_when_shift_is_below_every_floor_then_no_drift_at_a_million_rows():
    generator = np.random.default_rng(11)
    profile = build_profile({"x": generator.normal(size=1_000_000)}, {"x": ColumnSpec("numeric")})
    current = count_rows(profile.layout, {"x": generator.normal(0.01, 1, 1_000_000)})
    report = compare_profiles(profile, current)
    assert report.verdict == "no_drift"
    assert report.features[0].ks_p_value < 1e-6  # the difference is certain, and does not matter


def test_compare_profiles_when_pairs_change_dependence_only_then_joint_drift():
    generator = np.random.default_rng(12)

    def pair(rows, correlation):
        x = generator.normal(size=rows)
        return {"x": x, "y": correlation * x + np.sqrt(1 - correlation**2) * generator.normal(size=rows)}

    profile = build_profile(pair(8000, 0.3), {"x": ColumnSpec("numeric"), "y": ColumnSpec("numeric")})
    report = compare_profiles(profile, count_rows(profile.layout, pair(1000, 0.5)))
    assert report.verdict == "drift"
    assert report.drifted_features == ()
    assert report.joint.columns == ("x", "y")


def test_rows_needed_when_counted_then_power_is_reached():
    rule = DriftRule()
    needed = rows_needed(8000, 1, rule)
    generator = np.random.default_rng(13)
    profile = build_profile({"x": generator.normal(size=8000)}, {"x": ColumnSpec("numeric")})
    found = [
        compare_profiles(profile, count_rows(profile.layout, {"x": generator.normal(0.5, 1, needed)})).verdict
        == "drift"
        for _ in range(200)
    ]
    assert np.mean(found) > rule.detectable_power - 0.1


def sparse(generator, rows, missing_share, kind):
    present = generator.random(rows) >= missing_share
    if kind == "categorical":
        levels = generator.choice(np.array(["a", "b", "c"], dtype=object), rows)
        return np.where(present, levels, None)
    return np.where(present, generator.normal(size=rows), np.nan)


@pytest.mark.parametrize(
    ("missing_share", "kind"),
    [(0.98, "numeric"), (0.998, "numeric"), (0.9995, "numeric"), (0.999, "categorical")],
)
def test_compare_profiles_when_a_column_is_sparse_on_both_sides_then_stays_quiet(missing_share, kind):
    alarms = 0
    for seed in range(60):
        generator = np.random.default_rng([3, seed])
        columns, batch = (
            {"sparse": sparse(generator, rows, missing_share, kind), "full": generator.normal(size=rows)}
            for rows in (8000, 1000)
        )
        profile = build_profile(columns, {"sparse": ColumnSpec(kind), "full": ColumnSpec("numeric")})
        result = compare_profiles(profile, count_rows(profile.layout, batch)).features[0]
        alarms += result.verdict in {"drift", "data_break"}
    assert alarms <= 5  # at half of alpha 1.4 are expected; six or more have a chance below 1 in 100


def test_compare_profiles_when_a_column_is_sparse_then_it_says_so_and_the_others_are_judged(reference):
    number = np.full(ROWS, np.nan)
    number[:40] = table(40, 4)["number"]
    before = np.full(4000, np.nan)
    before[:160] = table(160, 5)["number"]
    columns = {**table(4000), "number": before}
    profile = build_profile(columns, SPECS)
    report = report_on(profile, changed(number=number))
    result = report.features[0]
    assert (report.verdict, result.verdict) == ("no_drift", "insufficient_data")
    assert "40 of 1,000 rows hold a value" in result.sentence
    shifted = report_on(profile, changed(number=number + 3.0)).features[0]
    assert shifted.verdict == "drift"  # too few to say that nothing changed, enough to say that this much did


def test_compare_profiles_when_no_column_holds_values_enough_then_insufficient():
    columns = {"x": np.where(np.arange(8000) % 1000 == 0, 1.0, np.nan)}
    profile = build_profile(columns, {"x": ColumnSpec("numeric")})
    report = report_on(profile, {"x": columns["x"][:1000]})
    assert report.verdict == "insufficient_data"
    assert "no column holds enough values" in report.sentence


@pytest.mark.parametrize("rows", [1, 2, 5, 20])
def test_compare_profiles_when_a_tiny_batch_misses_what_the_reference_often_misses_then_insufficient(rows):
    number = table(8000)["number"].copy()
    number[::5] = np.nan
    profile = build_profile({"x": number}, {"x": ColumnSpec("numeric")})
    missing = report_on(profile, {"x": np.full(rows, np.nan)})
    expected = "data_break" if 2 * 0.2**rows < 1e-7 else "insufficient_data"
    assert missing.verdict == expected, missing.sentence


def test_compare_profiles_when_pairs_of_columns_hardly_vary_together_then_they_are_not_compared():
    alarms, tested = 0, 0
    for seed in range(60):
        generator = np.random.default_rng([9, seed])
        names = ("x", "y", "z")
        before, now = (
            {name: sparse(generator, rows, 0.98, "numeric") for name in names} for rows in (8000, 1000)
        )
        profile = build_profile(before, {name: ColumnSpec("numeric") for name in names})
        joint = compare_profiles(profile, count_rows(profile.layout, now)).joint
        tested += joint is not None
        alarms += joint is not None and joint.verdict == "drift"
    assert (alarms, tested) == (0, 0)


def test_compare_profiles_when_a_full_column_is_gone_from_a_small_batch_then_data_break(reference):
    gone = {name: np.full(5, np.nan) if name == "number" else column for name, column in table(5, 1).items()}
    report = report_on(reference, gone)
    assert (report.verdict, report.drifted_features) == ("data_break", ("number",))


def test_compare_profiles_when_there_are_two_values_against_one_then_no_certainty():
    before, now = np.full(8000, np.nan), np.full(1000, np.nan)
    before[:2], now[0] = (1.0, 2.0), 9.0
    profile = build_profile({"x": before}, {"x": ColumnSpec("numeric")})
    result = report_on(profile, {"x": now}).features[0]
    assert result.verdict == "insufficient_data"
    assert result.p_value > 0.05


@pytest.mark.parametrize("columns", [table(0), {"whole": table(1000, 1)["whole"]}])
def test_compare_profiles_when_a_column_cannot_be_compared_then_no_figure_pretends_that_it_was(
    reference, columns
):
    result = report_on(reference, columns).features[0]
    assert (result.effect_name, result.effect_size) == ("none", None)
    assert (result.p_value, result.adjusted_p_value) == (None, None)
    assert result.missing is None or result.missing.current_missing_share is None


def test_compare_profiles_when_a_value_piles_up_then_the_sentence_names_it(reference):
    number, whole = table(1000, 1)["number"].copy(), table(1000, 1)["whole"].copy()
    number[:100] = 0.25
    whole[:200] = 17
    found = {item.name: item for item in report_on(reference, changed(number=number, whole=whole)).features}
    pile = {name: next(t for t in found[name].tests if t.test == "one_value") for name in ("number", "whole")}
    assert "share of the value 17 higher by" in pile["whole"].sentence
    assert pile["whole"].statistic >= 200
    low, high = pile["number"].sentence.partition("between ")[2].split(" higher")[0].split(" and ")
    assert float(low) < 0.25 < float(high)


def test_compare_profiles_when_values_leave_the_range_and_levels_vanish_then_each_is_a_result_of_its_own(
    reference,
):
    columns = changed(number=table(1000, 1)["number"] + 1.5)
    columns["level"] = np.where(columns["level"] == "c", "d", columns["level"])
    found = {item.name: {t.test: t for t in item.tests} for item in report_on(reference, columns).features}
    beyond = found["number"]["out_of_range"]
    assert (beyond.verdict, beyond.direction) == ("drift", "above")
    assert beyond.effect == pytest.approx(beyond.statistic / 1000)
    gone, new = found["level"]["vanished_levels"], found["level"]["unseen_levels"]
    assert gone.sentence.endswith("gone: c")
    assert new.sentence.endswith("never had: d")
    for result in (beyond, gone, new):
        assert result.p_value < 1e-6
        assert result.adjusted_p_value <= result.threshold
        assert result.floor == DriftRule().floor_share
    every = [t for tests in found.values() for t in tests.values()]
    assert all(isinstance(t.statistic, float | int) for t in every)


def test_out_of_range_when_nothing_changed_then_its_p_value_is_no_smaller_than_it_should_be():
    layout_of = ColumnSpec("numeric")
    small = 0
    for seed in range(400):
        generator = np.random.default_rng([8, seed])
        profile = build_profile({"x": generator.normal(size=1000)}, {"x": layout_of})
        current = count_rows(profile.layout, {"x": generator.normal(size=1000)}).counts["x"]
        small += out_of_range(profile.layout["x"], profile.counts["x"], current).p_value <= 0.05
    assert small / 400 <= 0.08


@pytest.mark.parametrize("correction", ["holm", "bh", "none"])
def test_compare_profiles_when_a_column_drifts_then_its_components_are_corrected_as_it_was(correction):
    generator = np.random.default_rng(21)
    specs = {f"x{place}": ColumnSpec("numeric") for place in range(10)}
    profile = build_profile({name: generator.normal(size=8000) for name in specs}, specs)
    shifted = {name: generator.normal(0.2 if name < "x8" else 0.0, 1, 1000) for name in specs}
    report = compare_profiles(
        profile, count_rows(profile.layout, shifted), DriftRule(correction=correction, missing_share=0.0)
    )
    drifted = [item for item in report.features if item.verdict == "drift"]
    assert len(drifted) >= 8
    for item in drifted:
        factor = item.adjusted_p_value * 0.95 / item.p_value
        location = next(test for test in item.tests if test.test == "location")
        assert location.adjusted_p_value == pytest.approx(
            max(location.p_value * factor / 0.76 / 0.95, item.adjusted_p_value)
        )
    factors = [item.adjusted_p_value * 0.95 / item.p_value for item in drifted]
    expected = {"holm": (10, 3), "bh": (10, 1.25), "none": (1, 1)}[correction]
    assert max(factors) <= expected[0] + 1e-9
    assert min(factors) == pytest.approx(expected[1], rel=0.5)


def test_to_result_when_a_component_below_its_floor_is_surest_then_it_is_no_reason():
    quiet = Evidence("shape", 0.04, 9.0, "other shape", 1e-9, "ks_distance", 0.001, 0.02)
    counted = Evidence("location", 0.76, 3.0, "higher", 0.04, "normal_score_shift", 0.3, 0.05)
    counts = ColumnCounts(8000, 1000, 0.0, 0.0, 1.0)
    finding = ColumnFinding(0.004, (quiet, counted), (), counts, None, None, (), (), (8000, 1000))
    result = to_result("x", "numeric", finding, Correction(0.04, 10.0), DriftRule(), Sufficiency(True, 50))
    assert result.verdict == "drift"
    assert result.reasons == ("values are higher by 0.30 standard deviations (normal scores)",)


def test_compare_profiles_when_values_are_tripled_then_wasserstein_is_what_the_means_say():
    tenure = np.random.default_rng(1).choice([1, 2, 10, 40, 72], 3000)
    profile = build_profile({"x": tenure}, {"x": ColumnSpec("numeric")})
    result = compare_profiles(profile, count_rows(profile.layout, {"x": tenure[:1000] * 3})).features[0]
    distance = result.effect_sizes["wasserstein_distance"]
    exact = stats.wasserstein_distance(tenure, tenure[:1000] * 3)
    assert distance.value == pytest.approx(exact, rel=0.01)
    assert distance.low < exact < distance.high


def test_compare_profiles_when_the_column_has_a_unit_then_wasserstein_is_in_it():
    spec = ColumnSpec("numeric", unit="months")
    profile = build_profile({"x": np.arange(100)}, {"x": spec})
    stored = read_profile(profile_bytes(profile))
    report = compare_profiles(stored, count_rows(stored.layout, {"x": np.arange(100) + 3}))
    assert report.features[0].effect_sizes["wasserstein_distance"].unit == "months"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpa": 0.05}, "alpa"),
        ({"alpha": 1.5}, "alpha"),
        ({"correction": "sidak"}, "sidak"),
        ({"floor_distance": "wide"}, "floor_distance"),
        ({"alpha": float("nan")}, "alpha"),
    ],
)
def test_drift_rule_when_a_setting_is_wrong_then_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        DriftRule.from_mapping(settings)


def test_drift_rule_when_written_and_read_then_equal():
    rule = DriftRule(alpha=0.01, correction="bh")
    assert DriftRule.from_mapping(json.loads(json.dumps(rule.to_mapping()))) == rule
