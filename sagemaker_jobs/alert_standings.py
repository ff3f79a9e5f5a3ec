"""One standing per day from features, scores and performance together, and when a message is due.

A pure function of the recorded days up to a date: later days never change it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.performance_drift import PerformanceRule
from include.drift_statistics.profiles import Profile
from include.drift_statistics.sequential_monitor import (
    AlertDecision,
    MonitorRule,
    Status,
    Transition,
    walk_days,
)
from sagemaker_jobs.monitoring_state import MonitoringState, RecordedDay
from sagemaker_jobs.performance_alerts import (
    PERFORMANCE,
    PerformanceBaseline,
    PerformanceStanding,
    PerformanceWalk,
)

MODEL_SCORE = "model score"
# The yearly budget of false alerts, split over what is followed; the sum is what is asked for.
FEATURES_PART, SCORES_PART, PERFORMANCE_PART = 0.8, 0.1, 0.1


@dataclass(frozen=True, eq=False)
class Baselines:
    """What the days are held against; scores and performance are followed only when theirs are known."""

    features: Profile
    scores: Profile | None
    performance: PerformanceBaseline | None


@dataclass(frozen=True)
class AlertChange:
    """One change behind an alert, over how many days (for performance: labelled batches)."""

    column: str
    statistic: str
    days: int
    p_value: float
    effect: float


@dataclass(frozen=True)
class AlertStanding:
    """Where monitoring stands after a day, and whether a message is due; changes are strongest first.

    `cleared` with the status `drift`: a broken feed is whole again, what had drifted before is still open.
    """

    date: str
    status: Status
    transition: Transition
    since: str | None
    columns: tuple[str, ...]
    changes: tuple[AlertChange, ...]
    sentence: str

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "date": self.date,
            "status": self.status,
            "transition": self.transition,
            "since": self.since,
            "columns": list(self.columns),
            "changes": [dict(change.__dict__) for change in self.changes],
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class _Open:
    """What one of the three has open after a day."""

    columns: tuple[str, ...] = ()
    since: str | None = None
    changes: tuple[AlertChange, ...] = ()
    sentence: str = ""


def standings(
    state: MonitoringState,
    baselines: Baselines,
    drift_rule: DriftRule,
    yearly_false_alerts: float,
    date: str,
    performance_rule: PerformanceRule | None = None,
) -> tuple[AlertStanding, ...]:
    """Return the standing after every recorded day up to `date`, in order."""
    days = [day for day in state.days if day.date <= date]
    features = _decisions(
        state.features.days, baselines.features, drift_rule, yearly_false_alerts * FEATURES_PART, date
    )
    scores = _decisions(
        state.scores.days, baselines.scores, drift_rule, yearly_false_alerts * SCORES_PART, date
    )
    performance = None
    if baselines.performance is not None:
        performance = PerformanceWalk(
            baselines.performance, yearly_false_alerts * PERFORMANCE_PART, performance_rule
        )
    walk = _CombinedWalk()
    for day in days:
        if performance is not None and day.labelled is not None:
            performance.add(day.labelled)
        standing = PerformanceStanding() if performance is None else performance.standing
        walk.step(day, features.get(day.date), scores.get(day.date), standing)
    return tuple(walk.standings)


def _decisions(
    days: Sequence[Any], reference: Profile | None, drift_rule: DriftRule, yearly: float, date: str
) -> dict[str, AlertDecision]:
    if reference is None:
        return {}
    known = [day for day in days if day.date <= date]
    decisions = walk_days(reference, known, MonitorRule(yearly, drift_rule))
    return {decision.date: decision for decision in decisions}


class _CombinedWalk:
    """Walk the days once, keeping what is open."""

    def __init__(self) -> None:
        self.standings: list[AlertStanding] = []
        self._features = self._scores = _Open()
        self._columns: tuple[str, ...] = ()
        self._broken_since: str | None = None

    def step(
        self,
        day: RecordedDay,
        features: AlertDecision | None,
        scores: AlertDecision | None,
        performance: PerformanceStanding,
    ) -> None:
        """Add the standing after one more day."""
        self._features = _carry(self._features, features, rename=False)
        self._scores = _carry(self._scores, scores, rename=True)
        parts = [
            part for part in (self._features, self._scores, _of_performance(performance)) if part.columns
        ]
        columns = tuple(dict.fromkeys(column for part in parts for column in part.columns))
        is_broken = day.labels_are_broken or any(
            decision is not None and decision.status == "data_break" for decision in (features, scores)
        )
        was_broken = self._broken_since is not None
        transition = self._transition(columns, is_broken=is_broken, was_broken=was_broken)
        self._broken_since = (self._broken_since or day.date) if is_broken else None
        status: Status = "data_break" if is_broken else ("drift" if columns else "quiet")
        since = min((part.since for part in parts if part.since), default=None)
        self.standings.append(
            AlertStanding(
                day.date,
                status,
                transition,
                self._broken_since or since,
                columns,
                tuple(change for part in parts for change in part.changes),
                self._sentence(day, parts, status, transition, was_broken=was_broken),
            )
        )
        self._columns = columns

    def _transition(self, columns: tuple[str, ...], *, is_broken: bool, was_broken: bool) -> Transition:
        if is_broken and not was_broken:
            return "worse" if self._columns else "new"
        if set(columns) - set(self._columns):
            return "worse" if self._columns or was_broken else "new"
        if is_broken or (columns and not was_broken):
            return "none"
        # Whoever was told that the feed is broken is told that it is whole, whatever else is still open.
        return "cleared" if was_broken or self._columns else "none"

    def _sentence(
        self,
        day: RecordedDay,
        parts: list[_Open],
        status: Status,
        transition: Transition,
        *,
        was_broken: bool,
    ) -> str:
        if status == "data_break":
            what = "the labels cannot be read" if day.labels_are_broken else "the data are broken"
            return f"{day.date}: {what}"
        if parts:
            whole = ["the data can be read again"] if was_broken else []
            return "; ".join([*whole, *(part.sentence for part in parts)])
        if transition != "cleared":
            return f"{day.date}: quiet"
        if self._columns:
            return f"{', '.join(self._columns)}: back at the baseline"
        return f"{day.date}: the data can be read again"


def _carry(known: _Open, decision: AlertDecision | None, *, rename: bool) -> _Open:
    """Return what is open after a day; a day without a decision, or a broken one, leaves it as it was."""
    if decision is None or decision.status == "data_break":
        return _Open(known.columns, known.since, (), known.sentence)
    if decision.status == "quiet":
        return _Open()
    changes = tuple(
        AlertChange(
            MODEL_SCORE if rename else change.stream.column,
            change.stream.statistic,
            change.days,
            change.p_value,
            change.effect,
        )
        for change in decision.changes
    )
    if not rename:
        return _Open(decision.columns, decision.since, changes, decision.sentence)
    told = decision.changes[0].words if decision.changes else "still changed"
    return _Open((MODEL_SCORE,), decision.since, changes, f"{MODEL_SCORE}: {told} since {decision.since}")


def _of_performance(standing: PerformanceStanding) -> _Open:
    if not standing.open_measures:
        return _Open()
    changes = tuple(
        AlertChange(PERFORMANCE, change.measure, change.batches, change.p_value, change.effect)
        for change in standing.changes
    )
    names = ", ".join(standing.open_measures)
    return _Open(
        (PERFORMANCE,),
        standing.since,
        changes,
        f"{PERFORMANCE}: {names} worse than registered since {standing.since}",
    )
