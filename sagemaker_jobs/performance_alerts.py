"""When a fall of the model's performance is worth an alert: rarely by chance, over a year of daily looks.

Each labelled batch leaves a few sums. Every evening the last 1 to 28 labelled batches, pooled, are held
against the registered performance. All tests of a year share one budget of false alerts by Bonferroni, which
holds however the looks depend on each other: they all share the registered values, whose own sampling error
is in every test. An alert also needs a fall of the daily rule's size over its whole run. It clears on
evidence for the registered value, as alerts on columns do (`return_to_baseline`).
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
from include.drift_statistics.return_to_baseline import Level, Levels, choose_window, windows_of

PERFORMANCE = "model performance"
SPANS = (1, 2, 4, 7, 14, 28)
MEASURES = ("accuracy", "roc_auc", "calibration_gap")
LOOKS_PER_YEAR = 365
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


@dataclass(frozen=True)
class _OpenMeasure:
    """A measure that alerted: places of the first batch of its fall, and behind the one that showed it."""

    measure: str
    start: int
    shown: int


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
        self._begin()

    def add(self, batch: LabelledBatch) -> None:
        """Take in a batch; one that is not the latest by date means to walk all of them again."""
        others = [known for known in self._batches if known.date != batch.date]
        is_latest = not self._batches or batch.date > self._batches[-1].date
        self._batches = sorted([*others, batch], key=lambda known: known.date)
        if not is_latest:
            self._begin()
        for count in range(len(self._batches) if is_latest else 1, len(self._batches) + 1):
            self._step(count)

    def _begin(self) -> None:
        self.standing = PerformanceStanding()
        self._open: tuple[_OpenMeasure, ...] = ()
        self._first = 0  # batches of a fall that is over leave the evidence

    def _step(self, count: int) -> None:
        """Take in the batch before place `count`."""
        changes = self._changes(count)
        names = {measure.measure for measure in self._open}
        since = self.standing.since
        if changes and not self._open:
            since = self._batches[count - changes[0].batches].date
        self._open += tuple(
            _OpenMeasure(change.measure, count - change.batches, count)
            for change in changes
            if change.measure not in names
        )
        window = self._quiet_window(count)
        if window is not None:
            self._open, self._first = (), count - window
            self.standing = PerformanceStanding()
        elif self._open:
            open_measures = tuple(measure.measure for measure in self._open)
            self.standing = PerformanceStanding(open_measures, since, changes)

    def _changes(self, count: int) -> tuple[PerformanceChange, ...]:
        """Falls that end with the last batch and pass their level, surest first; one per measure."""
        found: dict[str, PerformanceChange] = {}
        for span in (span for span in SPANS if span <= count - self._first):
            for change in _falls(self._batches[count - span : count], self._baseline, self._rule):
                known = found.get(change.measure)
                if change.p_value <= self._level and (known is None or change.p_value < known.p_value):
                    found[change.measure] = change
        return tuple(sorted(found.values(), key=lambda change: change.p_value))

    def _quiet_window(self, count: int) -> int | None:
        """Last batches since when every open measure is back at its registered value; None when it is not."""
        if not self._open:
            return None
        starts, shown = ([getattr(measure, name) for measure in self._open] for name in ("start", "shown"))
        found = {}
        for window in windows_of(count, starts, shown):
            recent = self._batches[count - window : count]
            known = [self._levels(measure, recent, count - window) for measure in self._open]
            levels = [level for level in known if level is not None]
            if len(levels) == len(known):
                found[window] = levels
        return choose_window(found)

    def _levels(
        self, measure: _OpenMeasure, recent: Sequence[LabelledBatch], end: int
    ) -> tuple[Levels, float] | None:
        """Levels of an open measure, and the fall that the rule allows; the alerted ones end before `end`."""
        name = measure.measure
        now = _pooled(recent, self._baseline, name)
        fallen = _pooled(self._batches[measure.start : end], self._baseline, name)
        if now is None or fallen is None:
            return None
        registered = _registered(self._baseline, name)
        if name != "calibration_gap":  # better than registered is no fall
            now = Level(min(now.mean, registered.mean), now.variance)
        floors = {
            "accuracy": self._rule.accuracy_drop,
            "roc_auc": self._rule.roc_auc_drop,
            "calibration_gap": self._rule.calibration_gap,
        }
        return Levels(now, registered, fallen), floors[name]


def _registered(baseline: PerformanceBaseline, measure: str) -> Level:
    registered = baseline.registered
    if measure == "accuracy":
        return Level(registered.accuracy, registered.accuracy * (1 - registered.accuracy) / registered.rows)
    if measure == "roc_auc":
        return Level(registered.roc_auc, baseline.roc_auc_deviation**2)
    return Level(baseline.calibration_gap, baseline.calibration_deviation**2)


def _pooled(batches: Sequence[LabelledBatch], baseline: PerformanceBaseline, measure: str) -> Level | None:
    """Level of a measure over some batches; None when there are too few of a class for an AUC."""
    rows = sum(batch.rows for batch in batches)
    if measure == "roc_auc":
        return _pooled_auc(batches)
    if measure == "accuracy":
        share = sum(batch.hits for batch in batches) / rows
        midpoint = (share + baseline.registered.accuracy) / 2
        return Level(share, midpoint * (1 - midpoint) / rows)
    variance = sum(batch.gap_variance for batch in batches) / rows**2
    return Level(sum(batch.gap_sum for batch in batches) / rows, variance)


def _pooled_auc(batches: Sequence[LabelledBatch]) -> Level | None:
    usable = [batch for batch in batches if batch.roc_auc is not None and batch.roc_auc_deviation is not None]
    positives = sum(batch.positives for batch in usable)
    rows = sum(batch.rows for batch in usable)
    if min(positives, rows - positives) < SMALLEST_CLASS:
        return None
    value = sum((batch.roc_auc or 0.0) * batch.rows for batch in usable) / rows
    variance = sum(((batch.roc_auc_deviation or 0.0) * batch.rows / rows) ** 2 for batch in usable)
    return Level(value, variance)


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
    level = _pooled_auc(batches)
    if level is None:
        return []
    drop = baseline.registered.roc_auc - level.mean
    if drop <= rule.roc_auc_drop:
        return []
    p_value = _two_sided(drop, level.variance + baseline.roc_auc_deviation**2)
    return [PerformanceChange("roc_auc", len(batches), p_value, drop)]


def _two_sided(difference: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    return math.erfc(abs(difference) / math.sqrt(2 * variance))
