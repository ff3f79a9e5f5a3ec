"""The contract of the marker that keeps a day's figures from being published twice or never."""

from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "metrics_marker"
VERSION = 1


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
        return {"contract": CONTRACT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "MetricsMarker":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        return cls(
            reader.text("fingerprint"),
            reader.integer("revision"),
            reader.integer("requests"),
            reader.integer("requests_sent"),
            reader.text("run_id"),
            reader.text("written_at"),
        )
