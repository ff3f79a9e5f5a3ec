"""A day's figures: which, under which names and time, and that CloudWatch takes every one of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.drift_alerts.metric_data import (
    MOST_METRICS_PER_REQUEST,
    Metric,
    accepted,
    day_metrics,
    dimension_value,
    metric_requests,
    metric_time,
    metrics_fingerprint,
)
from tests.unit.drift_alerts.days import judged_day, outage_day, summary
from tests.unit.drift_alerts.documented_rules import put_metric_data_breaches
from tests.unit.drift_alerts.drift_reports import DATE, broken, drifted, performance, quantity, report

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def figures(document):
    return {
        (metric.name, metric.feature): metric.value
        for metric in day_metrics(judged_day(document), summary(document))
    }


def requests(metrics, timestamp=NOW):
    return metric_requests(metrics, namespace="TelecomChurn", group="telecom-churn", timestamp=timestamp)


def test_metrics_when_the_day_is_quiet_then_are_published_all_the_same():
    assert figures(report()) == {
        ("BatchMissing", None): 0.0,
        ("BatchAgeHours", None): 3.25,
        ("Rows", None): 1000.0,
        ("Verdict", None): 0.0,
        ("DriftDetected", None): 0.0,
        ("DataBreak", None): 0.0,
        ("AlertOpen", None): 0.0,
        ("PredictedChurnRate", None): 0.264,
        ("FeatureEffectSize", "tenure"): 0.012,
        ("FeatureAdjustedPValue", "tenure"): 1.0,
        ("FeatureMissingShare", "tenure"): 0.0,
        ("FeatureEffectSize", "contract"): 0.004,
        ("FeatureAdjustedPValue", "contract"): 1.0,
        ("FeatureMissingShare", "contract"): 0.0,
    }


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (drifted(), {"Verdict": 2.0, "DriftDetected": 1.0, "DataBreak": 0.0, "AlertOpen": 1.0}),
        (broken(), {"Verdict": 3.0, "DriftDetected": 0.0, "DataBreak": 1.0, "AlertOpen": 1.0}),
        (report(verdict="insufficient_data"), {"Verdict": 1.0, "DriftDetected": 0.0, "AlertOpen": 0.0}),
        (report(performance=performance()), {"Accuracy": 0.71, "RocAuc": 0.74}),
    ],
)
def test_metrics_when_the_day_is_not_quiet_then_say_how(document, expected):
    found = figures(document)
    assert {name: found[name, None] for name in expected} == expected


@pytest.mark.parametrize("is_open", [False, True])
def test_metrics_when_no_batch_came_then_say_that_and_whether_an_alert_is_open(is_open):
    day = replace(outage_day(), has_open_alert=is_open)
    assert [(metric.name, metric.value) for metric in day_metrics(day, None)] == [
        ("BatchMissing", 1.0),
        ("AlertOpen", float(is_open)),
    ]


def test_metrics_when_the_batch_is_stale_then_also_say_its_age():
    assert {metric.name: metric.value for metric in day_metrics(outage_day("stale"), None)} == {
        "BatchMissing": 1.0,
        "BatchAgeHours": 30.5,
        "AlertOpen": 0.0,
    }


def test_metrics_when_a_figure_is_unknown_then_it_is_left_out():
    gone = quantity(
        effect_size=None, adjusted_p_value=None, missing=None, verdict="data_break", tests=[], summary={}
    )
    assert not [key for key in figures(report(features=[gone])) if key[1] == "tenure"]


def test_requests_when_made_then_name_group_and_feature_and_file_under_the_time_given():
    first, last = Metric("Rows", 1000.0, "Count"), Metric("FeatureEffectSize", 0.4, feature="tenure")
    (request,) = requests([first, last])
    group = {"Name": "ModelPackageGroup", "Value": "telecom-churn"}
    assert request == {
        "Namespace": "TelecomChurn",
        "MetricData": [
            {
                "MetricName": "Rows", "Dimensions": [group], "Timestamp": NOW, "Value": 1000.0,
                "Unit": "Count",
            },
            {
                "MetricName": "FeatureEffectSize",
                "Dimensions": [group, {"Name": "Feature", "Value": "tenure"}],
                "Timestamp": NOW, "Value": 0.4, "Unit": "None",
            },
        ],
    }  # fmt: skip


def test_requests_when_there_are_thousands_of_long_names_then_each_holds_what_cloudwatch_takes():
    metrics = [Metric("FeatureEffectSize", n / 7, feature="é" * 300 + str(n)) for n in range(1200)]
    metrics += [Metric("FeatureEffectSize", n / 7, feature=f"c{n}") for n in range(2500)]
    made = requests(metrics)
    assert max(len(request["MetricData"]) for request in made) == MOST_METRICS_PER_REQUEST
    assert min(len(request["MetricData"]) for request in made[:-1]) < MOST_METRICS_PER_REQUEST
    assert sum(len(request["MetricData"]) for request in made) == len(metrics)
    for request in made:
        assert put_metric_data_breaches(request, NOW) == []


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.text(max_size=400), max_size=20, unique=True),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_requests_when_names_and_values_are_hostile_then_cloudwatch_takes_them(names, value):
    made = requests([Metric("FeatureEffectSize", value, feature=name) for name in names])
    assert sum(len(request["MetricData"]) for request in made) == len(names)
    for request in made:
        assert put_metric_data_breaches(request, NOW) == []


@pytest.mark.parametrize(
    ("value", "taken"),
    [(0.5, 0.5), (1e-300, 0.0), (-1e-300, 0.0), (1e300, 2.0**360), (-1e300, -(2.0**360)), (-0.0, 0.0)],
)
def test_value_when_out_of_range_then_becomes_the_nearest_that_is_taken(value, taken):
    assert accepted(value) == taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MonthlyCharges ($)", "MonthlyCharges ($)"),
        ("Prénom", "Pr%C3%A9nom"),
        ("100 %", "100 %25"),
        (":colon", "%3Acolon"),
        (" edge", "%20edge"),
        ("", "%"),
        ("a\nb", "a%0Ab"),
    ],
)
def test_dimension_when_a_name_is_unusual_then_it_stays_readable_and_distinct(name, value):
    assert dimension_value(name) == value


def test_dimension_when_two_long_names_differ_at_the_end_then_so_do_their_values():
    first, second = dimension_value("x" * 999 + "a"), dimension_value("x" * 999 + "b")
    assert first != second
    assert len(first) == len(second) == 250


@pytest.mark.parametrize(
    ("now", "filed"),
    [
        ("2026-11-25T00:10:00", "2026-11-24T23:00:00"),
        ("2026-11-24T09:17:42", "2026-11-24T09:17:00"),
        ("2026-12-08T22:00:00", "2026-11-24T23:00:00"),
        ("2026-12-08T23:00:00", None),
        ("2026-11-23T23:59:00", None),
    ],
)
def test_time_when_a_day_is_published_then_lies_on_that_day_or_there_is_none(now, filed):
    found = metric_time(DATE, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (filed and datetime.fromisoformat(filed).replace(tzinfo=UTC))


def test_time_when_figures_are_corrected_then_lies_a_minute_later_but_on_the_same_day():
    first = metric_time(DATE, NOW)
    assert metric_time(DATE, NOW, revision=1) - first == timedelta(minutes=1)
    assert metric_time(DATE, NOW, revision=500).date() == first.date()


def test_fingerprint_when_a_figure_changes_then_changes():
    one = [Metric("Rows", 1.0, "Count")]
    assert metrics_fingerprint(one) == metrics_fingerprint([Metric("Rows", 1.0, "Count")])
    assert metrics_fingerprint(one) != metrics_fingerprint([Metric("Rows", 2.0, "Count")])
    assert metrics_fingerprint(one) != metrics_fingerprint([Metric("Rows", 1.0, "Count", feature="x")])
