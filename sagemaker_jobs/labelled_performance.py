"""Performance on customers whose outcome is known by now, against what the model was registered with."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from include.data_contracts.evaluation_report import EvaluationReport
from include.data_contracts.feature_schema import FeatureSchema
from include.data_contracts.mapping_reader import ContractError
from include.drift_statistics.performance_drift import (
    PerformanceDriftResult,
    PerformanceRule,
    RegisteredPerformance,
    performance_drift,
)
from sagemaker_jobs.batch_reading import UnreadableBatchError, list_batch_files
from sagemaker_jobs.drift_job_report import PerformanceFindings
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.label_join import LabelledScores, join_scores, read_labels
from sagemaker_jobs.performance_alerts import LabelledBatch, PerformanceBaseline
from sagemaker_jobs.score_tables import read_scores

EVALUATION_FILE = "evaluation.json"


@dataclass(frozen=True, eq=False)
class LabelledDay:
    """What the labels of a day came to; nothing when none were given."""

    findings: PerformanceFindings | None = None
    labelled: LabelledBatch | None = None
    labels_are_broken: bool = False
    notes: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float | None:
        """Accuracy on the labelled customers; None when there were too few."""
        measures = () if self.findings is None else self.findings.result.measures
        return next((measure.value for measure in measures if measure.name == "accuracy"), None)


def read_evaluation(path: Path | None) -> EvaluationReport | None:
    """Read evaluation.json (or the folder that holds it); raises InvalidInputError."""
    if path is None:
        return None
    file = path / EVALUATION_FILE if path.is_dir() else path
    try:
        return EvaluationReport.from_mapping(json.loads(file.read_text(encoding="utf-8")), str(file))
    except ContractError as error:
        raise InvalidInputError(f"--evaluation {error}") from None
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"--evaluation {file}: cannot be read as evaluation.json: {error}") from None


def judge_performance(
    labels: Path | None,
    labelled_date: str | None,
    batch_date: str,
    schema: FeatureSchema,
    evaluation: EvaluationReport | None,
    scores_path: Path | None,
    work_directory: Path,
    rule: PerformanceRule | None = None,
) -> LabelledDay:
    """Join labels with scores and compare; labels that cannot be read are broken data, not a failure.

    Raises InvalidInputError when there is no such path, or the scores cannot be read.
    """
    if labels is None:
        return LabelledDay()
    if evaluation is None:
        return LabelledDay(notes=("labels were not used: no evaluation.json to compare with was given",))
    registered = _registered(evaluation)
    text_directory = work_directory / "labels"
    text_directory.mkdir()
    try:
        table = read_labels(list_batch_files(labels, "--labels"), schema, text_directory)
    except UnreadableBatchError as error:
        result = performance_drift([], [], registered, rule=rule)
        broken = PerformanceDriftResult(
            "data_break", f"The labels cannot be read: {error}.", 0, result.rows_needed, ()
        )
        return LabelledDay(PerformanceFindings(broken, labelled_date, None), None, True)
    if scores_path is None:
        return LabelledDay(notes=("labels were not used: no scores of their batch were given",))
    joined = join_scores(table, read_scores(scores_path, "--past-predictions"))
    threshold = evaluation.model.decision_threshold
    result = performance_drift(joined.labels, joined.scores, registered, threshold=threshold, rule=rule)
    labelled = None
    if joined.counts.matched:
        labelled = LabelledBatch.of(labelled_date or batch_date, joined.labels, joined.scores, threshold)
    findings = PerformanceFindings(result, labelled_date, joined.counts)
    return LabelledDay(findings, labelled, False, _notes(joined))


def _registered(evaluation: EvaluationReport) -> RegisteredPerformance:
    """Return what the daily check is held against: the values and errors that the rule over days uses."""
    baseline = PerformanceBaseline.from_evaluation(evaluation)
    return replace(
        baseline.registered,
        roc_auc_deviation=baseline.roc_auc_deviation,
        calibration_gap=baseline.calibration_gap,
        calibration_deviation=baseline.calibration_deviation,
    )


def _notes(joined: LabelledScores) -> tuple[str, ...]:
    counts = joined.counts
    told = (
        (counts.unmatched, "labelled customers have no score in that batch"),
        (counts.duplicate_labels, "labels repeat another label of the same customer"),
        (counts.contradicting_labels, "labels of customers with both outcomes were left out"),
        (counts.duplicate_predictions, "scores repeat another score of the same customer"),
        (counts.without_label, "rows of the labels hold no outcome"),
        (counts.without_id, "rows of the labels hold no customer id"),
    )
    return tuple(f"{count:,} {text}" for count, text in told if count)
