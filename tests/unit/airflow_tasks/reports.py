"""Reports as the jobs write them; tests change the model, its accuracy and where the data come from."""

from include.data_contracts.data_quality_report import DataQualityReport, SplitSummary
from include.data_contracts.evaluation_report import (
    Bootstrap,
    ConfusionMatrix,
    EvaluatedDataset,
    EvaluatedModel,
    EvaluationReport,
    MetricEstimate,
)

HONEST = {
    "accuracy": 0.8034, "accuracy_best_constant_classifier": 0.735, "precision": 0.66, "recall": 0.53,
    "f1": 0.59, "roc_auc": 0.845, "pr_auc": 0.656, "brier_score": 0.136, "log_loss": 0.42,
    "lift_at_10_percent": 2.84,
}  # fmt: skip


def make_report(
    accuracy: float = 0.8034,
    *,
    data_origin: str = "real",
    model_sha256: str = "12" * 32,
    content_sha256: str = "56" * 32,
) -> EvaluationReport:
    values = {**HONEST, "accuracy": accuracy}
    return EvaluationReport(
        data_origin=data_origin,
        dataset=EvaluatedDataset(1409, 373, "ibm_telco", "34" * 32),
        model=EvaluatedModel("hist_gradient_boosting", content_sha256, model_sha256, 0.5, 5634, 42),
        metrics={
            name: MetricEstimate(value, 0.01, value - 0.02, value + 0.02) for name, value in values.items()
        },
        confusion_matrix=ConfusionMatrix(900, 136, 141, 232),
        bootstrap=Bootstrap(1000, 42, "percentile"),
    )


def make_data_quality(*, data_origin: str = "real", data_fingerprint: str = "78" * 32) -> DataQualityReport:
    return DataQualityReport(
        schema_name="ibm_telco",
        schema_fingerprint="34" * 32,
        data_origin=data_origin,
        data_fingerprint=data_fingerprint,
        rows_in=7043,
        rows_out=7043,
        churn_rate=0.265,
        files=(),
        findings=(),
        columns=(),
        split=SplitSummary(42, 0.2, 5634, 1409, 0.265, 0.265, 0),
        strongest_feature="tenure_months",
        strongest_feature_auc=0.74,
        has_signal=True,
    )
