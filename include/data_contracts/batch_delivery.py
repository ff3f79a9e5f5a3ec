"""The contract of a day's delivery record: whether a batch came, whichever model was in charge."""

from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.day_inputs import ARRIVED, BATCH_STATUSES
from include.data_contracts.mapping_reader import MappingReader
from include.data_contracts.monitoring_day import BatchAlert

CONTRACT = "batch_delivery"
VERSION = 1


@dataclass(frozen=True)
class BatchDelivery:
    """One day's delivery; `fingerprint` is that of the last batch that came, this day's or an earlier's."""

    date: str
    status: str
    fingerprint: str | None
    batch_alert: BatchAlert
    run_id: str

    @property
    def is_outage(self) -> bool:
        """Whether no new batch came."""
        return self.status != ARRIVED

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(delivery.to_mapping()) == delivery`."""
        return {"contract": CONTRACT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "BatchDelivery":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        reader.refuse_unknown_keys(("contract", "version", *cls.__dataclass_fields__))
        return cls(
            date=reader.text("date"),
            status=reader.one_of("status", BATCH_STATUSES),
            fingerprint=reader.optional_text("fingerprint"),
            batch_alert=BatchAlert.from_mapping(reader.content.get("batch_alert"), f"{place}, batch_alert"),
            run_id=reader.text("run_id"),
        )
