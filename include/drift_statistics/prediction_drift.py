"""Drift of what the model says: scores of the batch against scores of the reference, no labels needed."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.column_values import Column, DictionaryColumn
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.drift_report import FeatureResult, Verdict
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.exact_counts import share_interval, share_test
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.profiles import Profile, build_profile, count_rows

SCORE = "score"
PREDICTION = "prediction"


@dataclass(frozen=True)
class PredictionDriftResult:
    """Verdict on scores and predicted churn rate; `score` holds tests and effects of the scores."""

    verdict: Verdict
    sentence: str
    score: FeatureResult
    reference_rate: float
    current_rate: float
    current_rate_interval: tuple[float, float]
    rate_p_value: float

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "reference_rate": self.reference_rate,
            "current_rate": self.current_rate,
            "current_rate_interval_95": list(self.current_rate_interval),
            "rate_p_value": self.rate_p_value,
            "score": self.score.to_mapping(),
        }


def profile_scores(scores: Column, threshold: float, reference: Profile | None = None) -> Profile:
    """Profile of model scores and of the predictions at `threshold`; on `reference`'s layout when given."""
    table = {SCORE: scores, PREDICTION: _predictions(scores, threshold)}
    if reference is not None:
        return count_rows(reference.layout, table)
    specs = {SCORE: ColumnSpec("numeric", 0.0, 1.0), PREDICTION: ColumnSpec("categorical")}
    return build_profile(table, specs)


def _predictions(scores: Column, threshold: float) -> DictionaryColumn:
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError):  # text among the scores: counted as unreadable, and no prediction
        read = [None if isinstance(score, str | bytes) else score for score in list(scores)]
        values = np.array([np.nan if score is None else score for score in read], dtype=np.float64)
    codes = np.where(np.isnan(values), -1, values >= threshold).astype(np.int8)
    return DictionaryColumn(codes, ("0", "1"))


def compare_predictions(
    reference: Profile, current: Profile, rule: DriftRule | None = None
) -> PredictionDriftResult:
    """Compare two profiles of `profile_scores` with the tests of any column, corrected for score and rate.

    One prediction for every customer is drift, however improbable: the model may be right. `data_break` is
    left for scores that are missing, no number or outside [0, 1].
    """
    # The prediction is a function of the score: how the two go together is no question.
    report = compare_profiles(
        reference, current, replace(rule or DriftRule(), joint_share=0.0), of_model=True
    )
    score = next(feature for feature in report.features if feature.name == SCORE)
    before, rows_before = _hits(reference)
    now, rows_now = _hits(current)
    p_value, _ = share_test(now, rows_now, before, rows_before)
    rates = (before / rows_before if rows_before else 0.0, now / rows_now if rows_now else 0.0)
    sentence = f"predicted churn rate {rates[0]:.1%} -> {rates[1]:.1%}"
    if report.verdict == "no_drift":
        sentence = f"Scores as in the reference: {sentence}."
    elif report.verdict == "insufficient_data":
        sentence = report.sentence
    else:
        sentence = f"Scores drifted: {sentence}. {report.sentence}"
    interval = share_interval(now, rows_now)
    return PredictionDriftResult(report.verdict, sentence, score, rates[0], rates[1], interval, p_value)


def _hits(profile: Profile) -> tuple[int, int]:
    counts = profile.counts[PREDICTION]
    if not isinstance(counts, LevelCounts):
        raise TypeError("not a profile of scores")
    return counts.levels.get("1", 0), counts.values
