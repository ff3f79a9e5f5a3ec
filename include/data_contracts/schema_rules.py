"""Cross-field rules and limits of a feature schema: data a person writes, no code.

Three rules cover what telecom exports get wrong between columns:

- `fill`: a blank cell that has a meaning (total charges are blank because the customer is new) gets a value;
- `implies`: where one condition holds another must hold too (no phone service, no multiple lines);
- `product`: one number is about the product of two others (total = months * monthly price).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

_CONDITION_KEYS = ("column", "equals", "in", "blank", "minimum", "maximum")


@dataclass(frozen=True)
class Condition:
    """One test of one cell: it is blank, is one of some levels, or lies in a closed range.

    A missing cell fulfils nothing but `blank: true`.
    """

    column: str
    levels: tuple[str, ...] = ()
    blank: bool = False
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def from_reader(cls, reader: MappingReader) -> "Condition":
        """Read `{column, equals | in | blank | minimum, maximum}`; `equals: 0` on a number is a range."""
        reader.refuse_unknown_keys(_CONDITION_KEYS)
        column = reader.text("column")
        levels: tuple[str, ...] = ()
        minimum = reader.number("minimum") if reader.content.get("minimum") is not None else None
        maximum = reader.number("maximum") if reader.content.get("maximum") is not None else None
        equals = reader.content.get("equals")
        if isinstance(equals, bool):
            raise reader.fail("equals", f"found the boolean {equals}; write it in quotes, for example 'No'")
        if isinstance(equals, str):
            levels = (equals,)
        elif equals is not None:
            minimum = maximum = reader.number("equals")
        levels = reader.texts("in", levels) if reader.content.get("in") else levels
        blank = reader.flag("blank", default=False)
        if not (levels or blank or minimum is not None or maximum is not None):
            raise reader.fail("equals", "a condition needs one of equals, in, blank, minimum, maximum")
        return cls(column, levels, blank, minimum, maximum)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form that `from_reader` reads."""
        mapping: dict[str, Any] = {"column": self.column}
        if self.levels:
            mapping["in"] = list(self.levels)
        if self.blank:
            mapping["blank"] = True
        if self.minimum is not None:
            mapping["minimum"] = self.minimum
        if self.maximum is not None:
            mapping["maximum"] = self.maximum
        return mapping

    def __str__(self) -> str:
        if self.blank:
            return f"{self.column} is blank"
        if self.levels:
            return f"{self.column} is {' or '.join(self.levels)}"
        if self.minimum == self.maximum:
            return f"{self.column} is {self.minimum:g}"
        bounds = [f"at least {self.minimum:g}"] if self.minimum is not None else []
        bounds += [f"at most {self.maximum:g}"] if self.maximum is not None else []
        return f"{self.column} is {' and '.join(bounds)}"


@dataclass(frozen=True)
class FillRule:
    """A blank number in `column` becomes `value` where `when` holds; elsewhere a blank stays missing."""

    name: str
    column: str
    value: float
    when: Condition

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule reads."""
        return (self.column, self.when.column)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "kind": "fill",
            "name": self.name,
            "column": self.column,
            "value": self.value,
            "when": self.when.to_mapping(),
        }

    def __str__(self) -> str:
        return f"a blank {self.column} is {self.value:g} where {self.when}"


@dataclass(frozen=True)
class ImpliesRule:
    """Where `condition` holds `consequence` must hold (and the other way round if `both_ways`)."""

    name: str
    condition: Condition
    consequence: Condition
    both_ways: bool
    maximum_violation_share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule reads."""
        return (self.condition.column, self.consequence.column)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "kind": "implies",
            "name": self.name,
            "if": self.condition.to_mapping(),
            "then": self.consequence.to_mapping(),
            "both_ways": self.both_ways,
            "maximum_violation_share": self.maximum_violation_share,
        }

    def __str__(self) -> str:
        return f"{self.condition} {'exactly when' if self.both_ways else 'only where'} {self.consequence}"


@dataclass(frozen=True)
class ProductRule:
    """`column` is the product of `factors` within a relative tolerance plus an absolute one."""

    name: str
    column: str
    factors: tuple[str, str]
    tolerance_share: float
    tolerance: float
    maximum_violation_share: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule reads."""
        return (self.column, *self.factors)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"kind": "product"} | asdict(self) | {"factors": list(self.factors)}

    def __str__(self) -> str:
        return f"{self.column} is {' times '.join(self.factors)} within {self.tolerance_share:.0%}"


CrossFieldRule = FillRule | ImpliesRule | ProductRule


def read_rule(reader: MappingReader) -> CrossFieldRule:
    """Read one rule by its `kind`; raises ContractError naming the entry and key."""
    kind = reader.text("kind")
    name = reader.name("name")
    if kind == "fill":
        reader.refuse_unknown_keys(("kind", "name", "column", "value", "when"))
        when = Condition.from_reader(MappingReader.of(reader.content.get("when"), f"{reader.place}, when"))
        return FillRule(name, reader.text("column"), reader.number("value"), when)
    if kind == "implies":
        reader.refuse_unknown_keys(("kind", "name", "if", "then", "both_ways", "maximum_violation_share"))
        condition, consequence = (
            Condition.from_reader(MappingReader.of(reader.content.get(key), f"{reader.place}, {key}"))
            for key in ("if", "then")
        )
        return ImpliesRule(
            name,
            condition,
            consequence,
            reader.flag("both_ways", default=False),
            reader.share("maximum_violation_share", 0.01),
        )
    if kind == "product":
        keys = ("kind", "name", "column", "factors", "tolerance_share", "tolerance")
        reader.refuse_unknown_keys((*keys, "maximum_violation_share"))
        factors = reader.texts("factors")
        if len(factors) != 2:
            raise reader.fail("factors", "expected two column names")
        return ProductRule(
            name,
            reader.text("column"),
            (factors[0], factors[1]),
            reader.share("tolerance_share", 0.0),
            reader.number("tolerance", 0.0),
            reader.share("maximum_violation_share", 0.01),
        )
    raise reader.fail("kind", f"expected fill, implies or product, found {kind!r}")


@dataclass(frozen=True)
class Limits:
    """How much may be wrong before the whole data set is refused; shares are of the rows read.

    Sizes: rows after cleaning. Source of the defaults: dirty exports of three public telecom data sets,
    whose honest faults stay below each limit by a factor of two or more.
    """

    minimum_rows: int = 200
    minimum_rows_per_class: int = 20
    maximum_null_share: float = 0.05
    maximum_invalid_number_share: float = 0.01
    maximum_out_of_range_share: float = 0.01
    maximum_unknown_level_share: float = 0.01
    maximum_duplicate_share: float = 0.10
    maximum_unreadable_share: float = 0.01
    maximum_missing_label_share: float = 0.05
    maximum_unknown_label_share: float = 0.001
    maximum_contradicting_label_share: float = 0.01
    maximum_single_feature_auc: float = 0.985

    @classmethod
    def from_reader(cls, reader: MappingReader) -> "Limits":
        """Read the limits that differ from the defaults."""
        names: Sequence[str] = tuple(cls.__dataclass_fields__)
        reader.refuse_unknown_keys(names)
        values: dict[str, Any] = {}
        for name, default in ((field, getattr(cls, field)) for field in names):
            if isinstance(default, int):
                values[name] = reader.integer(name, default)
            else:
                values[name] = reader.share(name, default)
        if values["minimum_rows_per_class"] < 2:
            raise reader.fail("minimum_rows_per_class", "both sides of the split need a row of each class")
        return cls(**values)
