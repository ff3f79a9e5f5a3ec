"""Look at columns the schema does not know: they reach no model, but a leak among them is worth a word."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.data_contracts.feature_schema import FeatureSchema
from sagemaker_jobs.data_files import OpenedFile
from sagemaker_jobs.label_signal import measure_signal
from sagemaker_jobs.number_cleaning import read_number_column
from sagemaker_jobs.problem_ledger import ProblemLedger, Sighting, shorten
from sagemaker_jobs.raw_tables import read_first_columns
from sagemaker_jobs.spelling_tables import LabelSpellings, NullTokens, as_text

MAXIMUM_COLUMNS = 50
MAXIMUM_LEVELS = 200
MINIMUM_ROWS = 200


def note_label_in_extra_columns(opened: OpenedFile, schema: FeatureSchema, ledger: ProblemLedger) -> None:
    """Warn of unknown columns that alone rank the label almost perfectly, judged on the first batch."""
    extra = opened.match.extra_columns[:MAXIMUM_COLUMNS]
    if not extra:
        return
    target = schema.target.name
    positions = {f"extra {number}": position for number, (_, position) in enumerate(extra)}
    columns = read_first_columns(opened, {target: opened.match.positions[target], **positions})
    if not columns:
        return
    is_null = NullTokens(schema.null_tokens)
    labels, _ = LabelSpellings(schema.target, is_null).read(as_text(columns[target]))
    is_labelled = labels >= 0
    if is_labelled.sum() < MINIMUM_ROWS or len(np.unique(labels[is_labelled])) < 2:
        return
    for number, (name, _) in enumerate(extra):
        values = _read_any(as_text(columns[f"extra {number}"]), is_null)
        if values is None:
            continue
        auc = measure_signal(name, values[is_labelled], labels[is_labelled]).auc
        if auc > schema.limits.maximum_single_feature_auc:
            seen = [Sighting(opened.name, f"AUC {auc:.4f}")]
            ledger.add("label_in_extra_column", shorten(name), 1, seen)


def _read_any(texts: pa.Array, is_null: NullTokens) -> np.ndarray | None:
    """Return numbers, or codes of a text column of few levels, or None for free text."""
    numbers, _ = read_number_column(texts, is_null)
    if np.isnan(numbers).mean() < 0.5:
        return numbers
    encoded = pc.dictionary_encode(texts)
    if len(encoded.dictionary) > MAXIMUM_LEVELS:
        return None
    return encoded.indices.to_numpy().astype(np.int16)
