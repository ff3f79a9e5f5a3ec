"""Alerts on performance: a year of daily looks stays quiet, a real fall does not."""

from itertools import pairwise

import numpy as np
import pytest

from include.drift_statistics.performance_drift import RegisteredPerformance, performance_drift
from include.drift_statistics.return_to_baseline import SMALLEST_WINDOW
from sagemaker_jobs.performance_alerts import (
    LabelledBatch,
    PerformanceBaseline,
    PerformanceStanding,
    PerformanceWalk,
)

ROWS = 150
REGISTERED_ROWS = 1409


def draw(generator, rows, signal=1.0):
    """Calibrated scores and their labels; a smaller signal makes the same scores worse."""
    scores = generator.beta(0.8, 2.2, rows)
    chances = scores.mean() + signal * (scores - scores.mean())
    return (generator.random(rows) < chances).astype(float), scores


def registered(generator):
    labels, scores = draw(generator, REGISTERED_ROWS)
    batch = LabelledBatch.of("registered", labels, scores, 0.5)
    performance = RegisteredPerformance(batch.hits / batch.rows, batch.roc_auc, batch.rows)
    deviation = np.sqrt(batch.gap_variance) / batch.rows
    return PerformanceBaseline(performance, batch.roc_auc_deviation, batch.gap_sum / batch.rows, deviation)


def batches(generator, count, signal=1.0, first=0, rows=ROWS):
    return [
        LabelledBatch.of(f"day {first + day:04d}", *draw(generator, rows, signal), 0.5)
        for day in range(count)
    ]


def walk(baseline, labelled, yearly=0.01):
    walked = PerformanceWalk(baseline, yearly)
    standings = []
    for batch in labelled:
        walked.add(batch)
        standings.append(walked.standing)
    return standings


def test_year_of_labels_when_nothing_changed_then_never_alerts_though_daily_verdicts_do():
    daily, alerts = 0, 0
    for year in range(10):
        generator = np.random.default_rng([7, year])
        baseline = registered(generator)
        alerts += any(standing.open_measures for standing in walk(baseline, batches(generator, 365)))
        for _ in range(36):
            daily += performance_drift(*draw(generator, ROWS), baseline.registered).verdict == "drift"

    # The budget of .01 a year allows a tenth of an alert in ten years.
    assert alerts == 0
    assert daily >= 5, "the daily verdict alone would have cried wolf, or this proves nothing"


def test_fall_when_it_is_ten_points_then_alerts_within_two_weeks():
    delays = []
    for seed in range(5):
        generator = np.random.default_rng([9, seed])
        baseline = registered(generator)
        standings = walk(baseline, [*batches(generator, 20), *batches(generator, 30, 0.35, first=20)])
        assert not any(standing.open_measures for standing in standings[:20])
        delays.append(next(day for day, standing in enumerate(standings[20:], 1) if standing.open_measures))

    assert max(delays) <= 14


def test_fall_when_it_is_over_then_clears_soon_and_not_before_five_labelled_batches():
    generator = np.random.default_rng(3)
    baseline = registered(generator)
    bad, good = batches(generator, 6, -1.0, rows=1000), batches(generator, 40, first=6, rows=1000)
    standings = walk(baseline, [*bad, *good])

    assert standings[5].since == "day 0000"
    cleared = next(day for day, standing in enumerate(standings[6:], 1) if not standing.open_measures)
    assert SMALLEST_WINDOW <= cleared <= 10
    assert standings[-1] == PerformanceStanding()


def test_fall_when_it_lasts_then_one_alert_that_never_clears():
    """A fall just beyond the allowed one is often not to be seen on five batches, and is there."""
    generator = np.random.default_rng([11, 5])
    baseline = registered(generator)
    labelled = [
        *batches(generator, 20, rows=600),
        *batches(generator, 345, 0.75, first=20, rows=600),
    ]
    is_open = [bool(standing.open_measures) for standing in walk(baseline, labelled)]
    assert sum(now != before for before, now in pairwise(is_open)) == 1
    assert is_open[-1]


def test_labels_when_they_come_late_then_the_standing_is_that_of_their_order():
    generator = np.random.default_rng(5)
    baseline = registered(generator)
    labelled = [*batches(generator, 8), *batches(generator, 8, 0.0, first=8)]
    shuffled = [labelled[at] for at in generator.permutation(len(labelled))]

    assert walk(baseline, shuffled)[-1] == walk(baseline, labelled)[-1]
    assert walk(baseline, [*labelled, labelled[3]])[-1] == walk(baseline, labelled)[-1]


def test_batch_when_it_has_one_class_then_has_no_auc_and_is_kept():
    batch = LabelledBatch.of("day", np.zeros(5), np.full(5, 0.2), 0.5)

    assert (batch.roc_auc, batch.hits) == (None, 5)
    assert LabelledBatch.from_mapping(batch.to_mapping()) == batch


def test_baseline_when_read_from_an_evaluation_then_knows_its_own_errors(approved):
    from sagemaker_jobs.labelled_performance import read_evaluation

    report = read_evaluation(approved.evaluation)
    baseline = PerformanceBaseline.from_evaluation(report)

    assert baseline.registered.rows == report.dataset.item_count == 1600
    assert abs(baseline.calibration_gap) < 3 * baseline.calibration_deviation
    assert baseline.roc_auc_deviation == pytest.approx(report.metric("roc_auc").standard_deviation)
