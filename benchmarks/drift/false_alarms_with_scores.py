"""False alarms per day of the verdict a monitored day gets: features, dependence and the model's scores.

`PYTHONPATH=. .venvs/sklearn_job/bin/python benchmarks/drift/false_alarms_with_scores.py`, from the
project's root, writes results/false_alarms_with_scores.md. The model is a fixed logit of three columns; its
reference scores are those of a fifth as many rows as the reference has, as of a test split.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from markdown_tables import wilson, write_table
from telecom_tables import SPECS, Table, draw

from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.prediction_drift import compare_predictions, profile_scores
from include.drift_statistics.profiles import build_profile, count_rows
from sagemaker_jobs.drift_settings import SCORES_SHARE

SIZES = ((200, 8_000, 4_000), (1_000, 8_000, 4_000), (8_000, 64_000, 1_000))
_ALARMS = frozenset({"drift", "data_break"})


def score(table: Table) -> npt.NDArray[np.float64]:
    """Churn probability of each row."""
    logit = -1.0 - 0.03 * (table["tenure"] - 36) + 0.02 * (table["charge"] - 65) + 0.3 * (table["calls"] - 3)
    return np.asarray(1 / (1 + np.exp(-logit)))


def alarms_of_a_day(seed: int, rows: int, reference_rows: int) -> tuple[bool, bool]:
    """Whether features and whether scores alarm on a day without drift, against a fresh reference."""
    generator = np.random.default_rng([20261125, rows, seed])
    reference = build_profile(draw(generator, reference_rows), SPECS)
    known_scores = profile_scores(score(draw(generator, reference_rows // 5)), 0.5)
    batch = draw(generator, rows)
    features = compare_profiles(
        reference, count_rows(reference.layout, batch), replace(DriftRule(), family_share=1 - SCORES_SHARE)
    )
    scores = compare_predictions(
        known_scores,
        profile_scores(score(batch), 0.5, known_scores),
        replace(DriftRule(), family_share=SCORES_SHARE),
    )
    return features.verdict in _ALARMS, scores.verdict in _ALARMS


def main() -> None:
    """Write the table."""
    rows = []
    for size, reference_rows, replicates in SIZES:
        days = [alarms_of_a_day(seed, size, reference_rows) for seed in range(replicates)]
        either, of_features, of_scores = (
            sum(chosen)
            for chosen in ([any(day) for day in days], [day[0] for day in days], [day[1] for day in days])
        )
        low, high = wilson(either, replicates)
        rows.append(
            [
                f"{size:,}",
                f"{reference_rows:,}",
                f"{replicates:,}",
                f"{either / replicates:.4f}",
                f"{low:.4f} to {high:.4f}",
                f"{of_features / replicates:.4f}",
                f"{of_scores / replicates:.4f}",
            ]
        )
    header = ["batch rows", "reference rows", "replicates", "days with alarm", "95 % interval"]
    write_table(
        "false_alarms_with_scores",
        "False alarms per day without drift, features and scores together",
        [*header, "by features", "by scores"],
        rows,
        "Family-wise target: at most 0.05.",
    )


if __name__ == "__main__":
    main()
