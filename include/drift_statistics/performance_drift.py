"""Drift of how right the model is, once labels have come: accuracy, AUC and calibration."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.drift_report import Verdict
from include.drift_statistics.exact_counts import share_interval

Z_95 = 1.959963984540054
Z_80 = 0.8416212335729143  # one-sided, power 0.8


@dataclass(frozen=True)
class RegisteredPerformance:
    """What the approved model was registered with; `rows` is the size of the test set it was measured on."""

    accuracy: float
    roc_auc: float
    rows: int


@dataclass(frozen=True)
class PerformanceRule:
    """How much worse is too much: absolute drops; calibration in standard errors and in points."""

    accuracy_drop: float = 0.05
    roc_auc_drop: float = 0.05
    calibration_gap: float = 0.05
    calibration_z: float = 3.0
    smallest_batch: int = 100
    smallest_class: int = 10


@dataclass(frozen=True)
class Measure:
    """A measure on the labelled batch with its 95 % interval."""

    name: str
    value: float
    interval: tuple[float, float]
    registered: float | None
    verdict: Verdict
    sentence: str

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "interval_95": list(self.interval),
            "registered": self.registered,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class PerformanceDriftResult:
    """Verdict over the measures; `rows_needed` would show the accuracy drop with power 0.8."""

    verdict: Verdict
    sentence: str
    rows: int
    rows_needed: int
    measures: tuple[Measure, ...]

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "rows": self.rows,
            "rows_needed": self.rows_needed,
            "measures": [measure.to_mapping() for measure in self.measures],
        }


def performance_drift(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    registered: RegisteredPerformance,
    *,
    threshold: float = 0.5,
    rule: PerformanceRule | None = None,
) -> PerformanceDriftResult:
    """Compare labelled scores with the registered values.

    A measure drifted when it fell by more than its allowed drop and its 95 % interval excludes the registered
    value; for accuracy the registered value's own sampling error counts too. Rows without a label (NaN) or
    score are left out. Too few rows give insufficient_data, with the rows needed to see a drop of accuracy of
    the allowed size with power 0.8; AUC is left out when one class has hardly a label.

    Args:
        labels: 0 or 1 per row, NaN where the label has not come.
        scores: churn probability per row.

    Raises:
        ValueError: lengths differ, a label is neither 0 nor 1, or a score lies outside [0, 1].

    """
    rule = rule or PerformanceRule()
    y, p = _labelled(labels, scores)
    needed = _rows_needed(registered.accuracy, rule.accuracy_drop)
    if len(y) < rule.smallest_batch:
        enough = max(needed, rule.smallest_batch)
        sentence = f"Insufficient data: {len(y):,} labelled rows, {enough:,} are needed."
        return PerformanceDriftResult("insufficient_data", sentence, len(y), needed, ())
    measures = [_accuracy(y, p, threshold, registered, rule), _calibration(y, p, rule)]
    if min(int(y.sum()), len(y) - int(y.sum())) >= rule.smallest_class:
        measures.insert(1, _roc_auc(y, p, registered, rule))
    drifted = [measure for measure in measures if measure.verdict == "drift"]
    if drifted:
        sentence = f"Performance drift: {'; '.join(measure.sentence for measure in drifted)}."
        return PerformanceDriftResult("drift", sentence, len(y), needed, tuple(measures))
    sentence = f"Performance as registered: {measures[0].sentence}."
    return PerformanceDriftResult("no_drift", sentence, len(y), needed, tuple(measures))


def _labelled(
    labels: npt.ArrayLike, scores: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if y.shape != p.shape or y.ndim != 1:
        raise ValueError(f"labels have shape {y.shape}, scores {p.shape}; one of each per row is needed")
    known = ~(np.isnan(y) | np.isnan(p))
    y, p = y[known], p[known]
    if not bool(np.isin(y, (0.0, 1.0)).all()):
        raise ValueError(f"label {float(y[~np.isin(y, (0.0, 1.0))][0])} is neither 0 nor 1")
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise ValueError("a score lies outside [0, 1]; pass churn probabilities")
    return y, p


def _rows_needed(accuracy: float, drop: float) -> int:
    """Rows that show a drop of this size one-sided at 2.5 % with power 0.8; normal approximation."""
    worse = max(accuracy - drop, 0.5)
    reach = (
        1.959964 * math.sqrt(accuracy * (1 - accuracy)) + 0.841621 * math.sqrt(worse * (1 - worse))
    ) / drop
    return math.ceil(reach * reach)


def _accuracy(
    y: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    threshold: float,
    registered: RegisteredPerformance,
    rule: PerformanceRule,
) -> Measure:
    hits = int(((p >= threshold) == (y == 1)).sum())
    value, interval = hits / len(y), share_interval(hits, len(y))
    measure = _dropped("accuracy", value, interval, registered.accuracy, rule.accuracy_drop)
    variance = value * (1 - value) / len(y) + registered.accuracy * (1 - registered.accuracy) / max(
        registered.rows, 1
    )
    if registered.accuracy - value <= Z_95 * math.sqrt(variance):
        return replace(measure, verdict="no_drift")
    return measure


def _dropped(
    name: str, value: float, interval: tuple[float, float], registered: float, allowed: float
) -> Measure:
    drifted = registered - value > allowed and interval[1] < registered
    words = f"{name} {value:.3f} ({interval[0]:.3f} to {interval[1]:.3f}), registered {registered:.3f}"
    return Measure(name, value, interval, registered, "drift" if drifted else "no_drift", words)


def _roc_auc(
    y: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    registered: RegisteredPerformance,
    rule: PerformanceRule,
) -> Measure:
    value, deviation = area_under_curve(y, p)
    interval = (max(0.0, value - Z_95 * deviation), min(1.0, value + Z_95 * deviation))
    return _dropped("roc_auc", value, interval, registered.roc_auc, rule.roc_auc_drop)


def area_under_curve(y: npt.NDArray[np.float64], p: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Area under the ROC curve and its standard error. DeLong et al. (1988), Biometrics 44; O(n log n)."""
    positive, negative = np.sort(p[y == 1]), np.sort(p[y == 0])
    below = (np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")) / 2
    above = (np.searchsorted(positive, negative, "left") + np.searchsorted(positive, negative, "right")) / 2
    v10, v01 = below / len(negative), 1 - above / len(positive)
    variance = v10.var(ddof=1) / len(positive) + v01.var(ddof=1) / len(negative)
    return float(v10.mean()), math.sqrt(float(variance))


def _calibration(y: npt.NDArray[np.float64], p: npt.NDArray[np.float64], rule: PerformanceRule) -> Measure:
    """Mean score against the rate that came (Spiegelhalter 1986): labels are Bernoulli given the scores."""
    gap = float(y.mean() - p.mean())
    deviation = math.sqrt(float((p * (1 - p)).sum())) / len(y)
    interval = (gap - Z_95 * deviation, gap + Z_95 * deviation)
    drifted = abs(gap) > rule.calibration_gap and abs(gap) > rule.calibration_z * deviation
    words = f"churn rate {float(y.mean()):.3f}, mean score {float(p.mean()):.3f}"
    return Measure("calibration_gap", gap, interval, 0.0, "drift" if drifted else "no_drift", words)
