"""Drift of scores and of performance."""

import json

import numpy as np
import pytest

from include.drift_statistics.performance_drift import (
    PerformanceRule,
    RegisteredPerformance,
    area_under_curve,
    performance_drift,
)
from include.drift_statistics.prediction_drift import compare_predictions, profile_scores

REGISTERED = RegisteredPerformance(accuracy=0.80, roc_auc=0.80, rows=1400)


def scores(seed, rows, shift=0.0):
    return 1 / (1 + np.exp(-np.random.default_rng(seed).normal(-1 + shift, 1.2, rows)))


@pytest.fixture(scope="module")
def reference():
    return profile_scores(scores(0, 5000), 0.5)


def compare(reference, current):
    result = compare_predictions(reference, profile_scores(current, 0.5, reference))
    json.dumps(result.to_mapping(), allow_nan=False)
    return result


def test_compare_predictions_when_scores_are_alike_then_quiet(reference):
    assert compare(reference, scores(1, 1000)).verdict == "no_drift"


@pytest.mark.parametrize(
    ("predicted", "rate"),
    [
        (np.full(1000, 0.97), 1.0),
        (np.full(1000, 1.0), 1.0),
        (np.random.default_rng(5).uniform(0.6, 0.99, 1000), 1.0),
        (np.full(1000, 0.03), 0.0),
        (np.random.default_rng(6).uniform(0.0, 0.3, 1000), 0.0),
        (1 - scores(7, 1000), None),
    ],
)
def test_compare_predictions_when_the_model_says_another_thing_of_everybody_then_drift(
    reference, predicted, rate
):
    result = compare(reference, predicted)
    assert result.verdict == "drift", result.sentence
    assert rate is None or result.current_rate == rate


def test_compare_predictions_when_the_reference_never_predicted_churn_then_churn_is_drift():
    mild = profile_scores(np.random.default_rng(0).uniform(0.200, 0.201, 5000), 0.5)
    assert compare(mild, np.random.default_rng(1).uniform(0.6, 0.9, 1000)).verdict == "drift"


@pytest.mark.parametrize("bad", [np.nan, 1.5, np.inf])
def test_compare_predictions_when_scores_are_none_then_data_break(reference, bad):
    broken = scores(8, 1000)
    broken[:300] = bad
    assert compare(reference, broken).verdict == "data_break"


def test_compare_predictions_when_scores_shift_then_drift_and_rates_are_told(reference):
    result = compare(reference, scores(2, 1000, shift=0.4))
    assert result.verdict == "drift"
    assert "predicted churn rate" in result.sentence
    assert result.rate_p_value < 0.01


def test_compare_predictions_when_few_then_insufficient(reference):
    assert compare(reference, scores(3, 5)).verdict == "insufficient_data"


def labelled(seed, rows, noise):
    generator = np.random.default_rng(seed)
    probability = 1 / (1 + np.exp(-generator.normal(0, 2.2, rows)))
    label = (generator.random(rows) < probability).astype(float)
    flipped = generator.random(rows) < noise
    return np.where(flipped, 1 - label, label), probability


def test_performance_drift_when_the_model_is_as_registered_then_quiet():
    label, score = labelled(0, 3000, 0.0)
    result = performance_drift(label, score, REGISTERED)
    assert result.verdict == "no_drift", result.sentence
    assert [measure.name for measure in result.measures] == ["accuracy", "roc_auc", "calibration_gap"]
    json.dumps(result.to_mapping(), allow_nan=False)


def test_performance_drift_when_accuracy_fell_by_more_than_five_points_then_drift():
    label, score = labelled(1, 3000, 0.2)
    result = performance_drift(label, score, REGISTERED)
    assert result.verdict == "drift"
    assert "accuracy" in result.sentence


def test_performance_drift_when_scores_run_high_then_calibration_is_named():
    generator = np.random.default_rng(2)
    score = generator.uniform(0.3, 0.9, 3000)
    label = (generator.random(3000) < score - 0.15).astype(float)
    result = performance_drift(label, score, RegisteredPerformance(0.55, 0.5, 1000))
    assert result.verdict == "drift"
    assert "churn rate" in result.sentence


def residual_gap(seed, rows, gap):
    generator = np.random.default_rng(seed)
    score = generator.uniform(0.2, 0.8, rows)
    return (generator.random(rows) < score + gap).astype(float), score


def test_performance_drift_when_the_gap_is_the_registered_one_then_quiet_and_when_it_moved_then_drift():
    known = RegisteredPerformance(0.6, 0.5, 2000, 0.02, calibration_gap=0.08, calibration_deviation=0.01)
    as_before = performance_drift(*residual_gap(4, 3000, 0.08), known)
    assert as_before.verdict == "no_drift", as_before.sentence
    assert as_before.measures[-1].registered == 0.08
    better = performance_drift(*residual_gap(5, 3000, -0.04), known)
    assert better.verdict == "drift"
    assert "registered +0.080" in better.sentence


def test_performance_drift_when_registered_values_are_uncertain_then_less_is_sure():
    label, score = labelled(6, 400, 0.12)
    values = {}
    for deviation in (0.0, 0.05):
        known = RegisteredPerformance(0.8, 0.87, 100_000, deviation, 0.0, deviation)
        measures = performance_drift(label, score, known).measures
        values[deviation] = {measure.name: measure.p_value for measure in measures}
    for name in ("roc_auc", "calibration_gap"):
        assert values[0.0][name] < values[0.05][name]
    few = performance_drift(label, score, RegisteredPerformance(0.8, 0.87, 100)).measures[0].p_value
    assert values[0.0]["accuracy"] < few


def test_performance_drift_when_it_has_a_part_of_alpha_then_quiet_labels_alarm_no_more_than_that():
    alarms = 0
    for seed in range(600):
        generator = np.random.default_rng([5, seed])
        chances = generator.beta(0.8, 2.2, 1409 + 150)
        label = (generator.random(len(chances)) < chances).astype(float)
        y, p = label[:1409], chances[:1409]
        area, deviation = area_under_curve(y, p)
        gap, error = float((y - p).mean()), float(np.sqrt((p * (1 - p)).sum()) / 1409)
        known = RegisteredPerformance(float(((p >= 0.5) == y).mean()), area, 1409, deviation, gap, error)
        rule = PerformanceRule(family_share=0.5)
        alarms += performance_drift(label[1409:], chances[1409:], known, rule=rule).verdict == "drift"
    assert alarms / 600 <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 600)


def test_performance_drift_when_labels_have_not_come_then_insufficient_with_rows_needed():
    label, score = labelled(3, 500, 0.0)
    label[60:] = np.nan
    result = performance_drift(label, score, REGISTERED)
    assert result.verdict == "insufficient_data"
    assert result.rows_needed > 400


def test_performance_drift_when_one_class_only_then_no_auc_and_no_crash():
    result = performance_drift(np.ones(200), np.full(200, 0.9), REGISTERED)
    assert [measure.name for measure in result.measures] == ["accuracy", "calibration_gap"]


@pytest.mark.parametrize(
    ("label", "score", "message"),
    [([0, 1], [0.5], "shape"), ([2, 1], [0.5, 0.5], "2.0"), ([0, 1], [0.5, 1.5], "outside")],
)
def test_performance_drift_when_input_is_wrong_then_refused(label, score, message):
    with pytest.raises(ValueError, match=message):
        performance_drift(label, score, REGISTERED)


def test_area_under_curve_when_small_example_then_counted_pairs_and_delong_error():
    y, p = np.array([1, 1, 0, 0, 1.0]), np.array([0.9, 0.4, 0.4, 0.1, 0.8])
    value, deviation = area_under_curve(y, p)
    pairs = [(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]
    assert value == pytest.approx(np.mean(pairs))
    grid = np.array(pairs).reshape(3, 2)
    variance = grid.mean(1).var(ddof=1) / 3 + grid.mean(0).var(ddof=1) / 2
    assert deviation == pytest.approx(np.sqrt(variance))
