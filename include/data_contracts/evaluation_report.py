"""The contract `evaluation.json`: how good a model is on data it has not seen, and how sure that is.

The shape is SageMaker's model-quality one (`binary_classification_metrics`, each metric an object with
`value` and `standard_deviation`), with a 95 % interval added to every metric. Standard library only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.data_contracts.mapping_reader import ContractError, MappingReader

CONTRACT = "evaluation_report"
VERSION = 1
DATA_ORIGINS = ("real", "synthetic")

REQUIRED_METRICS = (
    "accuracy",
    "accuracy_best_constant_classifier",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "pr_auc",
    "brier_score",
    "log_loss",
    "lift_at_10_percent",
)
# SageMaker's own name for the area under the ROC curve; written beside ours, read as the same metric.
SAGEMAKER_NAMES = {"auc": "roc_auc"}
CURVE_COLUMNS = {
    "receiver_operating_characteristic_curve": ("false_positive_rates", "true_positive_rates"),
    "precision_recall_curve": ("recalls", "precisions"),
    "cumulative_gain_curve": ("shares_of_customers", "shares_of_churners"),
    "calibration_curve": (
        "mean_predicted_probabilities",
        "observed_churn_rates",
        "lower_bounds",
        "upper_bounds",
        "item_counts",
    ),
}


@dataclass(frozen=True)
class MetricEstimate:
    """One metric on the test set with its bootstrap standard deviation and 95 % confidence interval."""

    value: float
    standard_deviation: float
    lower: float
    upper: float

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "value": self.value,
            "standard_deviation": self.standard_deviation,
            "confidence_interval_95": [self.lower, self.upper],
        }


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts at the decision threshold; positive means churn."""

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int

    def to_mapping(self) -> dict[str, dict[str, int]]:
        """Return the JSON form: outer key the actual class, inner key the predicted one."""
        return {
            "0": {"0": self.true_negatives, "1": self.false_positives},
            "1": {"0": self.false_negatives, "1": self.true_positives},
        }


@dataclass(frozen=True)
class EvaluatedDataset:
    """The test set: rows, churners among them, and the schema they follow."""

    item_count: int
    positive_count: int
    schema_name: str
    schema_fingerprint: str

    @property
    def churn_rate(self) -> float:
        """Share of churners in the test set."""
        return self.positive_count / self.item_count


@dataclass(frozen=True)
class EvaluatedModel:
    """The model judged; `content_sha256` covers all its files, `archive_sha256` its model.tar.gz (if any)."""

    algorithm: str
    content_sha256: str
    archive_sha256: str | None
    decision_threshold: float
    training_rows: int
    seed: int
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bootstrap:
    """How the intervals were made; `discarded` replicates held one class only and were drawn again."""

    replicates: int
    seed: int
    method: str
    discarded: int = 0


@dataclass(frozen=True)
class EvaluationReport:
    """One model on one test set; build it with `from_mapping` or directly."""

    data_origin: str
    dataset: EvaluatedDataset
    model: EvaluatedModel
    metrics: Mapping[str, MetricEstimate]
    confusion_matrix: ConfusionMatrix
    bootstrap: Bootstrap
    curves: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a report without a required metric or with an unknown data origin."""
        if self.data_origin not in DATA_ORIGINS:
            raise ContractError(
                f"{CONTRACT}, key 'data_origin': expected real or synthetic, found {self.data_origin!r}"
            )
        missing = [name for name in REQUIRED_METRICS if name not in self.metrics]
        if missing:
            raise ContractError(
                f"{CONTRACT}, key 'binary_classification_metrics': {', '.join(missing)} missing"
            )

    def metric(self, name: str) -> MetricEstimate:
        """Return a metric by our name or SageMaker's (`auc`); raises ContractError naming the known ones."""
        try:
            return self.metrics[SAGEMAKER_NAMES.get(name, name)]
        except KeyError:
            known = ", ".join(sorted(self.metrics))
            raise ContractError(f"{CONTRACT}: no metric {name!r}; known: {known}") from None

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(report.to_mapping()) == report`."""
        metrics: dict[str, Any] = {name: estimate.to_mapping() for name, estimate in self.metrics.items()}
        for alias, name in SAGEMAKER_NAMES.items():
            metrics[alias] = metrics[name]
        metrics["confusion_matrix"] = self.confusion_matrix.to_mapping()
        for name, curve in self.curves.items():
            metrics[name] = {column: list(values) for column, values in curve.items()}
        return {
            "contract": CONTRACT,
            "version": VERSION,
            "data_origin": self.data_origin,
            "dataset": {
                "item_count": self.dataset.item_count,
                "positive_count": self.dataset.positive_count,
                "churn_rate": self.dataset.churn_rate,
                "schema_name": self.dataset.schema_name,
                "schema_fingerprint": self.dataset.schema_fingerprint,
            },
            "model": {
                "algorithm": self.model.algorithm,
                "model_content_sha256": self.model.content_sha256,
                "model_archive_sha256": self.model.archive_sha256,
                "decision_threshold": self.model.decision_threshold,
                "training_rows": self.model.training_rows,
                "seed": self.model.seed,
                "hyperparameters": dict(self.model.hyperparameters),
                "versions": dict(self.model.versions),
            },
            "binary_classification_metrics": metrics,
            "bootstrap": {
                "replicates": self.bootstrap.replicates,
                "seed": self.bootstrap.seed,
                "method": self.bootstrap.method,
                "discarded": self.bootstrap.discarded,
            },
        }

    def to_json(self) -> str:
        """Return indented strict JSON (no NaN), ending in a newline."""
        return json.dumps(self.to_mapping(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "EvaluationReport":
        """Read and check the JSON form; raises ContractError naming `place` and the key.

        A metric that is not known is kept: a newer writer may add one within the same version.
        """
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        metrics = _section(reader, "binary_classification_metrics")
        not_estimates = {"confusion_matrix", *CURVE_COLUMNS, *SAGEMAKER_NAMES}
        return cls(
            data_origin=reader.text("data_origin"),
            dataset=_read_dataset(_section(reader, "dataset")),
            model=_read_model(_section(reader, "model")),
            metrics={
                name: _read_estimate(_section(metrics, name))
                for name in metrics.content
                if name not in not_estimates
            },
            confusion_matrix=_read_confusion_matrix(_section(metrics, "confusion_matrix")),
            bootstrap=_read_bootstrap(_section(reader, "bootstrap")),
            curves={
                name: _read_curve(_section(metrics, name), columns)
                for name, columns in CURVE_COLUMNS.items()
                if name in metrics.content
            },
        )


def _section(reader: MappingReader, key: str) -> MappingReader:
    return MappingReader.of(reader.content.get(key), f"{reader.place}, {key}")


def _read_estimate(reader: MappingReader) -> MetricEstimate:
    lower, upper = _numbers(reader, "confidence_interval_95", length=2)
    if lower > upper:
        raise reader.fail("confidence_interval_95", f"lower bound {lower:g} is above upper bound {upper:g}")
    return MetricEstimate(reader.number("value"), reader.number("standard_deviation"), lower, upper)


def _numbers(reader: MappingReader, key: str, length: int | None = None) -> tuple[float, ...]:
    values = reader.content.get(key)
    if not isinstance(values, list | tuple) or (length is not None and len(values) != length):
        wanted = "a list of numbers" if length is None else f"{length} numbers"
        raise reader.fail(key, f"expected {wanted}, found {values!r:.60}")
    return tuple(MappingReader({key: value}, reader.place).number(key) for value in values)


def _read_curve(reader: MappingReader, columns: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    curve = {column: _numbers(reader, column) for column in columns}
    lengths = {len(values) for values in curve.values()}
    if len(lengths) != 1:
        raise reader.fail(columns[0], "the columns of a curve must be equally long")
    return curve


def _read_confusion_matrix(reader: MappingReader) -> ConfusionMatrix:
    actual_stays, actual_churns = _section(reader, "0"), _section(reader, "1")
    return ConfusionMatrix(
        true_negatives=actual_stays.integer("0"),
        false_positives=actual_stays.integer("1"),
        false_negatives=actual_churns.integer("0"),
        true_positives=actual_churns.integer("1"),
    )


def _read_dataset(reader: MappingReader) -> EvaluatedDataset:
    item_count, positive_count = reader.integer("item_count"), reader.integer("positive_count")
    if not 0 < positive_count < item_count:
        raise reader.fail(
            "positive_count", f"expected between 1 and {item_count - 1}, found {positive_count}"
        )
    return EvaluatedDataset(
        item_count, positive_count, reader.text("schema_name"), reader.text("schema_fingerprint")
    )


def _read_model(reader: MappingReader) -> EvaluatedModel:
    archive = reader.content.get("model_archive_sha256")
    versions = MappingReader.of(reader.content.get("versions", {}), f"{reader.place}, versions")
    return EvaluatedModel(
        algorithm=reader.text("algorithm"),
        content_sha256=reader.text("model_content_sha256"),
        archive_sha256=None if archive is None else reader.text("model_archive_sha256"),
        decision_threshold=reader.share("decision_threshold", -1),
        training_rows=reader.integer("training_rows"),
        seed=reader.integer("seed"),
        hyperparameters=dict(_section(reader, "hyperparameters").content),
        versions={name: versions.text(name) for name in versions.content},
    )


def _read_bootstrap(reader: MappingReader) -> Bootstrap:
    return Bootstrap(
        reader.integer("replicates"),
        reader.integer("seed"),
        reader.text("method"),
        reader.integer("discarded", 0),
    )
