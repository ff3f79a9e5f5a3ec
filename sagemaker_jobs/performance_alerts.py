"""When a fall of the model's performance is worth an alert: rarely by chance, over a year of daily looks.

Each labelled batch leaves a few sums. Every evening the last 1 to 28 labelled batches, pooled, are held
against the registered performance. All tests of a year share one budget of false alerts by Bonferroni, which
holds however the looks depend on each other: they all share the registered values, whose own sampling error
is in every test. An alert also needs a fall of the daily rule's size over its whole run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from include.data_contracts.evaluation_report import EvaluationReport
from include.drift_statistics.exact_counts import share_test
from include.drift_statistics.performance_drift import (
    PerformanceRule,
    RegisteredPerformance,
    area_under_curve,
)

PERFORMANCE = "model performance"
SPANS = (1, 2, 4, 7, 14, 28)
MEASURES = ("accuracy", "roc_auc", "calibration_gap")
LOOKS_PER_YEAR = 365
CLEARING_BATCHES = 5
CLEARING_P_VALUE = 0.003
SMALLEST_CLASS = 100  # pooled; below it the normal error of an AUC is not to be trusted far out in the tail


@dataclass(frozen=True)
class PerformanceBaseline:
    """Registered performance with its sampling errors; the gap is churn rate minus mean score."""

    registered: RegisteredPerformance
    roc_auc_deviation: float
    calibration_gap: float
    calibration_deviation: float

    @classmethod
    def from_evaluation(cls, report: EvaluationReport) -> "PerformanceBaseline":
        """Read the baseline out of evaluation.json."""
        rows = report.dataset.item_count
        auc = report.metric("roc_auc")
        registered = RegisteredPerformance(report.metric("accuracy").value, auc.value, rows)
        curve = report.curves.get("calibration_curve")
        gap = 0.0
        if curve is not None:
            counts = np.array(curve["item_counts"])
            observed, predicted = (
                np.array(curve[name]) for name in ("observed_churn_rates", "mean_predicted_probabilities")
            )
            gap = float((counts * (observed - predicted)).sum() / counts.sum())
        # The Brier score is the variance of a label given its score, plus what miscalibration adds.
        deviation = math.sqrt(max(report.metric("brier_score").value, 0.0) / rows)
        return cls(registered, auc.standard_deviation, gap, deviation)


@dataclass(frozen=True)
class LabelledBatch:
    """Sums of one labelled batch; `date` is the batch's own date, or the day its labels were seen."""

    date: str
    rows: int
    positives: int
    hits: int
    gap_sum: float
    gap_variance: float
    roc_auc: float | None
    roc_auc_deviation: float | None

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "LabelledBatch":
        """Inverse of `to_mapping`; raises KeyError or TypeError."""
        return cls(**{name: mapping[name] for name in cls.__dataclass_fields__})

    @classmethod
    def of(cls, date: str, labels: np.ndarray, scores: np.ndarray, threshold: float) -> "LabelledBatch":
        """Sum up labels (0 or 1) and scores, both (n,)."""
        positives = int(labels.sum())
        auc = deviation = None
        if min(positives, len(labels) - positives) >= 2:
            auc, deviation = (float(figure) for figure in area_under_curve(labels, scores))
        return cls(
            date=date,
            rows=len(labels),
            positives=positives,
            hits=int(((scores >= threshold) == (labels == 1)).sum()),
            gap_sum=float(labels.sum() - scores.sum()),
            gap_variance=float((scores * (1 - scores)).sum()),
            roc_auc=auc,
            roc_auc_deviation=deviation,
        )


@dataclass(frozen=True)
class PerformanceChange:
    """One measure that fell, over how many labelled batches, how surely and by how much."""

    measure: str
    batches: int
    p_value: float
    effect: float


@dataclass(frozen=True)
class PerformanceStanding:
    """Where performance stands after a labelled batch: the open measures, since when, and why."""

    open_measures: tuple[str, ...] = ()
    since: str | None = None
    changes: tuple[PerformanceChange, ...] = ()


class PerformanceWalk:
    """Labelled batches one after another; a batch labelled anew replaces what was known of its date."""

    def __init__(
        self,
        baseline: PerformanceBaseline,
        yearly_false_alerts: float,
        rule: PerformanceRule | None = None,
    ) -> None:
        """Begin with no labelled batch."""
        self._baseline = baseline
        self._level = yearly_false_alerts / (LOOKS_PER_YEAR * len(SPANS) * len(MEASURES))
        self._rule = rule or PerformanceRule()
        self._batches: list[LabelledBatch] = []
        self.standing = PerformanceStanding()

    def add(self, batch: LabelledBatch) -> None:
        """Take in a batch; one that is not the latest by date means to walk all of them again."""
        others = [known for known in self._batches if known.date != batch.date]
        is_latest = not self._batches or batch.date > self._batches[-1].date
        self._batches = sorted([*others, batch], key=lambda known: known.date)
        first = len(self._batches) if is_latest else 1
        standing = self.standing if is_latest else PerformanceStanding()
        for count in range(first, len(self._batches) + 1):
            standing = _step(standing, self._batches[:count], self._baseline, self._rule, self._level)
        self.standing = standing


def _step(
    standing: PerformanceStanding,
    batches: Sequence[LabelledBatch],
    baseline: PerformanceBaseline,
    rule: PerformanceRule,
    level: float,
) -> PerformanceStanding:
    found: dict[str, PerformanceChange] = {}
    for span in (span for span in SPANS if span <= len(batches)):
        for change in _falls(batches[-span:], baseline, rule):
            known = found.get(change.measure)
            if change.p_value <= level and (known is None or change.p_value < known.p_value):
                found[change.measure] = change
    changes = tuple(sorted(found.values(), key=lambda change: change.p_value))
    names = tuple(dict.fromkeys((*standing.open_measures, *(change.measure for change in changes))))
    if not standing.open_measures:
        since = batches[-changes[0].batches].date if changes else None
        return PerformanceStanding(names, since, changes)
    recent = [batch for batch in batches[-CLEARING_BATCHES:] if batch.date >= (standing.since or "")]
    if len(recent) == CLEARING_BATCHES and not changes:
        still = [change for change in _falls(recent, baseline, rule) if change.p_value < CLEARING_P_VALUE]
        if not any(change.measure in standing.open_measures for change in still):
            return PerformanceStanding()
    return PerformanceStanding(names, standing.since, changes)


def _falls(
    batches: Sequence[LabelledBatch], baseline: PerformanceBaseline, rule: PerformanceRule
) -> list[PerformanceChange]:
    """Measures of pooled batches that are worse than registered by more than the rule allows."""
    rows = sum(batch.rows for batch in batches)
    if rows < rule.smallest_batch:
        return []
    registered = baseline.registered
    hits = sum(batch.hits for batch in batches)
    found = []
    drop = registered.accuracy - hits / rows
    if drop > rule.accuracy_drop:
        known_hits = round(registered.accuracy * registered.rows)
        p_value, _ = share_test(hits, rows, known_hits, registered.rows)
        found.append(PerformanceChange("accuracy", len(batches), p_value, drop))
    gap = sum(batch.gap_sum for batch in batches) / rows - baseline.calibration_gap
    variance = sum(batch.gap_variance for batch in batches) / rows**2 + baseline.calibration_deviation**2
    if abs(gap) > rule.calibration_gap:
        found.append(PerformanceChange("calibration_gap", len(batches), _two_sided(gap, variance), abs(gap)))
    found += _fall_of_auc(batches, baseline, rule)
    return found


def _fall_of_auc(
    batches: Sequence[LabelledBatch], baseline: PerformanceBaseline, rule: PerformanceRule
) -> list[PerformanceChange]:
    usable = [batch for batch in batches if batch.roc_auc is not None and batch.roc_auc_deviation is not None]
    positives = sum(batch.positives for batch in usable)
    rows = sum(batch.rows for batch in usable)
    if min(positives, rows - positives) < SMALLEST_CLASS:
        return []
    value = sum((batch.roc_auc or 0.0) * batch.rows for batch in usable) / rows
    variance = sum(((batch.roc_auc_deviation or 0.0) * batch.rows / rows) ** 2 for batch in usable)
    drop = baseline.registered.roc_auc - value
    if drop <= rule.roc_auc_drop:
        return []
    p_value = _two_sided(drop, variance + baseline.roc_auc_deviation**2)
    return [PerformanceChange("roc_auc", len(batches), p_value, drop)]


def _two_sided(difference: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    return math.erfc(abs(difference) / math.sqrt(2 * variance))
