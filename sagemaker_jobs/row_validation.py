"""Bring batches of raw cells to validated columns: numbers in range, levels by their code, labels 0 or 1.

Every cell that is not as the schema says is read, or set to missing, or its row is dropped; each is counted
in the ledger with examples.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.data_contracts.feature_schema import (
    CategoricalColumn,
    FeatureColumn,
    FeatureSchema,
    FillRule,
    NumericColumn,
    normalise_name,
)
from sagemaker_jobs.cross_field_rules import rows_in_contradiction, rows_to_fill
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.number_cleaning import AMBIGUOUS, INFINITE, INVALID, NULL, REFORMATTED, read_number_column
from sagemaker_jobs.problem_ledger import ProblemLedger, RowNumbers
from sagemaker_jobs.raw_tables import RawBatch
from sagemaker_jobs.row_hashing import combine, hash_strings, number_bits
from sagemaker_jobs.spelling_tables import (
    MISSING,
    UNKNOWN,
    LabelSpellings,
    LevelSpellings,
    NullTokens,
    as_text,
)

LONGEST_USUAL_ID = 200
_SUSPICIOUS_ID = r"^[=@]|^[+\-][^0-9]|[<\x00-\x1f\x7f]"
_NUMBER_CAUSES = {
    INVALID: "invalid_number",
    INFINITE: "infinite_number",
    AMBIGUOUS: "ambiguous_number",
    REFORMATTED: "reformatted_number",
}
# Bytes that make an id worth a closer look: blanks, control characters, markup, formula starts.
_ODD_BYTES = np.zeros(256, dtype=bool)
_ODD_BYTES[:33] = True
_ODD_BYTES[[0x7F, ord("<"), ord("="), ord("@"), ord("+"), ord("-"), 0xC2, 0xE2, 0xE3]] = True


@dataclass(frozen=True)
class ValidatedRows:
    """Rows with a known label, n of them.

    `columns`: float64 (n,) with NaN for missing, or int16 (n,) level codes with -1 for missing. `rows`: data
    row in the file, int64 (n,). `id_hashes` is uint64 (n,); where `has_id` is False it means nothing.
    `feature_hashes`, uint64 (n,), are equal for equal features, label and id apart.
    """

    columns: dict[str, np.ndarray]
    labels: np.ndarray
    id_hashes: np.ndarray
    has_id: np.ndarray
    feature_hashes: np.ndarray
    rows: np.ndarray


class RowValidator:
    """Validate batches under one schema, counting faults in one ledger."""

    def __init__(self, schema: FeatureSchema, ledger: ProblemLedger) -> None:
        """Build the spelling tables of the schema."""
        self._schema = schema
        self._ledger = ledger
        self._is_null = NullTokens(schema.null_tokens)
        self._labels = LabelSpellings(schema.target, self._is_null)
        self._levels = {
            column.name: LevelSpellings(column, self._is_null) for column in schema.categorical_features
        }

    def validate(self, raw: RawBatch, source_names: dict[str, str]) -> ValidatedRows:
        """Validate one batch; `source_names` are the file's headers by canonical name."""
        self._ledger.rows_in += raw.row_count
        labels, columns, rows = self._read_labels(raw, source_names)
        validated: dict[str, np.ndarray] = {}
        blanks: dict[str, np.ndarray] = {}
        for column in self._schema.features:
            name = column.name
            try:
                validated[name], blanks[name] = self._read_feature(column, columns[name], rows)
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
                what = f"type {columns[name].type} cannot be read as {column.kind}"
                raise InvalidInputError(
                    f"{raw.file}: column {source_names[name]!r}: {what}; export it as text or numbers"
                ) from error
        self._apply_rules(validated, blanks, columns, rows)
        self._count_missing(blanks, columns, rows)
        id_hashes, has_id = self._read_ids(columns, len(labels), rows)
        numbers = np.arange(len(labels)) if rows.kept is None else rows.kept
        return ValidatedRows(
            validated,
            labels,
            id_hashes,
            has_id,
            self._hash_features(validated, len(labels)),
            numbers + rows.first_row,
        )

    def _read_labels(
        self, raw: RawBatch, source_names: dict[str, str]
    ) -> tuple[np.ndarray, dict[str, pa.Array], RowNumbers]:
        """Read the labels and leave out the rows that have none."""
        target = self._schema.target.name
        texts = as_text(raw.columns[target])
        every_row = RowNumbers(raw.file, raw.first_row)
        labels, is_respelled = self._labels.read(texts)
        if is_respelled is not None:
            self._ledger.add_rows("respelled_label", target, is_respelled, every_row, lambda row: texts[row])
        if labels.min(initial=0) >= 0:
            return labels, raw.columns, every_row
        is_header = self._find_repeated_headers(raw, texts, labels == UNKNOWN, source_names)
        is_blank = self._find_blank_rows(raw, labels == MISSING)
        for cause, column, mask in (
            ("repeated_header", None, is_header),
            ("blank_row", None, is_blank),
            ("unknown_label", target, (labels == UNKNOWN) & ~is_header),
            ("missing_label", target, (labels == MISSING) & ~is_blank),
        ):
            self._ledger.add_rows(cause, column, mask, every_row, lambda row: texts[row])
        kept = np.flatnonzero(labels >= 0)
        selection = pa.array(kept)
        columns = {name: column.take(selection) for name, column in raw.columns.items()}
        return labels[kept], columns, RowNumbers(raw.file, raw.first_row, kept)

    def _find_repeated_headers(
        self, raw: RawBatch, labels: pa.Array, candidates: np.ndarray, source_names: dict[str, str]
    ) -> np.ndarray:
        is_header = np.zeros(raw.row_count, dtype=bool)
        target = self._schema.target.name
        first = self._schema.columns[0].name
        first_texts = as_text(raw.columns[first])
        for row in np.flatnonzero(candidates):
            is_header[row] = all(
                normalise_name(texts[int(row)].as_py()) == normalise_name(source_names[name])
                for name, texts in ((target, labels), (first, first_texts))
            )
        return is_header

    def _find_blank_rows(self, raw: RawBatch, candidates: np.ndarray) -> np.ndarray:
        is_blank = candidates.copy()
        for column in raw.columns.values():
            rows = np.flatnonzero(is_blank)
            if len(rows):
                texts = as_text(column.take(pa.array(rows)))
                is_blank[rows] = self._is_null.find(texts)
        return is_blank

    def _read_feature(
        self, column: FeatureColumn, cells: pa.Array, rows: RowNumbers
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (values or codes, is blank), both (n,)."""
        if isinstance(column, NumericColumn):
            return self._read_numbers(column, cells, rows)
        return self._read_levels(column, cells, rows)

    def _read_numbers(
        self, column: NumericColumn, cells: pa.Array, rows: RowNumbers
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (values, is blank); values out of range and fractions of whole numbers become NaN."""
        values, statuses = read_number_column(cells, self._is_null)
        name = column.name
        if statuses is None:
            is_blank = np.zeros(len(values), dtype=bool)
        else:
            is_blank = statuses == NULL
            for status, cause in _NUMBER_CAUSES.items():
                self._ledger.add_rows(cause, name, statuses == status, rows, lambda row: cells[row])
        with np.errstate(invalid="ignore"):
            is_outside = (values < column.minimum) | (values > column.maximum)
            is_fraction = values != np.floor(values) if column.integer else None
        if is_outside.any():
            detail = f"the range is {column.minimum:g} to {column.maximum:g} {column.unit}"
            self._ledger.add_rows(
                "out_of_range", name, is_outside, rows, lambda row: cells[row], detail=detail
            )
            values[is_outside] = np.nan
        if is_fraction is not None and is_fraction.any():
            is_fraction &= ~np.isnan(values)
            self._ledger.add_rows("fractional_number", name, is_fraction, rows, lambda row: cells[row])
            values[is_fraction] = np.nan
        return values, is_blank

    def _read_levels(
        self, column: CategoricalColumn, cells: pa.Array, rows: RowNumbers
    ) -> tuple[np.ndarray, np.ndarray]:
        texts = as_text(cells)
        codes, is_respelled = self._levels[column.name].read(texts)
        if is_respelled is not None:
            self._ledger.add_rows("respelled_level", column.name, is_respelled, rows, lambda row: texts[row])
        is_unknown = codes == UNKNOWN
        if is_unknown.any():
            detail = f"known: {', '.join(column.level_names[:8])}{', …' if len(column.levels) > 8 else ''}"
            self._ledger.add_rows(
                "unknown_level", column.name, is_unknown, rows, lambda row: texts[row], detail=detail
            )
        is_blank = codes == MISSING
        codes[is_unknown] = MISSING
        return codes, is_blank

    def _apply_rules(
        self,
        columns: dict[str, np.ndarray],
        blanks: dict[str, np.ndarray],
        cells: dict[str, pa.Array],
        rows: RowNumbers,
    ) -> None:
        """Fill blanks first, then judge contradictions on what is known."""
        rules = self._schema.rules
        for rule in (rule for rule in rules if isinstance(rule, FillRule)):
            is_blank = blanks[rule.column]
            if not is_blank.any():
                continue
            is_filled = rows_to_fill(rule, self._schema, columns, is_blank)
            texts = cells[rule.column]
            self._ledger.add_rows(
                "filled_value",
                rule.column,
                is_filled,
                rows,
                lambda row, texts=texts: texts[row],
                detail=str(rule),
            )
            columns[rule.column][is_filled] = rule.value
            blanks[rule.column] = is_blank & ~is_filled
        for rule in (rule for rule in rules if not isinstance(rule, FillRule)):
            is_broken = rows_in_contradiction(rule, self._schema, columns)
            if is_broken.any():
                names = rule.columns
                self._ledger.add_rows(
                    "contradiction",
                    rule.name,
                    is_broken,
                    rows,
                    lambda row, names=names: ", ".join(f"{name} {cells[name][row]}" for name in names),
                    detail=str(rule),
                    limit_share=rule.maximum_violation_share,
                )

    def _count_missing(
        self, blanks: dict[str, np.ndarray], cells: dict[str, pa.Array], rows: RowNumbers
    ) -> None:
        for column in self._schema.features:
            texts = cells[column.name]
            self._ledger.add_rows(
                "missing_value",
                column.name,
                blanks[column.name],
                rows,
                lambda row, texts=texts: texts[row].as_py() or "",
                limit_share=column.maximum_null_share,
            )

    def _read_ids(
        self, columns: dict[str, pa.Array], count: int, rows: RowNumbers
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (hashes, has id); odd ids are counted, a missing one leaves its row without a key."""
        id_column = self._schema.id_column
        if id_column is None:
            return np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=bool)
        texts = as_text(columns[id_column.name])
        data = texts.buffers()[-1]
        if data is not None and _ODD_BYTES[np.frombuffer(data, dtype=np.uint8)].any():
            is_suspicious = pc.match_substring_regex(texts, _SUSPICIOUS_ID).to_numpy(zero_copy_only=False)
            self._ledger.add_rows(
                "suspicious_text", id_column.name, is_suspicious, rows, lambda row: texts[row]
            )
            texts = pc.utf8_trim_whitespace(texts)
        lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
        if lengths.max(initial=0) > LONGEST_USUAL_ID:
            self._ledger.add_rows(
                "overlong_text", id_column.name, lengths > LONGEST_USUAL_ID, rows, lambda row: texts[row]
            )
        is_missing = self._is_null.find(texts)
        self._ledger.add_rows("missing_id", id_column.name, is_missing, rows, lambda row: texts[row])
        return hash_strings(texts), ~is_missing

    def _hash_features(self, columns: dict[str, np.ndarray], count: int) -> np.ndarray:
        """Hash all features; level codes are packed into as few 64-bit words as possible first."""
        hashes = np.zeros(count, dtype=np.uint64)
        packed, capacity, salt = np.zeros(count, dtype=np.uint64), 1, 0
        for column in self._schema.features:
            values = columns[column.name]
            if isinstance(column, NumericColumn):
                hashes = combine(hashes, number_bits(values), salt)
                salt += 2
                continue
            radix = len(column.levels) + 1
            if capacity * radix >= 2**63:
                hashes = combine(hashes, packed, salt)
                packed, capacity, salt = np.zeros(count, dtype=np.uint64), 1, salt + 2
            packed = packed * np.uint64(radix) + (values + np.int16(1)).astype(np.uint64)
            capacity *= radix
        return combine(hashes, packed, salt)
