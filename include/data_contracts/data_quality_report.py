"""The contract `data_quality.json`: what preprocess read, kept, cleaned, dropped and warned about.

Every row is accounted for: rows_in = rows_out + the counts of all findings whose action is `dropped`.
Standard library only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from include.data_contracts.mapping_reader import ContractError, MappingReader

CONTRACT = "data_quality_report"
VERSION = 1
ACTIONS = ("dropped", "cleaned", "warned")
DATA_ORIGINS = ("real", "synthetic")
# Written by the generator beside its files; whatever is made from what lies there or below is synthetic.
SYNTHETIC_MARKER = "_synthetic_data.json"
# Whose columns invented customers have.
SYNTHETIC_SCHEMA = "ibm_telco"


@dataclass(frozen=True)
class Example:
    """One place where a cause was seen; `line` counts from 1 as a text editor does (Parquet: the row)."""

    file: str
    line: int
    value: str


@dataclass(frozen=True)
class Finding:
    """One cause, counted: `dropped` counts rows, `cleaned` counts cells or rows kept after a repair.

    `warned` counts what was left as it is; `share` is count / rows_in.
    """

    cause: str
    action: str
    count: int
    share: float
    sentence: str
    column: str | None = None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class FileRead:
    """One input file, how it was read and its digest; `rows` counts data records, header excluded."""

    name: str
    format: str
    rows: int
    size_bytes: int
    sha256: str
    encoding: str | None = None
    delimiter: str | None = None
    compression: str | None = None


@dataclass(frozen=True)
class ColumnSummary:
    """One feature after cleaning, over the rows kept; `source_names` are the headers it was read from.

    `single_feature_auc` is how well this feature alone ranks the label (0.5: not at all).
    """

    name: str
    kind: str
    source_names: tuple[str, ...]
    missing: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    level_counts: Mapping[str, int] = field(default_factory=dict)
    single_feature_auc: float | None = None


@dataclass(frozen=True)
class SplitSummary:
    """Rows and churn rate of each side of the split, and how it was drawn."""

    seed: int
    test_fraction: float
    rows_train: int
    rows_test: int
    churn_rate_train: float
    churn_rate_test: float
    rows_sharing_features: int


@dataclass(frozen=True)
class DataQualityReport:
    """Everything preprocess knows about the data it read; build it with `from_mapping` or directly."""

    schema_name: str
    schema_fingerprint: str
    data_origin: str
    data_fingerprint: str
    rows_in: int
    rows_out: int
    churn_rate: float
    files: tuple[FileRead, ...]
    findings: tuple[Finding, ...]
    columns: tuple[ColumnSummary, ...]
    split: SplitSummary
    strongest_feature: str
    strongest_feature_auc: float
    has_signal: bool
    ignored_files: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a report that does not account for every row."""
        if self.data_origin not in DATA_ORIGINS:
            raise ContractError(f"{CONTRACT}: data_origin must be one of {DATA_ORIGINS}")
        if self.rows_in != self.rows_out + self.rows_dropped:
            raise ContractError(
                f"{CONTRACT}: {self.rows_in} rows in, {self.rows_out} out and {self.rows_dropped} dropped"
                " do not add up"
            )

    @property
    def rows_dropped(self) -> int:
        """Rows that did not reach train or test."""
        return sum(finding.count for finding in self.findings if finding.action == "dropped")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences a person should read before trusting a model made from these data."""
        return tuple(finding.sentence for finding in self.findings if finding.action == "warned")

    def count(self, cause: str, column: str | None = None) -> int:
        """Return how often a cause was found, in one column or in all."""
        return sum(
            finding.count
            for finding in self.findings
            if finding.cause == cause and column in {None, finding.column}
        )

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form; class balance, dropped rows and warnings are spelled out for readers."""
        mapping = asdict(self)
        schema = {"name": mapping.pop("schema_name"), "fingerprint": mapping.pop("schema_fingerprint")}
        positives = round(self.churn_rate * self.rows_out)
        return {
            "contract": CONTRACT,
            "version": VERSION,
            "schema": schema,
            "rows_dropped": self.rows_dropped,
            "class_balance": {"0": self.rows_out - positives, "1": positives},
            "warnings": list(self.warnings),
            **mapping,
        }

    def to_json(self) -> str:
        """Return indented strict JSON (no NaN), ending in a newline."""
        return json.dumps(self.to_mapping(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "DataQualityReport":
        """Read and check the JSON form; raises ContractError naming `place` and the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        schema = MappingReader.of(reader.content.get("schema"), f"{place}, schema")
        return cls(
            schema_name=schema.text("name"),
            schema_fingerprint=schema.text("fingerprint"),
            data_origin=reader.text("data_origin"),
            data_fingerprint=reader.text("data_fingerprint"),
            rows_in=reader.integer("rows_in"),
            rows_out=reader.integer("rows_out"),
            churn_rate=reader.share("churn_rate", -1),
            files=tuple(_read_file(entry) for entry in reader.readers("files")),
            findings=tuple(_read_finding(entry) for entry in reader.readers("findings")),
            columns=tuple(_read_column(entry) for entry in reader.readers("columns")),
            split=_read_split(MappingReader.of(reader.content.get("split"), f"{place}, split")),
            strongest_feature=reader.text("strongest_feature"),
            strongest_feature_auc=reader.share("strongest_feature_auc", -1),
            has_signal=reader.flag("has_signal", default=False),
            ignored_files=reader.texts("ignored_files", ()),
            ignored_columns=reader.texts("ignored_columns", ()),
        )


def _optional_text(reader: MappingReader, key: str) -> str | None:
    return None if reader.content.get(key) is None else reader.text(key)


def _optional_number(reader: MappingReader, key: str) -> float | None:
    return None if reader.content.get(key) is None else reader.number(key)


def _read_file(reader: MappingReader) -> FileRead:
    return FileRead(
        reader.text("name"),
        reader.text("format"),
        reader.integer("rows"),
        reader.integer("size_bytes"),
        reader.text("sha256"),
        _optional_text(reader, "encoding"),
        _optional_text(reader, "delimiter"),
        _optional_text(reader, "compression"),
    )


def _read_finding(reader: MappingReader) -> Finding:
    action = reader.text("action")
    if action not in ACTIONS:
        raise reader.fail("action", f"expected one of {', '.join(ACTIONS)}")
    examples = tuple(
        Example(entry.text("file"), entry.integer("line"), entry.text("value"))
        for entry in reader.readers("examples")
    )
    return Finding(
        reader.text("cause"),
        action,
        reader.integer("count"),
        reader.number("share"),
        reader.text("sentence"),
        _optional_text(reader, "column"),
        examples,
    )


def _read_column(reader: MappingReader) -> ColumnSummary:
    counts = MappingReader.of(reader.content.get("level_counts", {}), f"{reader.place}, level_counts")
    return ColumnSummary(
        reader.text("name"),
        reader.text("kind"),
        reader.texts("source_names"),
        reader.integer("missing"),
        _optional_number(reader, "minimum"),
        _optional_number(reader, "maximum"),
        _optional_number(reader, "mean"),
        {level: counts.integer(level) for level in counts.content},
        _optional_number(reader, "single_feature_auc"),
    )


def _read_split(reader: MappingReader) -> SplitSummary:
    return SplitSummary(
        reader.integer("seed"),
        reader.share("test_fraction", -1),
        reader.integer("rows_train"),
        reader.integer("rows_test"),
        reader.share("churn_rate_train", -1),
        reader.share("churn_rate_test", -1),
        reader.integer("rows_sharing_features"),
    )
