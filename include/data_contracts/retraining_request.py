"""The contract of one requested retraining: what cooldown and monthly budget are counted from."""

from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "retraining_request"
VERSION = 1


@dataclass(frozen=True)
class RetrainingRequest:
    """A retraining that drift of one batch asked for.

    `date` is the batch's, `requested_at` an ISO 8601 time, `run_id` that of the retraining run and
    `requested_by` that of the monitoring run.
    """

    date: str
    requested_at: str
    run_id: str
    requested_by: str
    model_version: str
    reason: str

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(request.to_mapping()) == request`."""
        return {"contract": CONTRACT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "RetrainingRequest":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        reader.refuse_unknown_keys(("contract", "version", *cls.__dataclass_fields__))
        return cls(**{name: reader.text(name) for name in cls.__dataclass_fields__})
