"""Compare a day's batch with what the approved model was trained on: writes drift_report.json and its page.

A batch that cannot be read is a finding, verdict `data_break`; a wrong reference, model, schema or option
ends in one line. Writes `drift_report.json`, `drift_report.html`, `monitor_state.json` and, when the job
scored, `predictions.csv`, all of them or none. Memory does not grow with the batch.
"""

import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from include.data_contracts.evaluation_report import EvaluationReport
from include.drift_statistics.daily_evidence import DayEvidence, day_evidence
from sagemaker_jobs.alert_standings import MODEL_SCORE, Baselines, standings
from sagemaker_jobs.batch_judgement import JudgedBatch, Scoring, judge_batch
from sagemaker_jobs.domain_classifier import SAMPLE_ROWS, DomainClassifierResult, compare_domains
from sagemaker_jobs.drift_job_report import DriftJobReport, overall_verdict
from sagemaker_jobs.drift_reference import (
    Reference,
    fingerprint,
    load_reference,
    load_score_reference,
    read_reference_rows,
)
from sagemaker_jobs.drift_settings import (
    CLASSIFIER_SHARE,
    UNVERSIONED_MODEL,
    DriftSettings,
    read_settings,
)
from sagemaker_jobs.job_entry import report_progress, run_entry
from sagemaker_jobs.labelled_performance import LabelledDay, judge_performance, read_evaluation
from sagemaker_jobs.model_description import DECISION_THRESHOLD
from sagemaker_jobs.monitoring_state import STATE_FILE, MonitoringState, RecordedDay, load_state
from sagemaker_jobs.performance_alerts import PerformanceBaseline
from sagemaker_jobs.score_tables import PREDICTIONS_FILE
from sagemaker_jobs.staged_outputs import staged_outputs

REPORT_FILE = "drift_report.json"
PAGE_FILE = "drift_report.html"


@dataclass(frozen=True, eq=False)
class _Known:
    """What the batch is held against, all of it read and checked before the batch is touched."""

    reference: Reference
    scoring: Scoring
    evaluation: EvaluationReport | None
    state: MonitoringState
    data_origin: str | None

    @property
    def baselines(self) -> Baselines:
        performance = None
        if self.evaluation is not None:
            performance = PerformanceBaseline.from_evaluation(self.evaluation)
        return Baselines(self.reference.profile, self.scoring.reference, performance)


@dataclass(frozen=True)
class _Classified:
    """What the domain classifier came to; nothing when it was not wanted or could not learn."""

    result: DomainClassifierResult | None = None
    notes: tuple[str, ...] = ()


def main(argv: Sequence[str]) -> None:
    """Run the job; raises InvalidInputError for what a person must mend."""
    settings = read_settings(argv)
    with ExitStack() as stack:
        work_directory = stack.enter_context(staged_outputs(settings.output_dir, REPORT_FILE))
        outputs = work_directory / "outputs"
        known = _read_known(settings, work_directory, stack)
        judged = judge_batch(
            settings.current,
            settings.batch_date,
            settings.schema,
            known.reference.profile,
            settings.rule,
            known.scoring,
            work_directory,
            labelled=settings.labels is not None and known.evaluation is not None,
        )
        labelled = judge_performance(
            settings.labels,
            settings.labelled_date,
            settings.batch_date,
            settings.schema,
            known.evaluation,
            _labelled_scores(settings, known.scoring),
            work_directory,
            settings.rule.performance_rule,
        )
        classified = _classify(settings, known.reference, judged, work_directory)
        state = _record(settings, known, judged, labelled, classified)
        report = _report(settings, known, judged, labelled, classified, state)
        _write(outputs, report, state, known, judged)
    report_progress("verdict", f"{report.verdict}: {report.sentence}")
    alert = report.standings[-1]
    report_progress("alert", f"{alert.status}, transition {alert.transition}: {alert.sentence}")


def _read_known(settings: DriftSettings, work_directory: Path, stack: ExitStack) -> _Known:
    evaluation = read_evaluation(settings.evaluation)
    scorer = None
    if settings.model is not None:
        # Loads the frameworks, which a run without a model does not need.
        from sagemaker_jobs.batch_scoring import open_scorer

        opened = open_scorer(settings.model, settings.model_digest, settings.model_sha256, settings.schema)
        scorer = stack.enter_context(opened)
    threshold = DECISION_THRESHOLD
    if scorer is not None:
        threshold = scorer.threshold
    elif evaluation is not None:
        threshold = evaluation.model.decision_threshold
    reference = load_reference(settings.reference, settings.schema, work_directory)
    scores = None
    if settings.reference_scores is not None:
        scores = load_score_reference(settings.reference_scores, threshold)
    state = load_state(
        settings.state,
        settings.model_version or UNVERSIONED_MODEL,
        reference.fingerprint,
        None if scores is None else fingerprint(scores),
    )
    origins = (
        settings.data_origin,
        None if scorer is None else scorer.data_origin,
        None if evaluation is None else evaluation.data_origin,
        reference.data_origin,
    )
    scoring = Scoring(
        scorer, settings.predictions, scores, threshold, work_directory / "outputs" / PREDICTIONS_FILE
    )
    origin = next((origin for origin in origins if origin is not None), None)
    return _Known(reference, scoring, evaluation, state, origin)


def _labelled_scores(settings: DriftSettings, scoring: Scoring) -> Path | None:
    """Return the scores that the labels belong to: this batch's own only when they are its own labels."""
    if settings.past_predictions is not None or settings.labelled_date not in {None, settings.batch_date}:
        return settings.past_predictions
    return scoring.scores_path


def _record(
    settings: DriftSettings,
    known: _Known,
    judged: JudgedBatch,
    labelled: LabelledDay,
    classified: _Classified,
) -> MonitoringState:
    """Return the state with this day in it."""
    date, report, profile = settings.batch_date, judged.report, known.reference.profile
    features = DayEvidence(date, report.verdict, 0)
    if judged.current is not None:
        features = day_evidence(profile, judged.current, date, report.verdict)
    found: dict[str, float | None] = {}
    if judged.current is not None:
        found = {feature.name: feature.effect_size for feature in report.features}
    scores = rate = None
    if judged.predictions is not None and known.scoring.reference is not None and judged.scores is not None:
        result = judged.predictions.result
        # Scores of broken data say nothing about customers: the day is known, and takes no part.
        verdict = "insufficient_data" if report.verdict == "data_break" else result.verdict
        scores = day_evidence(known.scoring.reference, judged.scores, date, verdict)
        found[MODEL_SCORE], rate = result.score.effect_size, result.current_rate
    effects = {name: size for name, size in found.items() if size is not None and math.isfinite(size)}
    day = RecordedDay(
        date,
        overall_verdict(report, judged.predictions, labelled.findings, classified.result),
        report.current_rows,
        effects,
        rate,
        labelled.accuracy,
        labelled.labelled,
        labelled.labels_are_broken,
    )
    return known.state.with_day(day, features, scores)


def _report(
    settings: DriftSettings,
    known: _Known,
    judged: JudgedBatch,
    labelled: LabelledDay,
    classified: _Classified,
    state: MonitoringState,
) -> DriftJobReport:
    rule = settings.rule
    walked = standings(
        state,
        known.baselines,
        rule.drift_rule,
        rule.yearly_false_alerts,
        settings.batch_date,
        rule.performance_rule,
    )
    return DriftJobReport(
        features=judged.report,
        batch=judged.facts,
        rule=rule,
        model_version=settings.model_version,
        data_origin=known.data_origin or ("synthetic" if judged.is_synthetic else "real"),
        predictions=judged.predictions,
        performance=labelled.findings,
        domain_classifier=classified.result,
        standings=walked,
        days=state.days,
        notes=(*judged.notes, *labelled.notes, *classified.notes),
    )


def _classify(
    settings: DriftSettings, reference: Reference, judged: JudgedBatch, work_directory: Path
) -> _Classified:
    """Run the domain classifier when it is wanted and there are rows of both sides to learn from."""
    if not settings.rule.domain_classifier or judged.sample is None:
        return _Classified()
    if reference.rows_path is None:
        note = "no domain classifier: a stored profile holds counts, no rows to learn from"
        return _Classified(notes=(note,))
    rows = read_reference_rows(reference.rows_path, settings.schema, work_directory, SAMPLE_ROWS)
    alpha = settings.rule.drift_rule.alpha
    result = compare_domains(rows, judged.sample, settings.schema, alpha, CLASSIFIER_SHARE)
    if result is None:
        return _Classified(notes=("no domain classifier: too few rows to learn from",))
    return _Classified(result, (result.sentence,))


def _write(
    outputs: Path, report: DriftJobReport, state: MonitoringState, known: _Known, judged: JudgedBatch
) -> None:
    from sagemaker_jobs.drift_page import render_drift_page

    scores = None
    if known.scoring.reference is not None and judged.scores is not None:
        scores = (known.scoring.reference, judged.scores)
    page = render_drift_page(report.to_mapping(), known.reference.profile, judged.current, scores)
    texts = {REPORT_FILE: report.to_json(), PAGE_FILE: page, STATE_FILE: state.to_json()}
    for name, text in texts.items():
        (outputs / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run_entry(lambda: main(sys.argv[1:]))
