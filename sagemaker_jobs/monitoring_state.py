"""What is known of all days under one model version: `monitor_state.json`, read, refused, extended.

A day recorded again replaces the day of the same date, and days are kept in order of date, so re-runs change
nothing and a backfill ends in the same state in whatever order its days come. No day is dropped: what stands
after a day follows from all days before it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from include.drift_statistics.daily_evidence import DayEvidence
from include.drift_statistics.drift_report import Verdict
from include.drift_statistics.sequential_monitor import MonitorState
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.performance_alerts import LabelledBatch

STATE_FILE = "monitor_state.json"
CONTRACT = "monitoring_state"
VERSION = 1


@dataclass(frozen=True)
class RecordedDay:
    """What a day came to, beside its evidence; `effects` are effect sizes by column.

    `labelled` are the labels that were seen on this day, of whichever batch.
    """

    date: str
    verdict: Verdict
    rows: int
    effects: Mapping[str, float] = field(default_factory=dict)
    predicted_churn_rate: float | None = None
    accuracy: float | None = None
    labelled: LabelledBatch | None = None
    labels_are_broken: bool = False

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        labelled = None if self.labelled is None else self.labelled.to_mapping()
        return {**asdict(self), "effects": dict(self.effects), "labelled": labelled}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "RecordedDay":
        """Inverse of `to_mapping`; raises KeyError or TypeError."""
        content = {name: mapping[name] for name in cls.__dataclass_fields__}
        if content["labelled"] is not None:
            content["labelled"] = LabelledBatch.from_mapping(content["labelled"])
        return cls(**content)


@dataclass(frozen=True)
class MonitoringState:
    """Evidence of features and scores of every day, and what each day came to; by date."""

    model_version: str
    reference_sha256: str
    score_reference_sha256: str | None
    features: MonitorState
    scores: MonitorState
    days: tuple[RecordedDay, ...] = ()

    def with_day(
        self, day: RecordedDay, features: DayEvidence, scores: DayEvidence | None
    ) -> "MonitoringState":
        """Return the state with this day recorded, or recorded anew."""
        others = [known for known in self.days if known.date != day.date]
        days = sorted([*others, day], key=lambda known: known.date)
        without = replace(
            self.scores, days=tuple(known for known in self.scores.days if known.date != day.date)
        )
        return replace(
            self,
            features=self.features.with_day(features),
            scores=without if scores is None else without.with_day(scores),
            days=tuple(days),
        )

    def to_json(self) -> str:
        """Return strict JSON, ending in a newline."""
        content = {
            "contract": CONTRACT,
            "version": VERSION,
            "model_version": self.model_version,
            "reference_sha256": self.reference_sha256,
            "score_reference_sha256": self.score_reference_sha256,
            "features": self.features.to_mapping(),
            "scores": self.scores.to_mapping(),
            "days": [day.to_mapping() for day in self.days],
        }
        return json.dumps(content, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "MonitoringState":
        """Inverse of `to_json`; raises KeyError, TypeError or ValueError."""
        if (mapping["contract"], mapping["version"]) != (CONTRACT, VERSION):
            raise ValueError(f"found {mapping['contract']!r} version {mapping['version']!r}")
        return cls(
            str(mapping["model_version"]),
            str(mapping["reference_sha256"]),
            mapping["score_reference_sha256"],
            MonitorState.from_mapping(mapping["features"]),
            MonitorState.from_mapping(mapping["scores"]),
            tuple(RecordedDay.from_mapping(day) for day in mapping["days"]),
        )


def load_state(
    path: Path | None, model_version: str, reference_sha256: str, score_reference_sha256: str | None
) -> MonitoringState:
    """Read the state so far, or begin one where there is none.

    Raises InvalidInputError when the file is damaged, or belongs to another model version or reference: days
    that were measured against something else prove nothing here.
    """
    begun = MonitorState(model_version)
    if path is not None and path.is_dir():
        path = path / STATE_FILE
    if path is None or not path.is_file():
        return MonitoringState(model_version, reference_sha256, score_reference_sha256, begun, begun)
    try:
        state = MonitoringState.from_mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        detail = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInputError(
            f"--state {path}: not a {CONTRACT} of version {VERSION}: {detail}; give the file that the last"
            " run wrote, or none to begin anew"
        ) from None
    if state.model_version != model_version:
        raise InvalidInputError(
            f"--state {path}: belongs to model version {state.model_version}, not to {model_version}; give"
            " this version's own state, or none to begin one"
        )
    known_scores = state.score_reference_sha256
    is_other_score = None not in {known_scores, score_reference_sha256} and (
        known_scores != score_reference_sha256
    )
    if state.reference_sha256 != reference_sha256 or is_other_score:
        what = "reference scores" if state.reference_sha256 == reference_sha256 else "reference"
        raise InvalidInputError(
            f"--state {path}: its days were compared with another {what}; give the {what} of model version"
            f" {model_version}, or no state to begin anew"
        )
    return replace(state, score_reference_sha256=known_scores or score_reference_sha256)
