"""Read values out of a JSON or YAML mapping with errors that name the document and the key.

Every contract of this package is read from text that a person or another program wrote; a wrong type or an
unknown key must be told in one line, not found three stages later.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*\Z")


class ContractError(ValueError):
    """A document breaks its contract; the message is one line naming document, key and remedy."""


@dataclass(frozen=True)
class MappingReader:
    """One mapping of a document and the place it stands in; every getter checks the type.

    Raises ContractError, always with `place` in front.
    """

    content: Mapping[str, Any]
    place: str

    @classmethod
    def of(cls, content: object, place: str) -> "MappingReader":
        """Wrap `content`, which must be a mapping with text keys."""
        if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
            raise ContractError(f"{place}: expected a mapping of names to values, found {content!r:.80}")
        return cls(content, place)

    def fail(self, key: str, what: str) -> ContractError:
        """Build (not raise) the error for one key."""
        return ContractError(f"{self.place}, key {key!r}: {what}")

    def refuse_unknown_keys(self, known: Sequence[str]) -> None:
        """Raise when the mapping holds a key that is not in `known`."""
        unknown = sorted(set(self.content) - set(known))
        if unknown:
            raise ContractError(
                f"{self.place}: unknown key {', '.join(map(repr, unknown))}; known: {', '.join(known)}"
            )

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text value."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self.fail(key, "is missing" if value is None else f"expected text, found {value!r:.60}")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return a text value, or None for null or an absent key."""
        return None if self.content.get(key) is None else self.text(key)

    def one_of(self, key: str, allowed: Sequence[str]) -> str:
        """Return a text that is one of a few words."""
        value = self.text(key)
        if value not in allowed:
            raise self.fail(key, f"expected one of {', '.join(allowed)}, found {value!r:.40}")
        return value

    def name(self, key: str) -> str:
        """Return a snake_case name."""
        value = self.text(key)
        if not SNAKE_CASE.match(value):
            raise self.fail(key, f"expected a lower_case_name, found {value!r}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Return an int or float as a float; booleans and non-finite numbers are refused."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.fail(key, "is missing" if value is None else f"expected a number, found {value!r:.60}")
        return float(value)

    def optional_number(self, key: str) -> float | None:
        """Return a number as a float, or None for null or an absent key."""
        return None if self.content.get(key) is None else self.number(key)

    def share(self, key: str, default: float) -> float:
        """Return a number between 0 and 1."""
        value = self.number(key, default)
        if not 0 <= value <= 1:
            raise self.fail(key, f"expected a share between 0 and 1, found {value:g}")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail(
                key, "is missing" if value is None else f"expected a whole number, found {value!r:.60}"
            )
        return value

    def optional_integer(self, key: str) -> int | None:
        """Return a whole number, or None for null or an absent key."""
        return None if self.content.get(key) is None else self.integer(key)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.content.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, f"expected true or false, found {value!r:.60}")
        return value

    def texts(self, key: str, default: Sequence[object] | None = None) -> tuple[str, ...]:
        """Return a list of texts; whole numbers are taken as their text (a code such as 1).

        A boolean is refused: YAML reads an unquoted Yes or No as one, which loses the spelling.
        """
        value = self.content.get(key, default)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.fail(key, "is missing" if value is None else f"expected a list, found {value!r:.60}")
        return tuple(self._as_text(key, entry) for entry in value)

    def _as_text(self, key: str, entry: object) -> str:
        if isinstance(entry, bool):
            raise self.fail(key, f"found the boolean {entry}; write it in quotes, for example 'Yes' or 'No'")
        if isinstance(entry, int):
            return str(entry)
        if not isinstance(entry, str):
            raise self.fail(key, f"expected texts, found {entry!r:.60}")
        return entry

    def part(self, key: str) -> "MappingReader":
        """Return the mapping under a key."""
        value = self.content.get(key)
        if value is None:
            raise self.fail(key, "is missing")
        return MappingReader.of(value, f"{self.place}, {key}")

    def optional_part(self, key: str) -> "MappingReader | None":
        """Return the mapping under a key, or None for null or an absent key."""
        return None if self.content.get(key) is None else self.part(key)

    def readers(self, key: str) -> tuple["MappingReader", ...]:
        """Return a list of mappings, each with its own place."""
        value = self.content.get(key, ())
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.fail(key, f"expected a list, found {value!r:.60}")
        return tuple(
            MappingReader.of(entry, f"{self.place}, {key} entry {number}")
            for number, entry in enumerate(value, 1)
        )
