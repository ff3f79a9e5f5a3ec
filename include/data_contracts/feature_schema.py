"""Describe one source of churn data: columns, spellings, ranges, cross-field rules, limits.

A schema is a YAML file (or the JSON compiled from it); a new source needs one file and no code. The form is
told in docs/data-contract.md. Standard library only: Airflow, the job images and a zip file import it.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from include.data_contracts.mapping_reader import SNAKE_CASE, ContractError, MappingReader
from include.data_contracts.schema_columns import (
    CategoricalColumn,
    Column,
    FeatureColumn,
    IdColumn,
    Level,
    NumericColumn,
    TargetColumn,
    column_mapping,
    normalise_name,
    normalise_spelling,
    read_column,
)
from include.data_contracts.schema_rules import (
    Condition,
    CrossFieldRule,
    FillRule,
    ImpliesRule,
    Limits,
    ProductRule,
    read_rule,
)

__all__ = [
    "CategoricalColumn",
    "Column",
    "Condition",
    "ContractError",
    "CrossFieldRule",
    "FeatureColumn",
    "FeatureSchema",
    "FillRule",
    "IdColumn",
    "ImpliesRule",
    "Level",
    "Limits",
    "NumericColumn",
    "ProductRule",
    "TargetColumn",
    "list_bundled_schema_names",
    "load_schema",
    "normalise_name",
    "normalise_spelling",
]

SCHEMA_VERSION = 1
TARGET_NAME = "churn"
DEFAULT_NULL_TOKENS = ("", "NA", "N/A", "#N/A", "NaN", "null", "none", "nil", "missing", "?", "-", "--", ".")


@dataclass(frozen=True)
class FeatureSchema:
    """One data source; build it with `from_mapping`, `from_text` or `load_schema`, which check it."""

    name: str
    title: str
    columns: tuple[Column, ...]
    null_tokens: tuple[str, ...] = DEFAULT_NULL_TOKENS
    rules: tuple[CrossFieldRule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    ignored_columns: tuple[str, ...] = ()
    leak_columns: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[FeatureColumn, ...]:
        """Feature columns in schema order."""
        return tuple(c for c in self.columns if isinstance(c, NumericColumn | CategoricalColumn))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Canonical feature names in schema order: the columns of train and test files after the target."""
        return tuple(column.name for column in self.features)

    @property
    def numeric_features(self) -> tuple[NumericColumn, ...]:
        """Numeric features in schema order."""
        return tuple(c for c in self.columns if isinstance(c, NumericColumn))

    @property
    def categorical_features(self) -> tuple[CategoricalColumn, ...]:
        """Categorical features in schema order."""
        return tuple(c for c in self.columns if isinstance(c, CategoricalColumn))

    @property
    def target(self) -> TargetColumn:
        """The label column."""
        return next(c for c in self.columns if isinstance(c, TargetColumn))

    @property
    def id_column(self) -> IdColumn | None:
        """The key column, if the source has one."""
        return next((c for c in self.columns if isinstance(c, IdColumn)), None)

    def column(self, name: str) -> Column:
        """Return the column with this canonical name; raises KeyError."""
        return {column.name: column for column in self.columns}[name]

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(schema.to_mapping()) == schema`."""
        return {
            "contract": "feature_schema",
            "version": SCHEMA_VERSION,
            "name": self.name,
            "title": self.title,
            "null_tokens": list(self.null_tokens),
            "columns": [column_mapping(column) for column in self.columns],
            "rules": [rule.to_mapping() for rule in self.rules],
            "limits": asdict(self.limits),
            "ignored_columns": list(self.ignored_columns),
            "leak_columns": list(self.leak_columns),
        }

    def to_json(self) -> str:
        """Return the canonical JSON text: sorted keys, no spaces, ASCII."""
        return json.dumps(self.to_mapping(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of the canonical JSON: equal schemas, equal fingerprint."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_mapping(cls, mapping: object, place: str = "schema") -> "FeatureSchema":
        """Read and check a schema; raises ContractError naming `place` (the file) and the key."""
        reader = MappingReader.of(mapping, place)
        known = (*cls.__dataclass_fields__, "contract", "version")
        reader.refuse_unknown_keys(known)
        version = reader.integer("version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise reader.fail("version", f"this program reads version {SCHEMA_VERSION}, found {version}")
        limits = MappingReader.of(reader.content.get("limits") or {}, f"{place}, limits")
        schema = cls(
            name=reader.name("name"),
            title=reader.text("title", reader.text("name")),
            columns=tuple(read_column(entry) for entry in reader.readers("columns")),
            null_tokens=reader.texts("null_tokens", DEFAULT_NULL_TOKENS),
            rules=tuple(read_rule(entry) for entry in reader.readers("rules")),
            limits=Limits.from_reader(limits),
            ignored_columns=reader.texts("ignored_columns", ()),
            leak_columns=reader.texts("leak_columns", ()),
        )
        _check_columns(schema, place)
        _check_rules(schema, place)
        return schema

    @classmethod
    def from_text(cls, text: str, source_name: str) -> "FeatureSchema":
        """Read YAML or JSON text, told apart by the ending of `source_name`; raises ContractError."""
        if source_name.endswith(".json"):
            try:
                return cls.from_mapping(json.loads(text), source_name)
            except json.JSONDecodeError as error:
                raise ContractError(f"{source_name}, line {error.lineno}: not JSON: {error.msg}") from error
        return cls.from_mapping(_parse_yaml(text, source_name), source_name)


def _parse_yaml(text: str, source_name: str) -> object:
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:  # the job images have no YAML reader
        raise ContractError(
            f"{source_name}: this environment cannot read YAML; give the schema as .json"
        ) from error

    class _SpellingKeepingLoader(yaml.SafeLoader):  # type: ignore[misc,unused-ignore]
        """Reads an unquoted Yes, No, On or Off as the text it is; only true and false are booleans."""

    resolvers = {
        first: [(tag, pattern) for tag, pattern in entries if tag != "tag:yaml.org,2002:bool"]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _SpellingKeepingLoader.yaml_implicit_resolvers = resolvers
    boolean = re.compile(r"^(?:true|false)$")
    _SpellingKeepingLoader.add_implicit_resolver("tag:yaml.org,2002:bool", boolean, list("tf"))
    try:
        return yaml.load(text, Loader=_SpellingKeepingLoader)  # noqa: S506 - derived from SafeLoader
    except yaml.YAMLError as error:
        raise ContractError(f"{source_name}: not YAML: {' '.join(str(error).split())}") from error


def _bundled_directory() -> Any:
    return files("include.data_contracts").joinpath("schemas")


def list_bundled_schema_names() -> tuple[str, ...]:
    """Return the names of the schemas that ship with the project, sorted."""
    names = (entry.name for entry in _bundled_directory().iterdir())
    return tuple(sorted({name.rpartition(".")[0] for name in names if name.endswith((".json", ".yaml"))}))


def load_schema(name_or_path: str) -> FeatureSchema:
    """Load a bundled schema by name, or a .yaml, .yml or .json file by path; raises ContractError."""
    if not name_or_path.endswith((".json", ".yaml", ".yml")):
        for ending in (".json", ".yaml"):
            bundled = _bundled_directory().joinpath(f"{name_or_path}{ending}")
            if SNAKE_CASE.match(name_or_path) and bundled.is_file():
                return FeatureSchema.from_text(bundled.read_text(encoding="utf-8"), bundled.name)
        raise ContractError(
            f"unknown schema {name_or_path!r}: choose one of {', '.join(list_bundled_schema_names())},"
            " or give the path of a .yaml or .json file"
        )
    try:
        text = Path(name_or_path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"schema file {name_or_path}: cannot be read: {error}") from error
    return FeatureSchema.from_text(text, name_or_path)


def _refuse_repeats(entries: Iterable[tuple[str, str]], place: str, what: str) -> None:
    """Refuse two owners of one folded spelling; entries are (owner, folded spelling)."""
    owners: dict[str, str] = {}
    for owner, folded in entries:
        if owners.setdefault(folded, owner) != owner:
            raise ContractError(
                f"{place}: {what} {folded!r} belongs to both {owners[folded]!r} and {owner!r}"
            )


def _check_columns(schema: FeatureSchema, place: str) -> None:
    kinds = [column.kind for column in schema.columns]
    names = [column.name for column in schema.columns]
    if len(set(names)) != len(names):
        raise ContractError(f"{place}, key 'columns': two columns share a name")
    if kinds.count("target") != 1 or kinds.count("id") > 1 or not schema.features:
        raise ContractError(f"{place}, key 'columns': expected one target, at most one id, and some features")
    if schema.target.name != TARGET_NAME:
        raise ContractError(
            f"{place}, key 'columns': name the target column {TARGET_NAME!r} and list {schema.target.name!r}"
            " under its aliases"
        )
    spellings = [(c.name, normalise_name(s)) for c in schema.columns for s in (c.name, *c.aliases)]
    spellings += [("leak_columns", normalise_name(name)) for name in schema.leak_columns]
    spellings += [("ignored_columns", normalise_name(name)) for name in schema.ignored_columns]
    _refuse_repeats(spellings, place, "column name")
    for column in schema.categorical_features:
        levels = [(v.name, normalise_spelling(s)) for v in column.levels for s in (v.name, *v.spellings)]
        _refuse_repeats(levels, f"{place}, column {column.name}", "spelling")
    target = schema.target
    if not target.positive or not target.negative:
        raise ContractError(f"{place}, column {target.name}: needs spellings for positive and negative")
    labels = [("positive", normalise_spelling(s)) for s in target.positive]
    labels += [("negative", normalise_spelling(s)) for s in target.negative]
    _refuse_repeats(labels, f"{place}, column {target.name}", "label")


def _check_rules(schema: FeatureSchema, place: str) -> None:
    features = {column.name: column for column in schema.features}
    for rule in schema.rules:
        where = f"{place}, rule {rule.name}"
        for name in rule.columns:
            if name not in features:
                raise ContractError(f"{where}: {name!r} is not a feature of this schema")
        if isinstance(rule, ImpliesRule):
            numbers: tuple[str, ...] = ()
            _check_condition(rule.condition, features, where)
            _check_condition(rule.consequence, features, where)
        elif isinstance(rule, FillRule):
            numbers = (rule.column,)
            _check_condition(rule.when, features, where)
        else:
            numbers = rule.columns
        for name in numbers:
            if not isinstance(features[name], NumericColumn):
                raise ContractError(f"{where}: {name} must be numeric")


def _check_condition(condition: Condition, features: dict[str, FeatureColumn], where: str) -> None:
    column = features[condition.column]
    is_range = condition.minimum is not None or condition.maximum is not None
    if isinstance(column, NumericColumn):
        if condition.levels:
            raise ContractError(f"{where}: {column.name} is a number; compare it with a number")
        return
    unknown = sorted(set(condition.levels) - set(column.level_names))
    if unknown or is_range:
        levels = ", ".join(column.level_names)
        raise ContractError(f"{where}: {column.name} is one of {levels}; found {unknown or 'a range'}")
