"""The contract between waiting for a day's batch and judging it: what lay in S3 when the wait ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

ARRIVED, MISSING, STALE = "arrived", "missing", "stale"
BATCH_STATUSES = (ARRIVED, MISSING, STALE)
_OPTIONAL_TEXTS = (
    "fingerprint", "state_uri", "labels_uri", "past_predictions_uri", "labelled_date", "expected_labels",
)  # fmt: skip


@dataclass(frozen=True)
class DayInputs:
    """What was found for one day; a missing batch has no files, and a stale one is the day before's.

    `fingerprint` identifies the content (sizes and ETags, not names); `age_hours` is the time since the
    newest file was written. `state_uri`, `labels_uri` and `past_predictions_uri` are None where none lies.
    `labelled_date` is the date of the batch that the labels belong to, `expected_labels` the date of labels
    that were due and have not come.
    """

    status: str
    batch_uri: str
    files: int = 0
    bytes: int = 0
    fingerprint: str | None = None
    age_hours: float | None = None
    state_uri: str | None = None
    labels_uri: str | None = None
    past_predictions_uri: str | None = None
    labelled_date: str | None = None
    expected_labels: str | None = None

    @property
    def has_arrived(self) -> bool:
        """Whether there is something new to judge."""
        return self.status == ARRIVED

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(inputs.to_mapping()) == inputs`."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: object, place: str = "day_inputs") -> "DayInputs":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        reader.refuse_unknown_keys(tuple(cls.__dataclass_fields__))
        content: Mapping[str, Any] = reader.content
        optional = {name: reader.optional_text(name) for name in _OPTIONAL_TEXTS}
        return cls(
            status=reader.one_of("status", BATCH_STATUSES),
            batch_uri=reader.text("batch_uri"),
            files=reader.integer("files"),
            bytes=reader.integer("bytes"),
            age_hours=None if content.get("age_hours") is None else reader.number("age_hours"),
            **optional,
        )
