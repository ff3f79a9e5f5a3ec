"""The complete `drift_report.json` of one day, as one frozen value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.drift_statistics.drift_report import DriftReport, Verdict, worst
from include.drift_statistics.performance_drift import PerformanceDriftResult
from include.drift_statistics.prediction_drift import PredictionDriftResult
from sagemaker_jobs.alert_standings import AlertStanding
from sagemaker_jobs.domain_classifier import DomainClassifierResult
from sagemaker_jobs.drift_settings import JobRule
from sagemaker_jobs.label_join import JoinCounts
from sagemaker_jobs.monitoring_state import RecordedDay

HISTORY_DAYS = 120


@dataclass(frozen=True)
class BatchFacts:
    """What the batch was, whether or not it could be read."""

    date: str
    files: int
    bytes: int
    columns_missing: tuple[str, ...] = ()
    columns_extra: tuple[str, ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in self.__dict__.items()}


@dataclass(frozen=True)
class PredictionFindings:
    """Drift of the scores, and how many rows had one."""

    result: PredictionDriftResult
    rows: int
    unscored: int

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {**self.result.to_mapping(), "rows": self.rows, "unscored": self.unscored}


@dataclass(frozen=True)
class PerformanceFindings:
    """Drift of the performance, and what came of the labels; no counts when they could not be read."""

    result: PerformanceDriftResult
    labelled_date: str | None
    counts: JoinCounts | None

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        counts = {} if self.counts is None else dict(self.counts.__dict__)
        return {
            **self.result.to_mapping(),
            "labels": 0,
            "matched": 0,
            **counts,
            "labelled_date": self.labelled_date,
        }


@dataclass(frozen=True)
class DriftJobReport:
    """One day's report; `standings` are those of all days up to it, the last one its own."""

    features: DriftReport
    batch: BatchFacts
    rule: JobRule
    model_version: str | None
    data_origin: str
    predictions: PredictionFindings | None
    performance: PerformanceFindings | None
    domain_classifier: DomainClassifierResult | None
    standings: tuple[AlertStanding, ...]
    days: tuple[RecordedDay, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of features, dependence, predictions, performance and, when it ran, the classifier."""
        return overall_verdict(self.features, self.predictions, self.performance, self.domain_classifier)

    @property
    def sentence(self) -> str:
        """What the verdict rests on, in words."""
        said = [self.features.sentence] if self.features.verdict == self.verdict else []
        parts = [part.result for part in (self.predictions, self.performance) if part is not None]
        if self.verdict != "no_drift":
            said += [result.sentence for result in parts if result.verdict == self.verdict]
        if self.domain_classifier is not None and self.domain_classifier.verdict == self.verdict == "drift":
            said.append(f"Columns taken together drifted: {self.domain_classifier.sentence}.")
        return " ".join(said)

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        alert = self.standings[-1]
        return {
            **self.features.to_mapping(),
            "verdict": self.verdict,
            "sentence": self.sentence,
            "rule": self.rule.to_mapping(),
            "notes": [*self.features.notes, *self.notes],
            "batch": self.batch.to_mapping(),
            "model": {"version": self.model_version, "data_origin": self.data_origin},
            "predictions": _mapping(self.predictions),
            "performance": _mapping(self.performance),
            "domain_classifier": _mapping(self.domain_classifier),
            "alert": {
                **alert.to_mapping(),
                # The walk knows that a day is broken; what is broken is told by the day's own report.
                "sentence": self.sentence if self.verdict == alert.status == "data_break" else alert.sentence,
            },
            "history": self._history(),
        }

    def to_json(self) -> str:
        """Return indented strict JSON, ending in a newline."""
        return json.dumps(self.to_mapping(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    def _history(self) -> list[dict[str, Any]]:
        status = {standing.date: standing.status for standing in self.standings}
        days = [day for day in self.days if day.date in status]
        return [
            {
                "date": day.date,
                "verdict": day.verdict,
                "rows": day.rows,
                "status": status[day.date],
                "effects": dict(day.effects),
                "predicted_churn_rate": day.predicted_churn_rate,
                "accuracy": day.accuracy,
            }
            for day in days[-HISTORY_DAYS:]
        ]


def overall_verdict(
    features: DriftReport,
    predictions: PredictionFindings | None,
    performance: PerformanceFindings | None,
    domain_classifier: DomainClassifierResult | None,
) -> Verdict:
    """Return the worst verdict; too few labels or scores say nothing about a batch that could be judged."""
    others = [part.result.verdict for part in (predictions, performance) if part is not None]
    if domain_classifier is not None and features.verdict != "insufficient_data":
        others.append(domain_classifier.verdict)
    return worst([features.verdict, *(verdict for verdict in others if verdict != "insufficient_data")])


def _mapping(part: Any) -> Mapping[str, Any] | None:
    return None if part is None else part.to_mapping()
