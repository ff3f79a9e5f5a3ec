"""The contract drift_report.json as the Airflow side reads it; the job writes it. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.drift_report_parts import (
    VERDICTS,
    BatchSummary,
    FeatureSummary,
    HistoryDay,
    PerformanceSummary,
    PredictionSummary,
    read_rule,
)
from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "drift_report"
VERSION = 1
DATA_ORIGINS = ("real", "synthetic")


@dataclass(frozen=True)
class DriftReportSummary:
    """What one batch came to.

    `verdict` is the worst of features, joint drift, predictions, performance and, where the rule switches it
    on, the domain classifier.
    `drifted_features` names columns only. `needed_rows` is None when no batch is large enough for so small a
    reference; `predictions` is None when the job had no scores, `performance` while no outcomes are known.
    """

    verdict: str
    sentence: str
    drifted_features: tuple[str, ...]
    reference_rows: int
    current_rows: int
    needed_rows: int | None
    rule: Mapping[str, Any]
    joint_sentence: str | None
    notes: tuple[str, ...]
    features: tuple[FeatureSummary, ...]
    batch: BatchSummary
    model_version: str | None
    data_origin: str
    predictions: PredictionSummary | None
    performance: PerformanceSummary | None
    alert: DriftAlert
    history: tuple[HistoryDay, ...]

    def feature(self, name: str) -> FeatureSummary | None:
        """Return the column of this name, None when the report has none."""
        return next((feature for feature in self.features if feature.name == name), None)

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "DriftReportSummary":
        """Read and check the JSON form; raises ContractError naming the key. Unread keys are let through."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        rows, model = reader.part("rows"), reader.part("model")
        joint, predictions, performance = (
            reader.optional_part(key) for key in ("joint", "predictions", "performance")
        )
        summary = cls(
            verdict=reader.one_of("verdict", VERDICTS),
            sentence=reader.text("sentence"),
            drifted_features=reader.texts("drifted_features"),
            reference_rows=rows.integer("reference"),
            current_rows=rows.integer("current"),
            needed_rows=rows.optional_integer("needed"),
            rule=read_rule(reader.part("rule")),
            joint_sentence=_drifted_sentence(joint),
            notes=reader.texts("notes"),
            features=tuple(FeatureSummary.read(entry) for entry in reader.readers("features")),
            batch=BatchSummary.read(reader.part("batch")),
            model_version=model.optional_text("version"),
            data_origin=model.one_of("data_origin", DATA_ORIGINS),
            predictions=PredictionSummary.read(predictions) if predictions else None,
            performance=PerformanceSummary.read(performance) if performance else None,
            alert=DriftAlert.from_mapping(reader.content.get("alert"), f"{place}, alert"),
            history=tuple(HistoryDay.read(entry) for entry in reader.readers("history")),
        )
        summary.check(reader)
        return summary

    def check(self, reader: MappingReader) -> None:
        """Raise ContractError where parts of the report contradict each other."""
        if self.alert.date != self.batch.date:
            raise reader.fail("alert", f"is of {self.alert.date}, the batch is of {self.batch.date}")
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise reader.fail("features", f"column {twice!r:.60} is there twice")
        unknown = sorted(set(self.drifted_features) - set(names))
        if unknown:
            raise reader.fail("drifted_features", f"{unknown[0]!r:.60} is not among the features")


def _drifted_sentence(joint: MappingReader | None) -> str | None:
    """Return what changed between columns, None when nothing did."""
    if joint is None or joint.one_of("verdict", VERDICTS) != "drift":
        return None
    return joint.text("sentence")
