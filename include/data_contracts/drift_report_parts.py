"""Parts of drift_report.json as the Airflow side reads them: features, predictions, performance, history.

The job writes more than is read here (every test, every interval); what is not read is not looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

VERDICTS = ("no_drift", "insufficient_data", "drift", "data_break")


@dataclass(frozen=True)
class TestSummary:
    """One test of a column; an effect below its floor is no drift however sure it is."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    test: str
    direction: str
    adjusted_p_value: float | None
    effect_name: str
    effect: float | None
    floor: float | None
    verdict: str
    sentence: str

    @classmethod
    def read(cls, reader: MappingReader) -> "TestSummary":
        """Read one entry; raises ContractError naming the key."""
        return cls(
            reader.text("test"),
            reader.text("direction"),
            reader.optional_number("adjusted_p_value"),
            reader.text("effect_name"),
            reader.optional_number("effect"),
            reader.optional_number("floor"),
            reader.one_of("verdict", VERDICTS),
            reader.text("sentence"),
        )


@dataclass(frozen=True)
class FeatureSummary:
    """One column. `summary` holds figures of both sides such as reference_mean and current_mean.

    The shares of missing values are None for a column that is not in the batch.
    """

    name: str
    kind: str
    verdict: str
    reasons: tuple[str, ...]
    sentence: str
    adjusted_p_value: float | None
    effect_name: str
    effect_size: float | None
    reference_missing_share: float | None
    current_missing_share: float | None
    unseen_levels: tuple[tuple[str, int], ...]
    summary: Mapping[str, float | None]
    tests: tuple[TestSummary, ...]

    @property
    def has_changed(self) -> bool:
        """Whether it drifted or broke."""
        return self.verdict in {"drift", "data_break"}

    @property
    def leading_test(self) -> TestSummary | None:
        """The surest of the tests that found drift."""
        found = [test for test in self.tests if test.verdict == "drift" and test.adjusted_p_value is not None]
        return min(found, key=lambda test: test.adjusted_p_value or 0.0, default=None)

    @classmethod
    def read(cls, reader: MappingReader) -> "FeatureSummary":
        """Read one entry; raises ContractError naming the key."""
        missing, summary = reader.optional_part("missing"), reader.optional_part("summary")
        unseen = reader.readers("unseen_levels")
        return cls(
            name=reader.text("name"),
            kind=reader.text("kind"),
            verdict=reader.one_of("verdict", VERDICTS),
            reasons=reader.texts("reasons"),
            sentence=reader.text("sentence"),
            adjusted_p_value=reader.optional_number("adjusted_p_value"),
            effect_name=reader.text("effect_name"),
            effect_size=reader.optional_number("effect_size"),
            reference_missing_share=missing.optional_number("reference_missing_share") if missing else None,
            current_missing_share=missing.optional_number("current_missing_share") if missing else None,
            unseen_levels=tuple((entry.text("level"), entry.integer("rows")) for entry in unseen),
            summary={name: summary.optional_number(name) for name in summary.content} if summary else {},
            tests=tuple(TestSummary.read(entry) for entry in reader.readers("tests")),
        )


@dataclass(frozen=True)
class BatchSummary:
    """The batch as the job found it."""

    date: str
    files: int
    bytes: int
    columns_missing: tuple[str, ...]
    columns_extra: tuple[str, ...]

    @classmethod
    def read(cls, reader: MappingReader) -> "BatchSummary":
        """Read the part; raises ContractError naming the key."""
        return cls(
            reader.text("date"),
            reader.integer("files"),
            reader.integer("bytes"),
            reader.texts("columns_missing"),
            reader.texts("columns_extra"),
        )


@dataclass(frozen=True)
class PredictionSummary:
    """What the model says about the batch; rates are shares of customers predicted to churn."""

    verdict: str
    sentence: str
    reference_rate: float | None
    current_rate: float | None

    @classmethod
    def read(cls, reader: MappingReader) -> "PredictionSummary":
        """Read the part; raises ContractError naming the key."""
        return cls(
            reader.one_of("verdict", VERDICTS),
            reader.text("sentence"),
            reader.optional_number("reference_rate"),
            reader.optional_number("current_rate"),
        )


@dataclass(frozen=True)
class MeasureSummary:
    """One measure of performance on customers whose outcome is known."""

    name: str
    value: float
    registered: float | None
    verdict: str
    sentence: str

    @classmethod
    def read(cls, reader: MappingReader) -> "MeasureSummary":
        """Read one entry; raises ContractError naming the key."""
        return cls(
            reader.text("name"),
            reader.number("value"),
            reader.optional_number("registered"),
            reader.one_of("verdict", VERDICTS),
            reader.text("sentence"),
        )


@dataclass(frozen=True)
class PerformanceSummary:
    """How right the model was about the batch of `labelled_date`; `matched` of `labels` had a score."""

    verdict: str
    sentence: str
    labelled_date: str | None
    labels: int | None
    matched: int | None
    measures: tuple[MeasureSummary, ...]

    def value(self, name: str) -> float | None:
        """Return a measure's value, None when it was not measured."""
        return next((measure.value for measure in self.measures if measure.name == name), None)

    @classmethod
    def read(cls, reader: MappingReader) -> "PerformanceSummary":
        """Read the part; raises ContractError naming the key."""
        return cls(
            reader.one_of("verdict", VERDICTS),
            reader.text("sentence"),
            reader.optional_text("labelled_date"),
            reader.optional_integer("labels"),
            reader.optional_integer("matched"),
            tuple(MeasureSummary.read(entry) for entry in reader.readers("measures")),
        )


@dataclass(frozen=True)
class HistoryDay:
    """One earlier day, as far as its report told."""

    date: str
    verdict: str
    status: str
    rows: int | None
    effects: Mapping[str, float | None]
    predicted_churn_rate: float | None
    accuracy: float | None

    @classmethod
    def read(cls, reader: MappingReader) -> "HistoryDay":
        """Read one entry; raises ContractError naming the key."""
        effects = reader.optional_part("effects")
        return cls(
            reader.text("date"),
            reader.one_of("verdict", VERDICTS),
            reader.text("status"),
            reader.optional_integer("rows"),
            {name: effects.optional_number(name) for name in effects.content} if effects else {},
            reader.optional_number("predicted_churn_rate"),
            reader.optional_number("accuracy"),
        )


def read_rule(reader: MappingReader) -> dict[str, Any]:
    """Return the settings the verdicts were made with; every one is a number, a word or a flag."""
    for name, value in reader.content.items():
        if not isinstance(value, str | int | float):
            raise reader.fail(name, f"expected a number, a word or a flag, found {value!r:.60}")
    return dict(reader.content)
