"""One batch from its files to findings: counted, scored and compared in a single pass over its rows."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from include.data_contracts.feature_schema import FeatureSchema
from include.drift_statistics.column_values import Column
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.drift_report import DriftReport
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.prediction_drift import compare_predictions, profile_scores
from include.drift_statistics.profiles import Profile, empty_profile
from sagemaker_jobs.batch_columns import BatchColumns
from sagemaker_jobs.batch_reading import (
    OpenedBatch,
    UnreadableBatchError,
    describe_findings,
    list_batch_files,
    open_batch,
    read_parts,
)
from sagemaker_jobs.domain_classifier import SAMPLE_ROWS
from sagemaker_jobs.drift_job_report import BatchFacts, PredictionFindings
from sagemaker_jobs.drift_settings import SCORES_SHARE, JobRule
from sagemaker_jobs.feature_profiles import count_in_parts
from sagemaker_jobs.header_matching import match_batch_header
from sagemaker_jobs.job_entry import report_progress
from sagemaker_jobs.label_join import id_texts
from sagemaker_jobs.row_sample import RowSample
from sagemaker_jobs.score_tables import PredictionsWriter, ScorePart, read_scores

if TYPE_CHECKING:  # it loads pandas and the frameworks, which a run without a model does not need
    from sagemaker_jobs.batch_scoring import BatchScorer


@dataclass(frozen=True, eq=False)
class Scoring:
    """How the batch gets its scores: from a model, from a table, or not at all.

    `reference` is the profile of reference scores; `written_to` is where a model's scores are kept.
    """

    scorer: "BatchScorer | None"
    predictions: Path | None
    reference: Profile | None
    threshold: float
    written_to: Path

    @property
    def scores_path(self) -> Path | None:
        """Where this batch's own scores can be read once it is judged; None when it has none."""
        if self.predictions is not None:
            return self.predictions
        return self.written_to if self.written_to.is_file() else None


@dataclass(frozen=True, eq=False)
class JudgedBatch:
    """What a batch came to; `current` is None when it could not be read."""

    facts: BatchFacts
    report: DriftReport
    current: Profile | None
    scores: Profile | None
    predictions: PredictionFindings | None
    sample: BatchColumns | None
    is_synthetic: bool
    notes: tuple[str, ...]


class _ScoreCounts:
    """Scores of the batch as they come: counted on the reference's layout, and how many rows had none."""

    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring
        self.profile: Profile | None = None
        self.rows = self.unscored = 0

    def add(self, part: ScorePart) -> None:
        """Count the scores of one part."""
        self.rows += len(part.scores)
        self.unscored += int((part.scores != part.scores).sum())
        if self._scoring.reference is not None:
            counted = profile_scores(part.scores, self._scoring.threshold, self._scoring.reference)
            self.profile = counted if self.profile is None else self.profile.merge(counted)


def judge_batch(
    current: Path,
    date: str,
    schema: FeatureSchema,
    reference: Profile,
    rule: JobRule,
    scoring: Scoring,
    work_directory: Path,
    *,
    labelled: bool,
) -> JudgedBatch:
    """Read a batch once and compare it; a batch that cannot be read gives verdict `data_break`.

    `labelled`: performance is judged on the same day, and has its part of alpha.

    Raises InvalidInputError for what is wrong with the call: no such path, scores that cannot be read.
    """
    files: tuple[tuple[Path, str], ...] = ()
    text_directory = work_directory / "current"
    text_directory.mkdir()
    try:
        files = list_batch_files(current, "--current")
        match = partial(match_batch_header, with_id=scoring.scorer is not None)
        batch = open_batch(files, schema, text_directory, match)
        report_progress("read", f"{len(files)} file(s), {batch.size_bytes:,} bytes")
        return _judge(batch, date, reference, rule, scoring, labelled=labelled)
    except UnreadableBatchError as error:
        scoring.written_to.unlink(missing_ok=True)
        size = sum(path.stat().st_size for path, _ in files)
        return _unreadable(str(error), BatchFacts(date, len(files), size), reference, rule.drift_rule)


def _unreadable(reason: str, facts: BatchFacts, reference: Profile, rule: DriftRule) -> JudgedBatch:
    """Every feature is in the report, none of them judged: only the batch as a whole is broken."""
    nothing = compare_profiles(reference, empty_profile(reference.layout, reference.layout), rule)
    report = replace(
        nothing,
        verdict="data_break",
        sentence=f"Data break, do not retrain on this batch: {reason}.",
        drifted_features=(),
        notes=("the batch could not be read, so that no column was compared",),
    )
    return JudgedBatch(facts, report, None, None, None, None, False, ())


def _judge(
    batch: OpenedBatch, date: str, reference: Profile, rule: JobRule, scoring: Scoring, *, labelled: bool
) -> JudgedBatch:
    sample = RowSample(SAMPLE_ROWS) if rule.domain_classifier else None
    counts = _ScoreCounts(scoring)
    notes: list[str] = []
    can_score = not batch.missing_names
    if scoring.scorer is not None and not can_score:
        notes.append(f"no row could be scored: column {', '.join(batch.missing_names)} is not in the batch")
    with ExitStack() as stack:
        writer = None
        if scoring.scorer is not None and can_score:
            stream = stack.enter_context(scoring.written_to.open("w", encoding="utf-8", newline=""))
            writer = PredictionsWriter(stream)
        parts = _scored_parts(batch, scoring, counts, writer, sample)
        current = count_in_parts(reference.layout, parts, batch.present_names)
    if scoring.predictions is not None:
        for part in read_scores(scoring.predictions, "--predictions"):
            counts.add(part)
    current = replace(current, new_columns=batch.extra_names)
    report_progress("count", f"{current.rows:,} rows")
    predictions, told = _compare_scores(scoring, counts, rule.drift_rule)
    facts = BatchFacts(date, len(batch.files), batch.size_bytes, batch.missing_names, batch.extra_names)
    # One verdict from all that the day is judged by: together they may spend alpha once.
    shares = rule.shares(scored=predictions is not None, labelled=labelled)
    return JudgedBatch(
        facts,
        compare_profiles(reference, current, replace(rule.drift_rule, family_share=shares.features)),
        current,
        counts.profile,
        predictions,
        None if sample is None else sample.rows(),
        batch.is_synthetic,
        (*describe_findings(batch), *notes, *told),
    )


def _scored_parts(
    batch: OpenedBatch,
    scoring: Scoring,
    counts: _ScoreCounts,
    writer: PredictionsWriter | None,
    sample: RowSample | None,
) -> Iterator[Mapping[str, Column]]:
    """Yield what is to be counted; on the way score it, and keep a sample."""
    for part in read_parts(batch):
        if sample is not None:
            sample.add(part.columns)
        if writer is not None and scoring.scorer is not None:
            ids = id_texts(part.ids, part.columns.row_count)
            scored = ScorePart(ids, scoring.scorer.score(part.columns))
            writer.write(scored)
            counts.add(scored)
        yield part.columns.columns(batch.schema)


def _compare_scores(
    scoring: Scoring, counts: _ScoreCounts, rule: DriftRule
) -> tuple[PredictionFindings | None, tuple[str, ...]]:
    notes = []
    if counts.unscored:
        notes.append(f"{counts.unscored:,} of {counts.rows:,} rows have no score")
    if scoring.reference is None or counts.profile is None:
        if counts.rows and scoring.reference is None:
            notes.append("scores were not compared: no reference scores were given")
        return None, tuple(notes)
    result = compare_predictions(scoring.reference, counts.profile, replace(rule, family_share=SCORES_SHARE))
    return PredictionFindings(result, counts.rows, counts.unscored), tuple(notes)
