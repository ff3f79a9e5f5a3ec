"""The contracts of the two markers that keep what leaves a day from being sent twice or never."""

from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

ALERT_CONTRACT, METRICS_CONTRACT = "alert_marker", "metrics_marker"
VERSION = 1
PENDING, SENT = "pending", "sent"


@dataclass(frozen=True)
class AlertMarker:
    """One message of one day: about to be sent, or sent by the run `run_id` as SNS's `message_id`."""

    alert_id: str
    state: str
    run_id: str
    written_at: str
    message_id: str | None = None

    @property
    def is_sent(self) -> bool:
        """Whether SNS has taken the message."""
        return self.state == SENT

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(marker.to_mapping()) == marker`."""
        return {"contract": ALERT_CONTRACT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = ALERT_CONTRACT) -> "AlertMarker":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = _reader(mapping, place, ALERT_CONTRACT)
        return cls(
            reader.text("alert_id"),
            reader.one_of("state", (PENDING, SENT)),
            reader.text("run_id"),
            reader.text("written_at"),
            reader.optional_text("message_id"),
        )


@dataclass(frozen=True)
class MetricsMarker:
    """The figures of one day: how many of the requests that hold them CloudWatch has taken.

    `fingerprint` identifies the figures; `revision` counts how often they have changed since the first.
    """

    fingerprint: str
    revision: int
    requests: int
    requests_sent: int
    run_id: str
    written_at: str

    @property
    def is_complete(self) -> bool:
        """Whether CloudWatch has taken all."""
        return self.requests_sent >= self.requests

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(marker.to_mapping()) == marker`."""
        return {"contract": METRICS_CONTRACT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = METRICS_CONTRACT) -> "MetricsMarker":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = _reader(mapping, place, METRICS_CONTRACT)
        return cls(
            reader.text("fingerprint"),
            reader.integer("revision"),
            reader.integer("requests"),
            reader.integer("requests_sent"),
            reader.text("run_id"),
            reader.text("written_at"),
        )


def _reader(mapping: object, place: str, contract: str) -> MappingReader:
    reader = MappingReader.of(mapping, place)
    if reader.text("contract") != contract or reader.integer("version") != VERSION:
        raise reader.fail("contract", f"expected {contract} version {VERSION}")
    return reader
