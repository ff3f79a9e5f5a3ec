"""The contract of monitor_state.json as far as the Airflow side knows it: which days it holds.

What a day's evidence means is the job's business (`include.drift_statistics.sequential_monitor`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "drift_monitor_state"
VERSION = 1
# As many as the job keeps; a test holds the two against each other.
KEPT_DAYS = 400


@dataclass(frozen=True)
class MonitorStateDays:
    """Evidence per date under one model version; the evidence itself is carried, not read."""

    model_version: str
    days: Mapping[str, Mapping[str, Any]]

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form, days in order of date."""
        return {
            "contract": CONTRACT,
            "version": VERSION,
            "model_version": self.model_version,
            "days": [dict(self.days[date]) for date in sorted(self.days)],
        }

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "MonitorStateDays":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        return cls(
            reader.text("model_version"), {day.text("date"): day.content for day in reader.readers("days")}
        )

    def with_day_of(self, other: "MonitorStateDays", date: str) -> "MonitorStateDays":
        """Return these days with that date's evidence of `other` in its place.

        Two runs that judged different days at the same time both keep their day this way. Beyond KEPT_DAYS
        the oldest leave.
        """
        days = {known: evidence for known, evidence in self.days.items() if known != date}
        if date in other.days:
            days[date] = other.days[date]
        kept = sorted(days)[-KEPT_DAYS:]
        return MonitorStateDays(self.model_version, {known: days[known] for known in kept})
