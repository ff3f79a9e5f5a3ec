"""Days to alerts: a pure function of the evidence of all days so far, so re-runs and backfills agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from include.drift_statistics.change_scan import Change, scan_last_day
from include.drift_statistics.daily_evidence import DayEvidence
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.evidence_streams import Evidence, RunningDays, lay_out
from include.drift_statistics.profiles import Profile
from include.drift_statistics.return_to_baseline import OpenStream, quiet_window

STATE_VERSION = 2

Status = Literal["quiet", "drift", "data_break"]
Transition = Literal["none", "new", "worse", "cleared"]


@dataclass(frozen=True)
class MonitorRule:
    """Settings of the sequential rule.

    Args:
        yearly_false_alerts: expected number of false alerts in 365 daily looks without drift.
        drift_rule: the daily rule, whose floors also hold here.

    """

    yearly_false_alerts: float = 0.1
    drift_rule: DriftRule = field(default_factory=DriftRule)

    def floors(self) -> dict[str, float]:
        """Smallest effect that may alert, per kind of statistic."""
        rule = self.drift_rule
        return {
            "location": rule.floor_location,
            "spread": rule.floor_spread,
            "groups": rule.floor_total_variation,
            "share": rule.floor_share,
            "missing": rule.floor_missing,
            "correlation": rule.floor_correlation,
        }


@dataclass(frozen=True)
class MonitorState:
    """Evidence of every day under one model version, ordered by date; all that is kept between runs.

    No day is ever dropped: decisions are a function of all of them, so an open alert keeps its first day.
    """

    model_version: str
    days: tuple[DayEvidence, ...] = ()

    def with_day(self, day: DayEvidence) -> "MonitorState":
        """State with this day recorded; a day of the same date is replaced, never counted twice."""
        others = [known for known in self.days if known.date != day.date]
        ordered = sorted([*others, day], key=lambda known: known.date)
        return replace(self, days=tuple(ordered))

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        days = [day.to_mapping() for day in self.days]
        return {
            "contract": "drift_monitor_state",
            "version": STATE_VERSION,
            "model_version": self.model_version,
            "days": days,
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "MonitorState":
        """Inverse of `to_mapping`; ValueError for another contract or version."""
        if mapping.get("contract") != "drift_monitor_state" or mapping.get("version") != STATE_VERSION:
            raise ValueError(
                f"not a drift monitor state of version {STATE_VERSION}: "
                f"{mapping.get('contract')!r} version {mapping.get('version')!r}"
            )
        return cls(
            str(mapping["model_version"]), tuple(DayEvidence.from_mapping(day) for day in mapping["days"])
        )


@dataclass(frozen=True)
class AlertDecision:
    """Where monitoring stands after one day, and whether a message is due.

    `since` is the first day of the change as far as the evidence tells; `changes` are strongest first.
    """

    date: str
    status: Status
    transition: Transition
    since: str | None
    columns: tuple[str, ...]
    changes: tuple[Change, ...]
    sentence: str

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "date": self.date,
            "status": self.status,
            "transition": self.transition,
            "since": self.since,
            "columns": list(self.columns),
            "sentence": self.sentence,
            "changes": [
                {
                    "column": change.stream.column,
                    "statistic": change.stream.statistic,
                    "days": change.days,
                    "p_value": change.p_value,
                    "effect": change.effect,
                }
                for change in self.changes
            ],
        }


@dataclass
class _Walk:
    """What is carried from day to day while the history is walked once."""

    reference: Profile
    days: list[DayEvidence]
    rule: MonitorRule
    evidence: Evidence
    included: RunningDays
    open_streams: tuple[OpenStream, ...] = ()
    broken: bool = False

    @property
    def alert_columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stream.stream.column for stream in self.open_streams))

    @property
    def since_date(self) -> str | None:
        """First day of the strongest change of the day that opened the alert."""
        return self.days[self.included[self.open_streams[0].start]].date if self.open_streams else None

    def open(self, changes: list[Change]) -> None:
        """Follow the streams of columns that have just alerted."""
        count = len(self.included)
        self.open_streams += tuple(
            OpenStream(change.stream, count - change.days, count) for change in changes
        )


def decide_alerts(
    reference: Profile, state: MonitorState, date: str, rule: MonitorRule | None = None
) -> AlertDecision:
    """Decision for one recorded date, from the days up to it; later days never change it.

    Raises:
        ValueError: the date is not recorded.

    """
    decisions = walk_days(reference, [day for day in state.days if day.date <= date], rule or MonitorRule())
    if not decisions or decisions[-1].date != date:
        raise ValueError(f"no evidence is recorded for {date}; record the day before asking for its decision")
    return decisions[-1]


def walk_days(reference: Profile, days: list[DayEvidence], rule: MonitorRule) -> list[AlertDecision]:
    """Decisions of every day, in order of date."""
    usable = [day for day in days if _is_usable(reference, day)]
    places = {day.date: place for place, day in enumerate(usable)}
    evidence = lay_out(reference, usable)
    walk = _Walk(reference, usable, rule, evidence, RunningDays(evidence))
    return [_step(walk, day, places.get(day.date)) for day in days]


def _is_usable(reference: Profile, day: DayEvidence) -> bool:
    return day.counts and set(day.columns) == set(reference.layout)


def _step(walk: _Walk, day: DayEvidence, place: int | None) -> AlertDecision:
    if day.verdict == "data_break":
        transition: Transition = "none" if walk.broken else ("worse" if walk.alert_columns else "new")
        walk.broken = True
        sentence = f"{day.date}: the data are broken"
        return AlertDecision(day.date, "data_break", transition, day.date, (), (), sentence)
    if place is None:
        status: Status = "data_break" if walk.broken else ("drift" if walk.alert_columns else "quiet")
        sentence = f"{day.date}: too few rows to judge"
        return AlertDecision(day.date, status, "none", walk.since_date, walk.alert_columns, (), sentence)
    mended, walk.broken = walk.broken, False
    walk.included.add(place)
    columns, rule = len(walk.reference.layout), walk.rule
    changes = scan_last_day(walk.evidence, walk.included, columns, rule.yearly_false_alerts, rule.floors())
    if walk.open_streams:
        return _while_alerting(walk, day, changes, mended=mended)
    if not changes:
        transition = "cleared" if mended else "none"
        return AlertDecision(day.date, "quiet", transition, None, (), (), f"{day.date}: quiet")
    walk.open(changes)
    sentence = f"{_words(changes[0])} since {walk.since_date}"
    return AlertDecision(
        day.date, "drift", "new", walk.since_date, walk.alert_columns, tuple(changes), sentence
    )


def _while_alerting(walk: _Walk, day: DayEvidence, changes: list[Change], *, mended: bool) -> AlertDecision:
    """An open alert is worse when another column joins, cleared when its columns are back at the baseline.

    When a broken feed is whole again, that is cleared, and the status says that the drift is still there.
    """
    since, columns = walk.since_date, walk.alert_columns
    more = [change for change in changes if change.stream.column not in columns]
    if more:
        walk.open(more)
        sentence = f"also {_words(more[0])}"
        return AlertDecision(day.date, "drift", "worse", since, walk.alert_columns, tuple(changes), sentence)
    window = quiet_window(walk.evidence, walk.included, walk.open_streams, walk.rule.floors())
    if window is not None:
        # The days of the drift leave the baseline.
        start = min(stream.start for stream in walk.open_streams)
        walk.included.leave_out(start, len(walk.included) - window)
        walk.open_streams = ()
        sentence = f"{', '.join(columns)}: back at the baseline for {window} days"
        return AlertDecision(day.date, "quiet", "cleared", since, columns, (), sentence)
    transition: Transition = "cleared" if mended else "none"
    sentence = f"{', '.join(columns)}: still changed since {since}"
    return AlertDecision(day.date, "drift", transition, since, columns, tuple(changes), sentence)


def _words(change: Change) -> str:
    return f"{change.stream.column}: {change.words}"
