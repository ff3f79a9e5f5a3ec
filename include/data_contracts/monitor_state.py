"""The contract of monitor_state.json as far as the Airflow side knows it: which days it holds.

What a day's evidence means is the job's business (`sagemaker_jobs.monitoring_state`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "monitoring_state"
VERSION = 1

type Days = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class MonitorStateDays:
    """Three lists of days by date: what each came to, its evidence of features and its evidence of scores.

    `head` is all the rest, and `model` what the days were measured against; both are carried, not read.
    """

    head: Mapping[str, Any]
    model: tuple[str, str]
    days: Days
    features: Days
    scores: Days

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form, days in order of date."""
        return {
            **self.head,
            "days": _in_order(self.days),
            "features": {**self.head["features"], "days": _in_order(self.features)},
            "scores": {**self.head["scores"], "days": _in_order(self.scores)},
        }

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "MonitorStateDays":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        return cls(
            head=reader.content,
            model=(reader.text("model_version"), reader.text("reference_sha256")),
            days=_by_date(reader),
            features=_by_date(reader.part("features")),
            scores=_by_date(reader.part("scores")),
        )

    def with_day_of(self, other: "MonitorStateDays", date: str) -> "MonitorStateDays":
        """Return `other` with all days of these, and that date as `other` has it.

        Two runs that judged different days at the same time both keep their day this way.
        """
        return MonitorStateDays(
            head=other.head,
            model=other.model,
            days=_merged(self.days, other.days, date),
            features=_merged(self.features, other.features, date),
            scores=_merged(self.scores, other.scores, date),
        )


def _by_date(reader: MappingReader) -> Days:
    return {day.text("date"): day.content for day in reader.readers("days")}


def _in_order(days: Days) -> list[dict[str, Any]]:
    return [dict(days[date]) for date in sorted(days)]


def _merged(known: Days, made: Days, date: str) -> Days:
    days = {day: content for day, content in known.items() if day != date}
    if date in made:
        days[date] = made[date]
    return {day: days[day] for day in sorted(days)}
