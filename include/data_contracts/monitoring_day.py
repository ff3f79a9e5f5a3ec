"""The contract of day.json: what one day of monitoring came to, missing batches included."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.day_inputs import BATCH_STATUSES
from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "monitoring_day"
VERSION = 1
TRANSITIONS = ("none", "new", "cleared")


@dataclass(frozen=True)
class BatchAlert:
    """Where the delivery of batches stands: an outage is open from its first missing or stale day on.

    `transition` says whether a message is due; `since` is the first day of the outage, also when it has just
    been cleared, and None while all is well.
    """

    transition: str
    since: str | None
    sentence: str

    @classmethod
    def from_mapping(cls, mapping: object, place: str) -> "BatchAlert":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        reader.refuse_unknown_keys(tuple(cls.__dataclass_fields__))
        return cls(
            reader.one_of("transition", TRANSITIONS), reader.optional_text("since"), reader.text("sentence")
        )


@dataclass(frozen=True)
class MonitoringDay:
    """One day: `verdict`, `rows`, `alert` and the report's URIs are None where no batch was judged.

    `alert` is the job's decision, the mapping of a `DriftAlert`; `batch_alert` is about the delivery itself.
    `has_open_alert` says whether drift or a data break is open after the day, whether or not a batch came.
    `labelled_date` is the date of the batch whose labels the day was judged with.
    `fingerprint` is that of the last batch that was delivered, this day's or an earlier one's.
    """

    date: str
    model_version: str
    run_id: str
    batch_status: str
    batch_uri: str
    batch_files: int
    batch_bytes: int
    batch_age_hours: float | None
    fingerprint: str | None
    batch_alert: BatchAlert
    verdict: str | None
    sentence: str
    drifted_features: tuple[str, ...]
    rows: int | None
    alert: Mapping[str, Any] | None
    report_json_uri: str | None
    report_html_uri: str | None
    has_open_alert: bool
    labelled_date: str | None = None

    @property
    def is_outage(self) -> bool:
        """Whether no new batch came."""
        return self.batch_status != "arrived"

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(day.to_mapping()) == day`."""
        return {
            "contract": CONTRACT,
            "version": VERSION,
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "batch_alert": asdict(self.batch_alert),
            "drifted_features": list(self.drifted_features),
            "alert": None if self.alert is None else dict(self.alert),
        }

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "MonitoringDay":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        reader.refuse_unknown_keys(("contract", "version", *cls.__dataclass_fields__))
        content = reader.content
        age, alert = content.get("batch_age_hours"), content.get("alert")
        return cls(
            date=reader.text("date"),
            model_version=reader.text("model_version"),
            run_id=reader.text("run_id"),
            batch_status=reader.one_of("batch_status", BATCH_STATUSES),
            batch_uri=reader.text("batch_uri"),
            batch_files=reader.integer("batch_files"),
            batch_bytes=reader.integer("batch_bytes"),
            batch_age_hours=None if age is None else reader.number("batch_age_hours"),
            fingerprint=reader.optional_text("fingerprint"),
            batch_alert=BatchAlert.from_mapping(content.get("batch_alert"), f"{place}, batch_alert"),
            verdict=reader.optional_text("verdict"),
            sentence=reader.text("sentence"),
            drifted_features=reader.texts("drifted_features"),
            rows=reader.optional_integer("rows"),
            alert=None if alert is None else DriftAlert.from_mapping(alert, f"{place}, alert").to_mapping(),
            report_json_uri=reader.optional_text("report_json_uri"),
            report_html_uri=reader.optional_text("report_html_uri"),
            has_open_alert=reader.flag("has_open_alert", False),
            labelled_date=reader.optional_text("labelled_date"),
        )
