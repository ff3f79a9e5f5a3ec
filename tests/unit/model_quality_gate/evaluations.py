"""Evaluation reports with given metrics: baselines measured on real data, and what a gate must refuse."""

from include.data_contracts.evaluation_report import (
    REQUIRED_METRICS,
    Bootstrap,
    ConfusionMatrix,
    EvaluatedDataset,
    EvaluatedModel,
    EvaluationReport,
    MetricEstimate,
)

SHA256 = "0123456789abcdef" * 4


def make_report(
    *,
    churn_rate: float,
    rows: int,
    roc_auc_half_width: float = 0.022,
    data_origin: str = "real",
    **metrics: float,
) -> EvaluationReport:
    """A report whose accuracy of the best constant classifier follows from the churn rate."""
    values = {
        **dict.fromkeys(REQUIRED_METRICS, 0.5),
        "accuracy_best_constant_classifier": max(churn_rate, 1 - churn_rate),
        **metrics,
    }
    positives = round(churn_rate * rows)
    half_widths = {"roc_auc": roc_auc_half_width}
    return EvaluationReport(
        data_origin=data_origin,
        dataset=EvaluatedDataset(rows, positives, "ibm_telco", SHA256),
        model=EvaluatedModel("hist_gradient_boosting", SHA256, SHA256, 0.5, 4 * rows, 42),
        metrics={
            name: MetricEstimate(
                value, 0.01, value - half_widths.get(name, 0.02), value + half_widths.get(name, 0.02)
            )
            for name, value in values.items()
        },
        confusion_matrix=ConfusionMatrix(rows - positives, 0, positives, 0),
        bootstrap=Bootstrap(2000, 1, "stratified"),
    )


def ibm(**metrics: float) -> EvaluationReport:
    return make_report(churn_rate=0.2654, rows=1409, **metrics)


# Measured on the IBM set (12 features, repeated cross-validation).
IBM_MAJORITY = ibm(accuracy=0.735, roc_auc=0.5, pr_auc=0.265, brier_score=0.195, lift_at_10_percent=1.0)
IBM_LOGISTIC = ibm(accuracy=0.803, roc_auc=0.845, pr_auc=0.656, brier_score=0.136, lift_at_10_percent=2.84)
IBM_BOOSTING = ibm(accuracy=0.802, roc_auc=0.845, pr_auc=0.661, brier_score=0.135, lift_at_10_percent=2.88)
IBM_CATBOOST = ibm(accuracy=0.8035, roc_auc=0.848, pr_auc=0.669, brier_score=0.134, lift_at_10_percent=2.92)
IBM_BALANCED_FOREST = ibm(
    accuracy=0.7635, roc_auc=0.845, pr_auc=0.662, brier_score=0.158, lift_at_10_percent=2.88
)
IBM_KERAS = ibm(accuracy=0.799, roc_auc=0.8425, pr_auc=0.651, brier_score=0.137, lift_at_10_percent=2.82)
IBM_LEAKED_COLUMN = ibm(accuracy=1.0, roc_auc=1.0, pr_auc=1.0, brier_score=0.0, lift_at_10_percent=3.768)
IBM_REPEATED_ROWS = ibm(
    accuracy=0.9935, roc_auc=0.9991, pr_auc=0.998, brier_score=0.006, lift_at_10_percent=3.768
)

# A majority vote ranks by chance: average precision is the churn rate, Brier the variance, lift 1.
MLC_MAJORITY = make_report(
    churn_rate=0.1414, rows=1000, accuracy=0.8586, roc_auc=0.5, pr_auc=0.1414, brier_score=0.1214,
    lift_at_10_percent=1.0,
)  # fmt: skip
IRANIAN_MAJORITY = make_report(
    churn_rate=0.157, rows=570, accuracy=0.843, roc_auc=0.5, pr_auc=0.157, brier_score=0.1324,
    lift_at_10_percent=1.0,
)  # fmt: skip
