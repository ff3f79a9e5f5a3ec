"""Bad batches: each gets a verdict, never a crash, never NaN."""

import json

import numpy as np
import pytest

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.comparison import compare_profiles, rows_needed
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.profiles import build_profile, count_rows

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
