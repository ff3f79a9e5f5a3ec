"""The kinds of column a feature schema knows, and how spellings are folded before they are compared."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

# What CSV readers take for a missing value or a number: as a level it would not survive being written.
_UNSAFE_LEVEL = re.compile(r"(?i)(|#?n/?a|<na>|nan|null|none|[+-]?(\d|\.\d|inf|1\.#).*)\Z")


def normalise_name(text: str) -> str:
    """Fold a column name: case, spaces, underscores and punctuation carry no meaning there."""
    folded = "".join(character for character in text.casefold() if character.isalnum())
    return folded or text.strip()


def normalise_spelling(text: str) -> str:
    """Fold a level, label or null token: case, surrounding and repeated spaces carry no meaning there.

    Spaces, hyphens and underscores are one, so `month_to_month` is `Month-to-month`.
    """
    stripped = text.strip().casefold()
    return " ".join(re.sub(r"[\s_\-]+", " ", stripped).split()) or stripped


@dataclass(frozen=True)
class IdColumn:
    """The customer's key: used to find duplicates, never a feature and never written out."""

    name: str
    aliases: tuple[str, ...] = ()
    kind: str = field(default="id", init=False)


@dataclass(frozen=True)
class NumericColumn:
    """A number with its unit and closed range; `integer` columns take whole numbers only."""

    name: str
    unit: str
    minimum: float
    maximum: float
    integer: bool = False
    aliases: tuple[str, ...] = ()
    maximum_null_share: float | None = None
    kind: str = field(default="numeric", init=False)


@dataclass(frozen=True)
class Level:
    """One level of a categorical column: its canonical name and the other spellings seen for it."""

    name: str
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CategoricalColumn:
    """A text column with a closed list of levels, in the order of the one-hot encoding."""

    name: str
    levels: tuple[Level, ...]
    aliases: tuple[str, ...] = ()
    maximum_null_share: float | None = None
    kind: str = field(default="categorical", init=False)

    @property
    def level_names(self) -> tuple[str, ...]:
        """Canonical level names in order."""
        return tuple(level.name for level in self.levels)


@dataclass(frozen=True)
class TargetColumn:
    """The label: spellings of 1 (`positive`, the customer left) and of 0 (`negative`)."""

    name: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    kind: str = field(default="target", init=False)


FeatureColumn = NumericColumn | CategoricalColumn
Column = IdColumn | FeatureColumn | TargetColumn


def column_mapping(column: Column) -> dict[str, Any]:
    """Return the JSON form that `read_column` reads."""
    mapping = asdict(column)
    mapping = {"name": mapping.pop("name"), "kind": mapping.pop("kind"), **mapping}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in mapping.items()}


def read_column(reader: MappingReader) -> Column:
    """Read one column by its `kind`; raises ContractError naming the entry and key."""
    kind, name = reader.text("kind"), reader.name("name")
    reader = MappingReader(reader.content, f"{reader.place} ({name})")
    aliases = reader.texts("aliases", ())
    if kind == "id":
        reader.refuse_unknown_keys(("name", "kind", "aliases"))
        return IdColumn(name, aliases)
    if kind == "target":
        reader.refuse_unknown_keys(("name", "kind", "aliases", "positive", "negative"))
        return TargetColumn(name, reader.texts("positive"), reader.texts("negative"), aliases)
    null_share = None
    if reader.content.get("maximum_null_share") is not None:
        null_share = reader.share("maximum_null_share", 0.0)
    if kind == "categorical":
        reader.refuse_unknown_keys(("name", "kind", "aliases", "levels", "maximum_null_share"))
        return CategoricalColumn(name, _read_levels(reader), aliases, null_share)
    if kind == "numeric":
        keys = ("name", "kind", "aliases", "unit", "minimum", "maximum", "integer", "maximum_null_share")
        reader.refuse_unknown_keys(keys)
        minimum, maximum = reader.number("minimum"), reader.number("maximum")
        if minimum >= maximum:
            raise reader.fail("maximum", f"must be above the minimum {minimum:g}, found {maximum:g}")
        integer = reader.flag("integer", default=False)
        return NumericColumn(name, reader.text("unit"), minimum, maximum, integer, aliases, null_share)
    raise reader.fail("kind", f"expected id, numeric, categorical or target, found {kind!r}")


def _read_levels(reader: MappingReader) -> tuple[Level, ...]:
    """Read levels as a list of names, a mapping of name to spellings, or a list of {name, spellings}."""
    content = reader.content.get("levels")
    if isinstance(content, dict):
        spellings = MappingReader.of(content, f"{reader.place}, levels")
        levels = tuple(Level(name, spellings.texts(name)) for name in content)
    elif isinstance(content, list) and content and isinstance(content[0], dict):
        entries = reader.readers("levels")
        levels = tuple(Level(entry.text("name"), entry.texts("spellings", ())) for entry in entries)
    else:
        levels = tuple(Level(name) for name in reader.texts("levels"))
    for level in levels:
        if _UNSAFE_LEVEL.match(level.name):
            raise reader.fail(
                "levels",
                f"{level.name!r} reads as a number or a null; give it a word and list it as a spelling",
            )
    if len(levels) < 2:
        raise reader.fail("levels", "expected at least two levels")
    return levels
