"""An evaluation report as the job writes it; tests change its accuracy, origin and model."""

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
    accuracy: float = 0.8034, *, data_origin: str = "real", model_sha256: str = "12" * 32
) -> EvaluationReport:
    values = {**HONEST, "accuracy": accuracy}
    return EvaluationReport(
        data_origin=data_origin,
        dataset=EvaluatedDataset(1409, 373, "ibm_telco", "34" * 32),
        model=EvaluatedModel("hist_gradient_boosting", "56" * 32, model_sha256, 0.5, 5634, 42),
        metrics={
            name: MetricEstimate(value, 0.01, value - 0.02, value + 0.02) for name, value in values.items()
        },
        confusion_matrix=ConfusionMatrix(900, 136, 141, 232),
        bootstrap=Bootstrap(1000, 42, "percentile"),
    )
