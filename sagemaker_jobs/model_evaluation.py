"""From labels and probabilities to the evaluation report: metrics with intervals, confusions, curves."""

import numpy as np

from include.data_contracts.evaluation_report import (
    ConfusionMatrix,
    EvaluatedDataset,
    EvaluatedModel,
    EvaluationReport,
)
from sagemaker_jobs.bootstrap_intervals import estimate_metrics
from sagemaker_jobs.classification_metrics import ScoreTable, make_score_table
from sagemaker_jobs.evaluation_curves import compute_curves
from sagemaker_jobs.model_archive import VerifiedModel
from sagemaker_jobs.model_description import ModelDescription


def evaluate_model(
    description: ModelDescription,
    verified: VerifiedModel,
    labels: np.ndarray,
    probabilities: np.ndarray,
    seed: int,
) -> EvaluationReport:
    """Return the report for labels (n,) 0/1, both present, and churn probabilities (n,).

    Raises ValueError when a probability is not a number from 0 to 1: nothing could be said of such a model.
    """
    is_sound = (probabilities >= 0) & (probabilities <= 1)
    if not is_sound.all():
        row = int(np.argmin(is_sound))
        raise ValueError(f"{description.algorithm} answers {probabilities[row]} for test row {row + 1}")
    table = make_score_table(labels, probabilities, description.decision_threshold)
    metrics, bootstrap = estimate_metrics(table, seed)
    return EvaluationReport(
        data_origin=description.data_origin,
        dataset=EvaluatedDataset(
            item_count=table.item_count,
            positive_count=int(table.positives.sum()),
            schema_name=description.schema_name,
            schema_fingerprint=description.schema_fingerprint,
        ),
        model=_describe_model(description, verified),
        metrics=metrics,
        confusion_matrix=count_confusions(table),
        bootstrap=bootstrap,
        curves=compute_curves(table),
    )


def count_confusions(table: ScoreTable) -> ConfusionMatrix:
    """Count actual against predicted classes at the table's threshold."""
    above = table.groups_above_threshold
    return ConfusionMatrix(
        true_negatives=int(table.negatives[above:].sum()),
        false_positives=int(table.negatives[:above].sum()),
        false_negatives=int(table.positives[above:].sum()),
        true_positives=int(table.positives[:above].sum()),
    )


def _describe_model(description: ModelDescription, verified: VerifiedModel) -> EvaluatedModel:
    return EvaluatedModel(
        algorithm=description.algorithm,
        content_sha256=verified.content_sha256,
        archive_sha256=verified.archive_sha256,
        decision_threshold=description.decision_threshold,
        training_rows=description.training_rows,
        seed=description.seed,
        hyperparameters=description.hyperparameters,
        versions=description.versions,
    )
