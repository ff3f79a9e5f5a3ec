import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from sagemaker_jobs.bootstrap_intervals import MAXIMUM_EXACT_GROUPS, estimate_metrics
from sagemaker_jobs.classification_metrics import make_score_table


def draw(rows, seed=1):
    generator = np.random.default_rng(seed)
    scores = generator.beta(1.0, 2.5, rows)
    return (generator.random(rows) < scores).astype(np.int8), scores


def estimate(labels, scores, seed=3, **options):
    return estimate_metrics(make_score_table(np.asarray(labels), np.asarray(scores), 0.5), seed, **options)


def test_intervals_when_the_plain_bootstrap_is_run_then_agree_with_it():
    labels, scores = draw(400)
    generator = np.random.default_rng(0)
    plain = []
    for _ in range(500):
        rows = generator.integers(0, len(labels), len(labels))
        y, p = labels[rows], scores[rows]
        plain.append([roc_auc_score(y, p), average_precision_score(y, p), brier_score_loss(y, p)])
    plain = np.array(plain)

    metrics, _ = estimate(labels, scores)

    for column, name in enumerate(("roc_auc", "pr_auc", "brier_score")):
        deviation = plain[:, column].std(ddof=1)
        assert metrics[name].standard_deviation == pytest.approx(deviation, rel=0.15)
        for found, share in ((metrics[name].lower, 0.025), (metrics[name].upper, 0.975)):
            assert found == pytest.approx(np.quantile(plain[:, column], share), abs=0.35 * deviation)


def test_accuracy_interval_when_computed_then_agrees_with_the_binomial_one():
    labels, scores = draw(2000)
    accuracy = estimate(labels, scores)[0]["accuracy"]

    expected = (accuracy.value * (1 - accuracy.value) / 2000) ** 0.5
    assert accuracy.standard_deviation == pytest.approx(expected, rel=0.06)
    assert accuracy.upper - accuracy.lower == pytest.approx(2 * 1.96 * expected, rel=0.08)


def test_intervals_when_the_truth_is_known_then_cover_it_about_as_often_as_they_say():
    truth = roc_auc_score(*draw(400_000, seed=99))
    intervals = [estimate(*draw(300, seed), replicates=200)[0]["roc_auc"] for seed in range(200)]

    covered = np.mean([interval.lower <= truth <= interval.upper for interval in intervals])
    assert 0.89 <= covered <= 0.99


def test_intervals_when_scores_are_binned_then_agree_with_the_exact_ones(monkeypatch):
    labels, scores = draw(3000)
    exact, exact_method = estimate(labels, scores)
    monkeypatch.setattr("sagemaker_jobs.bootstrap_intervals.MAXIMUM_EXACT_GROUPS", 100)
    binned, binned_method = estimate(labels, scores)

    assert "distinct score (3000)" in exact_method.method
    assert "bins of equal size" in binned_method.method
    for name, metric in exact.items():
        assert binned[name].value == metric.value
        assert binned[name].standard_deviation == pytest.approx(metric.standard_deviation, rel=0.12)


def test_intervals_when_the_seed_is_the_same_then_are_the_same_and_else_not():
    labels, scores = draw(500)

    assert estimate(labels, scores, seed=1) == estimate(labels, scores, seed=1)
    assert estimate(labels, scores, seed=1)[0] != estimate(labels, scores, seed=2)[0]


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([0, 1], [0.2, 0.8]),
        ([0] * 50 + [1], [0.1] * 50 + [0.9]),
        ([1] * 50 + [0], [0.9] * 50 + [0.1]),
        ([0, 1, 0, 1], [0.3] * 4),
        ([0, 1, 0, 1], [0.0, 1.0, 0.0, 1.0]),
        ([0, 1, 0, 1], [1.0, 0.0, 1.0, 0.0]),
    ],
)
def test_estimates_when_the_test_set_is_degenerate_then_are_numbers(labels, scores):
    metrics, bootstrap = estimate(labels, scores)

    for metric in metrics.values():
        assert np.isfinite([metric.value, metric.standard_deviation, metric.lower, metric.upper]).all()
        assert metric.lower <= metric.upper
    assert bootstrap.replicates == 2000


def test_replicates_when_a_class_can_be_missed_then_are_drawn_again_and_counted():
    assert estimate([0] * 50 + [1], [0.1] * 50 + [0.9])[1].discarded > 100
    assert estimate(*draw(500))[1].discarded == 0


def test_time_when_the_test_set_grows_then_stays_bounded():
    small = make_score_table(*draw(MAXIMUM_EXACT_GROUPS), 0.5)
    large = make_score_table(*draw(1_000_000), 0.5)

    started = time.process_time()
    estimate_metrics(small, 1)
    seconds_small = time.process_time() - started
    started = time.process_time()
    estimate_metrics(large, 1)
    seconds_large = time.process_time() - started

    assert seconds_large < 2 * seconds_small + 1
