"""The contract between the daily statistics and the messages: where drift alerting stands after a day."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

STATUSES = ("quiet", "drift", "data_break")
TRANSITIONS = ("none", "new", "worse", "cleared")

# What an alert may name besides columns of the data.
MODEL_SCORE = "model score"
MODEL_PERFORMANCE = "model performance"
# The statistic of a change that is of two columns, named "first, second".
CORRELATION = "correlation"


@dataclass(frozen=True)
class AlertChange:
    """One change that led to the alert: which statistic of which column, over how many of the last days."""

    column: str
    statistic: str
    days: int
    p_value: float
    effect: float

    @classmethod
    def read(cls, reader: MappingReader) -> "AlertChange":
        """Read one entry; raises ContractError naming the key."""
        return cls(
            reader.text("column"),
            reader.text("statistic"),
            reader.integer("days"),
            reader.number("p_value"),
            reader.number("effect"),
        )


@dataclass(frozen=True)
class DriftAlert:
    """Standing and transition of one day; a message is due unless the transition is none.

    `since` is the first day of the change as far as the evidence tells, None while all is well. `changes` are
    strongest first. `columns` may also hold MODEL_SCORE and MODEL_PERFORMANCE.
    """

    date: str
    status: str
    transition: str
    since: str | None
    columns: tuple[str, ...]
    changes: tuple[AlertChange, ...]
    sentence: str

    @property
    def is_due(self) -> bool:
        """Whether people have to be told."""
        return self.transition != "none"

    @property
    def headline_columns(self) -> tuple[str, ...]:
        """What to name in one line: single columns; pairs that go together differently only where none is."""
        pairs = {change.column for change in self.changes if change.statistic == CORRELATION}
        return tuple(column for column in self.columns if column not in pairs) or self.columns

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(alert.to_mapping()) == alert`."""
        mapping = asdict(self)
        return {**mapping, "columns": list(self.columns), "changes": [asdict(c) for c in self.changes]}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any] | object, place: str = "alert") -> "DriftAlert":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        return cls(
            date=reader.text("date"),
            status=reader.one_of("status", STATUSES),
            transition=reader.one_of("transition", TRANSITIONS),
            since=reader.optional_text("since"),
            columns=reader.texts("columns"),
            changes=tuple(AlertChange.read(entry) for entry in reader.readers("changes")),
            sentence=reader.text("sentence"),
        )
