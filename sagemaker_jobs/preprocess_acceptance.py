"""Decide whether validated data may be used: limits, classes, lifeless columns, leaks, missing signal."""

import numpy as np

from include.data_contracts.data_quality_report import SplitSummary
from include.data_contracts.feature_schema import CategoricalColumn
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.label_signal import FeatureSignal, is_signal, measure_signal
from sagemaker_jobs.preprocess_loading import LoadedRows
from sagemaker_jobs.problem_ledger import ProblemLedger
from sagemaker_jobs.split_files import choose_sample

SIGNAL_ROWS = 200_000
# Two per cent of the IBM rows share their features with another customer; half and more smells of copies.
USUAL_SHARED_SHARE = 0.2


def refuse_unusable(loaded: LoadedRows, keep: np.ndarray) -> None:
    """Refuse data over the schema's limits, too small, of one class, or with a constant or empty column.

    `keep` (n,) tells which stored rows stay. Raises InvalidInputError.
    """
    schema = loaded.store.schema
    labels = loaded.store.labels[keep]
    if len(labels):
        _refuse_constant_columns(loaded, keep)
    loaded.ledger.refuse_excess(loaded.line_of_row, loaded.files[0].match.source_names)
    counts = np.bincount(labels, minlength=2)
    if len(labels) and counts.min() == 0:
        raise InvalidInputError(
            f"column {schema.target.name!r}: all {len(labels):,} rows carry the label {int(counts.argmax())};"
            " a model needs both classes"
        )
    limits = schema.limits
    if len(labels) < limits.minimum_rows or counts.min() < limits.minimum_rows_per_class:
        raise InvalidInputError(
            f"{len(labels):,} usable rows of {loaded.ledger.rows_in:,} ({counts[1]:,} churned, {counts[0]:,}"
            f" stayed); the schema asks for {limits.minimum_rows:,} rows and"
            f" {limits.minimum_rows_per_class:,} of each class"
        )


def _refuse_constant_columns(loaded: LoadedRows, keep: np.ndarray) -> None:
    store = loaded.store
    for column in store.schema.features:
        values = store.column(column.name)
        is_present = values >= 0 if isinstance(column, CategoricalColumn) else ~np.isnan(values)
        present = values[is_present & keep]
        # A column without values is a matter of the limits, which say what was wrong with its cells.
        if 2 * len(present) > keep.sum() and present.min() == present.max():
            first = loaded.files[0]
            raise InvalidInputError(
                f"{first.name}: column {first.match.source_names[column.name]!r} holds one single value in"
                f" all {len(present):,} rows; mend the export, or take the column out of the schema"
            )


def note_shared_features(ledger: ProblemLedger, split: SplitSummary) -> None:
    """Warn when many rows agree in all features: copies of the data under new ids look like that."""
    if split.rows_sharing_features > USUAL_SHARED_SHARE * (split.rows_train + split.rows_test):
        ledger.add("shared_features", None, split.rows_sharing_features)


def measure_signals(loaded: LoadedRows, keep: np.ndarray, seed: int) -> list[FeatureSignal]:
    """Measure every feature on a sample; refuse one that gives the label away, note if none has any."""
    store = loaded.store
    rows = np.flatnonzero(choose_sample(keep, SIGNAL_ROWS, seed))
    labels = store.labels[rows]
    signals = [measure_signal(name, store.column(name)[rows], labels) for name in store.schema.feature_names]
    strongest = max(signals, key=lambda signal: signal.auc)
    limit = store.schema.limits.maximum_single_feature_auc
    if strongest.auc > limit:
        first = loaded.files[0]
        raise InvalidInputError(
            f"{first.name}: column {first.match.source_names[strongest.name]!r} alone ranks"
            f" {store.schema.target.name} with AUC {strongest.auc:.4f}, above the limit {limit:g}: the label"
            " has leaked into it; remove it from the schema, or raise maximum_single_feature_auc"
        )
    if not is_signal(signals):
        detail = f"strongest: {strongest.name}, AUC {strongest.auc:.3f}; are the labels shuffled?"
        loaded.ledger.add("no_signal", None, 1, detail=detail)
    return signals
