"""False alarms per day of the verdict a monitored day gets: features, dependence, scores and performance.

`PYTHONPATH=. .venvs/sklearn_job/bin/python benchmarks/drift/false_alarms_with_scores.py [--labels]`, from
the project's root, writes results/false_alarms_with_scores.md, with --labels false_alarms_with_labels.md. The
model is a fixed logit of three columns, its reference scores and registered performance those of a fifth as
many rows as the reference has, as of a test split. Labels are drawn with the model's own probabilities, for
another batch than the day's.
"""

import argparse
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


WITH_SCORES = (
    Setting(200, 8_000, 0, 4_000),
    Setting(1_000, 8_000, 0, 4_000),
    Setting(8_000, 64_000, 0, 1_000),
)
WITH_LABELS = (Setting(200, 8_000, 200, 3_000), Setting(1_000, 8_000, 500, 4_000))


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


def row_of(setting: Setting) -> list[str]:
    """Draw the days of a setting; return its row of the table."""
    days = [alarms_of_a_day(seed, setting) for seed in range(setting.replicates)]
    any_of_them = sum(any(day) for day in days)
    parts = [sum(day[place] for day in days) / setting.replicates for place in range(3)]
    low, high = wilson(any_of_them, setting.replicates)
    return [
        f"{setting.rows:,}",
        f"{setting.reference_rows:,}",
        *([f"{setting.labels:,}"] if setting.labels else []),
        f"{setting.replicates:,}",
        f"{any_of_them / setting.replicates:.4f}",
        f"{low:.4f} to {high:.4f}",
        *(f"{part:.4f}" for part in (parts if setting.labels else parts[:2])),
    ]


def main() -> None:
    """Write one of the two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", action="store_true")
    labelled = parser.parse_args().labels
    title = "False alarms per day without drift, features and scores together"
    if labelled:
        title = "False alarms per day without drift, features, scores and performance together"
    write_table(
        "false_alarms_with_labels" if labelled else "false_alarms_with_scores",
        title,
        [
            *("batch rows", "reference rows", *(["labels"] if labelled else []), "replicates"),
            *("days with alarm", "95 % interval", "by features", "by scores"),
            *(["by performance"] if labelled else []),
        ],
        [row_of(setting) for setting in (WITH_LABELS if labelled else WITH_SCORES)],
        "Family-wise target: at most 0.05.",
    )


if __name__ == "__main__":
    main()
