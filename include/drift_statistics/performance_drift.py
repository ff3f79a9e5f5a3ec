"""Drift of how right the model is, once labels have come: accuracy, AUC and calibration."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri  # type: ignore[import-untyped]

from include.drift_statistics.drift_report import Verdict
from include.drift_statistics.exact_counts import share_interval, share_test

Z_95 = 1.959963984540054
POWER = 0.8
MEASURES = 3  # accuracy, AUC, calibration: they share alpha equally


@dataclass(frozen=True)
class RegisteredPerformance:
    """What the approved model was registered with; `rows` is the size of the test set it was measured on.

    `calibration_gap` is churn rate minus mean score there; the deviations are standard errors.
    """

    accuracy: float
    roc_auc: float
    rows: int
    roc_auc_deviation: float = 0.0
    calibration_gap: float = 0.0
    calibration_deviation: float = 0.0


@dataclass(frozen=True)
class PerformanceRule:
    """How much worse is too much, in absolute drops, and how sure it must be.

    `alpha` is the chance of any false alarm of a day, `family_share` the part of it that performance may
    spend when it is one of several comparisons; adjusted p-values are divided by it.
    """

    accuracy_drop: float = 0.05
    roc_auc_drop: float = 0.05
    calibration_gap: float = 0.05
    smallest_batch: int = 100
    smallest_class: int = 10
    alpha: float = 0.05
    family_share: float = 1.0


@dataclass(frozen=True)
class Measure:
    """A measure on the labelled batch with its 95 % interval; `adjusted_p_value` is held against alpha."""

    name: str
    value: float
    interval: tuple[float, float]
    registered: float
    verdict: Verdict
    sentence: str
    p_value: float
    adjusted_p_value: float

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "interval_95": list(self.interval),
            "registered": self.registered,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "p_value": self.p_value,
            "adjusted_p_value": self.adjusted_p_value,
        }


@dataclass(frozen=True)
class PerformanceDriftResult:
    """Verdict over the measures; `rows_needed` tell the allowed drop of accuracy from none with power 0.8."""

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

    A measure drifted when it fell by more than its allowed drop and its adjusted p-value is at most alpha.
    The p-values hold the batch against the registered values, whose own sampling error is in each of them:
    accuracy by an exact one-sided test of two shares, AUC by a one-sided and calibration by a two-sided
    normal one; Bonferroni over the three. Calibration is held against the registered gap, not against none.
    Rows without a label (NaN) or score are left out. Too few rows give insufficient_data, with the rows
    needed to see a drop of accuracy of the allowed size with power 0.8; AUC is left out when one class has
    hardly a label.

    Args:
        labels: 0 or 1 per row, NaN where the label has not come.
        scores: churn probability per row.

    Raises:
        ValueError: lengths differ, a label is neither 0 nor 1, or a score lies outside [0, 1].

    """
    rule = rule or PerformanceRule()
    y, p = _labelled(labels, scores)
    needed = _rows_needed(registered.accuracy, rule)
    if len(y) < rule.smallest_batch:
        enough = max(needed, rule.smallest_batch)
        sentence = f"Insufficient data: {len(y):,} labelled rows, {enough:,} are needed."
        return PerformanceDriftResult("insufficient_data", sentence, len(y), needed, ())
    measures = [_accuracy(y, p, threshold, registered, rule), _calibration(y, p, registered, rule)]
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


def _rows_needed(accuracy: float, rule: PerformanceRule) -> int:
    """Rows that tell the allowed drop from none, one-sided, with power 0.8; normal approximation."""
    drop = rule.accuracy_drop
    worse = max(accuracy - drop, 0.5)
    level = rule.alpha * rule.family_share / MEASURES
    reach = float(ndtri(1 - level)) * math.sqrt(accuracy * (1 - accuracy))
    reach += float(ndtri(POWER)) * math.sqrt(worse * (1 - worse))
    return math.ceil((reach / drop) ** 2)


def _accuracy(
    y: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    threshold: float,
    registered: RegisteredPerformance,
    rule: PerformanceRule,
) -> Measure:
    hits = int(((p >= threshold) == (y == 1)).sum())
    known_hits = round(registered.accuracy * registered.rows)
    two_sided, direction = share_test(hits, len(y), known_hits, registered.rows)
    p_value = two_sided / 2 if direction == "lower" else 1.0
    value, interval = hits / len(y), share_interval(hits, len(y))
    is_large = registered.accuracy - value > rule.accuracy_drop
    return _measure("accuracy", value, interval, registered.accuracy, p_value, is_large, rule)


def _measure(
    name: str,
    value: float,
    interval: tuple[float, float],
    registered: float,
    p_value: float,
    is_large: bool,
    rule: PerformanceRule,
    words: str = "",
) -> Measure:
    adjusted = min(1.0, p_value * MEASURES / rule.family_share)
    reach = f"{interval[0]:.3f} to {interval[1]:.3f}"
    words = words or f"{name} {value:.3f} ({reach}), registered {registered:.3f}"
    verdict: Verdict = "drift" if is_large and adjusted <= rule.alpha else "no_drift"
    return Measure(name, value, interval, registered, verdict, words, p_value, adjusted)


def _roc_auc(
    y: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    registered: RegisteredPerformance,
    rule: PerformanceRule,
) -> Measure:
    value, deviation = area_under_curve(y, p)
    interval = (max(0.0, value - Z_95 * deviation), min(1.0, value + Z_95 * deviation))
    drop = registered.roc_auc - value
    p_value = _upper_tail(drop, math.hypot(deviation, registered.roc_auc_deviation))
    return _measure("roc_auc", value, interval, registered.roc_auc, p_value, drop > rule.roc_auc_drop, rule)


def _upper_tail(difference: float, deviation: float) -> float:
    """Normal p-value of a difference above 0."""
    if deviation <= 0:
        return 0.0 if difference > 0 else 1.0
    return 0.5 * math.erfc(difference / deviation / math.sqrt(2))


def area_under_curve(y: npt.NDArray[np.float64], p: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Area under the ROC curve and its standard error. DeLong et al. (1988), Biometrics 44; O(n log n)."""
    positive, negative = np.sort(p[y == 1]), np.sort(p[y == 0])
    below = (np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")) / 2
    above = (np.searchsorted(positive, negative, "left") + np.searchsorted(positive, negative, "right")) / 2
    v10, v01 = below / len(negative), 1 - above / len(positive)
    variance = v10.var(ddof=1) / len(positive) + v01.var(ddof=1) / len(negative)
    return float(v10.mean()), math.sqrt(float(variance))


def _calibration(
    y: npt.NDArray[np.float64],
    p: npt.NDArray[np.float64],
    registered: RegisteredPerformance,
    rule: PerformanceRule,
) -> Measure:
    """Churn rate minus mean score, against the same gap where the model was registered.

    Labels are Bernoulli given calibrated scores (Spiegelhalter 1986); of a model that is off by the
    registered gap they are not, so that the spread of the residuals counts when it is larger.
    """
    residuals = y - p
    gap = float(residuals.mean())
    variance = max(float((p * (1 - p)).mean()), float(residuals.var()))
    deviation = math.sqrt(variance / len(y))
    interval = (gap - Z_95 * deviation, gap + Z_95 * deviation)
    change = abs(gap - registered.calibration_gap)
    p_value = min(1.0, 2 * _upper_tail(change, math.hypot(deviation, registered.calibration_deviation)))
    words = (
        f"churn rate {float(y.mean()):.3f}, mean score {float(p.mean()):.3f}: a gap of {gap:+.3f}, registered"
        f" {registered.calibration_gap:+.3f}"
    )
    is_large = change > rule.calibration_gap
    return _measure(
        "calibration_gap", gap, interval, registered.calibration_gap, p_value, is_large, rule, words
    )
