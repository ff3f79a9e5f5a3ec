"""The contracts of a group's messages: each as it is to be sent, and the proof that SNS has taken it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

MESSAGE_CONTRACT, SENT_CONTRACT = "told_alert", "sent_alert"
VERSION = 1
KINDS = ("batch", "drift", "data_break")
OPENING_TRANSITIONS = ("new", "worse")
TRANSITIONS = (*OPENING_TRANSITIONS, "cleared")


@dataclass(frozen=True)
class ToldAlert:
    """One message of one day, written before SNS is asked and never lost from then on.

    `about` is what the message is about: the drift of one model version, or the delivery of batches; what
    people know of it is its last message. `columns` is all that the alert names, `since` its first day.
    `claimed_by` is the run that is sending it, or None while no run is; `attributes` are texts.
    """

    about: str
    date: str
    kind: str
    transition: str
    is_trial: bool
    since: str | None
    columns: tuple[str, ...]
    alert_id: str
    subject: str
    text: str
    attributes: Mapping[str, str]
    run_id: str
    written_at: str
    claimed_by: str | None
    claimed_at: str

    @property
    def is_open(self) -> bool:
        """Whether people have been left with something to look after.

        The end of a data break may leave drift open, and then names its columns.
        """
        return self.transition in OPENING_TRANSITIONS or bool(self.columns)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(alert.to_mapping()) == alert`."""
        mapping = {**asdict(self), "columns": list(self.columns), "attributes": dict(self.attributes)}
        return {"contract": MESSAGE_CONTRACT, "version": VERSION, **mapping}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = MESSAGE_CONTRACT) -> "ToldAlert":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = _reader(mapping, place, MESSAGE_CONTRACT)
        attributes = reader.part("attributes")
        names = ("about", "date", "alert_id", "subject", "text", "run_id", "written_at", "claimed_at")
        return cls(
            **{name: reader.text(name) for name in names},
            kind=reader.one_of("kind", KINDS),
            transition=reader.one_of("transition", TRANSITIONS),
            is_trial=reader.flag("is_trial", False),
            since=reader.optional_text("since"),
            columns=reader.texts("columns"),
            attributes={name: attributes.text(name) for name in attributes.content},
            claimed_by=reader.optional_text("claimed_by"),
        )


@dataclass(frozen=True)
class SentAlert:
    """The proof that SNS took a message: as which of its own, and which run had sent it."""

    alert_id: str
    message_id: str
    run_id: str
    sent_at: str

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(sent.to_mapping()) == sent`."""
        return {"contract": SENT_CONTRACT, "version": VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = SENT_CONTRACT) -> "SentAlert":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = _reader(mapping, place, SENT_CONTRACT)
        return cls(**{name: reader.text(name) for name in cls.__dataclass_fields__})


def _reader(mapping: object, place: str, contract: str) -> MappingReader:
    reader = MappingReader.of(mapping, place)
    if reader.text("contract") != contract or reader.integer("version") != VERSION:
        raise reader.fail("contract", f"expected {contract} version {VERSION}")
    return reader
