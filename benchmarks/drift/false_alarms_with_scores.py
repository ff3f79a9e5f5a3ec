"""False alarms per day of the verdict a monitored day gets: features, dependence, scores and performance.

`PYTHONPATH=. .venvs/sklearn_job/bin/python benchmarks/drift/false_alarms_with_scores.py`, from the
project's root, writes results/false_alarms_with_scores.md. The model is a fixed logit of three columns, its
reference scores and registered performance those of a fifth as many rows as the reference has, as of a test
split. Labels are drawn with the model's own probabilities, for another batch than the day's.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from markdown_tables import wilson, write_table
from telecom_tables import SPECS, Table, draw

from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.performance_drift import (
    RegisteredPerformance,
    area_under_curve,
    performance_drift,
)
from include.drift_statistics.prediction_drift import compare_predictions, profile_scores
from include.drift_statistics.profiles import build_profile, count_rows
from sagemaker_jobs.drift_settings import JobRule

_ALARMS = frozenset({"drift", "data_break"})


@dataclass(frozen=True)
class Setting:
    """Rows of a batch and of its reference, labels that come on the day, and how many days are drawn."""

    rows: int
    reference_rows: int
    labels: int
    replicates: int


SETTINGS = (
    Setting(200, 8_000, 0, 4_000),
    Setting(1_000, 8_000, 0, 4_000),
    Setting(8_000, 64_000, 0, 1_000),
    Setting(200, 8_000, 200, 2_000),
    Setting(1_000, 8_000, 500, 2_000),
)


def score(table: Table) -> npt.NDArray[np.float64]:
    """Churn probability of each row."""
    logit = -1.0 - 0.03 * (table["tenure"] - 36) + 0.02 * (table["charge"] - 65) + 0.3 * (table["calls"] - 3)
    return np.asarray(1 / (1 + np.exp(-logit)))


def alarms_of_a_day(seed: int, setting: Setting) -> tuple[bool, bool, bool]:
    """Whether features, scores and performance alarm on a day without drift, against a fresh reference."""
    generator = np.random.default_rng([20261125, setting.rows, seed])
    reference = build_profile(draw(generator, setting.reference_rows), SPECS)
    test_scores = score(draw(generator, setting.reference_rows // 5))
    known_scores = profile_scores(test_scores, 0.5)
    batch = draw(generator, setting.rows)
    rule = JobRule()
    shares = rule.shares(scored=True, labelled=setting.labels > 0)
    features = compare_profiles(
        reference, count_rows(reference.layout, batch), replace(rule.drift_rule, family_share=shares.features)
    )
    scores = compare_predictions(
        known_scores,
        profile_scores(score(batch), 0.5, known_scores),
        replace(rule.drift_rule, family_share=shares.scores),
    )
    is_worse = setting.labels > 0 and _performance_alarms(generator, test_scores, setting.labels, rule)
    return features.verdict in _ALARMS, scores.verdict in _ALARMS, is_worse


def _performance_alarms(
    generator: np.random.Generator, test_scores: npt.NDArray[np.float64], labels: int, rule: JobRule
) -> bool:
    outcomes = (generator.random(len(test_scores)) < test_scores).astype(float)
    area, deviation = area_under_curve(outcomes, test_scores)
    registered = RegisteredPerformance(
        float(((test_scores >= 0.5) == (outcomes == 1)).mean()),
        area,
        len(test_scores),
        deviation,
        float((outcomes - test_scores).mean()),
        math.sqrt(float((test_scores * (1 - test_scores)).sum())) / len(test_scores),
    )
    labelled = score(draw(generator, labels))
    came = (generator.random(labels) < labelled).astype(float)
    return performance_drift(came, labelled, registered, rule=rule.performance_rule).verdict in _ALARMS


def main() -> None:
    """Write the table."""
    rows = []
    for setting in SETTINGS:
        days = [alarms_of_a_day(seed, setting) for seed in range(setting.replicates)]
        any_of_them = sum(any(day) for day in days)
        parts = [sum(day[place] for day in days) / setting.replicates for place in range(3)]
        low, high = wilson(any_of_them, setting.replicates)
        rows.append(
            [
                f"{setting.rows:,}",
                f"{setting.reference_rows:,}",
                f"{setting.labels:,}",
                f"{setting.replicates:,}",
                f"{any_of_them / setting.replicates:.4f}",
                f"{low:.4f} to {high:.4f}",
                *(f"{part:.4f}" for part in parts[:2]),
                f"{parts[2]:.4f}" if setting.labels else "",
            ]
        )
        print(rows[-1], flush=True)
    header = ["batch rows", "reference rows", "labels", "replicates", "days with alarm", "95 % interval"]
    write_table(
        "false_alarms_with_scores",
        "False alarms per day without drift: features, scores and performance together",
        [*header, "by features", "by scores", "by performance"],
        rows,
        "Family-wise target: at most 0.05. Without labels performance has no part of alpha.",
    )


if __name__ == "__main__":
    main()
