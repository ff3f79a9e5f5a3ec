"""Describe preprocessed data: the data quality report and the digest of the rows."""

import hashlib
from collections.abc import Iterator

import numpy as np

from include.data_contracts.data_quality_report import ColumnSummary, DataQualityReport, SplitSummary
from include.data_contracts.feature_schema import CategoricalColumn
from sagemaker_jobs.label_signal import FeatureSignal, is_signal
from sagemaker_jobs.preprocess_loading import LoadedRows
from sagemaker_jobs.row_hashing import combine
from sagemaker_jobs.row_store import RowStore


def summarise_columns(
    loaded: LoadedRows, keep: np.ndarray, signals: list[FeatureSignal]
) -> Iterator[ColumnSummary]:
    """Yield one summary per feature over the rows kept."""
    for column, signal in zip(loaded.store.schema.features, signals, strict=True):
        names = sorted({opened.match.source_names[column.name] for opened in loaded.files})
        values = loaded.store.column(column.name)[keep]
        auc = round(signal.auc, 6)
        if isinstance(column, CategoricalColumn):
            counts = np.bincount(values + 1, minlength=len(column.levels) + 1).tolist()
            levels = dict(zip(column.level_names, counts[1:], strict=True))
            yield ColumnSummary(
                column.name, column.kind, tuple(names), counts[0], level_counts=levels, single_feature_auc=auc
            )
        else:
            present = values[~np.isnan(values)]
            bounds = (float(present.min()), float(present.max()), float(f"{present.mean():.12g}"))
            missing = len(values) - len(present)
            yield ColumnSummary(
                column.name, column.kind, tuple(names), missing, *bounds, single_feature_auc=auc
            )


def fingerprint_rows(store: RowStore, keep: np.ndarray) -> str:
    """Return a digest of the kept rows (ids, features, labels) that does not depend on their order."""
    row_hashes = combine(store.feature_hashes[keep], store.labels[keep].astype(np.uint64), 911)
    row_hashes = combine(row_hashes, np.where(store.has_id, store.id_hashes, 0)[keep], 913)
    digest = hashlib.sha256(f"{store.schema.fingerprint()} {len(row_hashes)}".encode())
    # Sum and exclusive or come out the same in any order.
    digest.update(int(row_hashes.sum(dtype=np.uint64)).to_bytes(8, "big"))
    digest.update(int(np.bitwise_xor.reduce(row_hashes)).to_bytes(8, "big"))
    return digest.hexdigest()


def build_report(
    loaded: LoadedRows,
    keep: np.ndarray,
    signals: list[FeatureSignal],
    split: SplitSummary,
) -> DataQualityReport:
    """Put everything known about the data into the report."""
    store = loaded.store
    strongest = max(signals, key=lambda signal: signal.auc)
    extra = sorted({name for opened in loaded.files for name, _ in opened.match.extra_columns})
    return DataQualityReport(
        schema_name=store.schema.name,
        schema_fingerprint=store.schema.fingerprint(),
        data_origin=loaded.data_origin,
        data_fingerprint=fingerprint_rows(store, keep),
        rows_in=loaded.ledger.rows_in,
        rows_out=int(keep.sum()),
        churn_rate=float(store.labels[keep].mean()),
        files=tuple(opened.describe() for opened in loaded.files),
        findings=loaded.ledger.findings(loaded.line_of_row),
        columns=tuple(summarise_columns(loaded, keep, signals)),
        split=split,
        strongest_feature=strongest.name,
        strongest_feature_auc=round(strongest.auc, 6),
        has_signal=is_signal(signals),
        ignored_files=loaded.ignored_names,
        ignored_columns=tuple(extra),
    )
