"""Bring raw cells of a batch to the columns that profiles count and models score.

Aliases, null tokens, level spellings and number formats read as in training. What preprocess would refuse or
set to missing stays visible here: an unknown level is a level of its own, text among numbers is text, a value
out of range is a value. It is evidence for a verdict, and never an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from include.data_contracts.feature_schema import (
    CategoricalColumn,
    FeatureSchema,
    FillRule,
    NumericColumn,
)
from include.drift_statistics.column_values import Column, DictionaryColumn
from sagemaker_jobs.cross_field_rules import rows_to_fill
from sagemaker_jobs.feature_profiles import whole_numbers
from sagemaker_jobs.number_cleaning import INFINITE, NULL, read_distinct_numbers, read_number_column
from sagemaker_jobs.problem_ledger import shorten
from sagemaker_jobs.spelling_tables import MISSING, UNKNOWN, LevelSpellings, NullTokens, as_text

if TYPE_CHECKING:  # the TensorFlow image has no pyarrow
    import pyarrow as pa

KEPT_UNKNOWN_LEVELS = 200  # free text in a column must not fill the memory
OTHER_LEVELS = "(further unknown levels)"
Cells = Any  # a pyarrow array, or a DictionaryColumn of spellings


@dataclass(frozen=True, eq=False)
class NumberCells:
    """One numeric column: float64 (n,), NaN where there is no finite number; what those cells were instead.

    `wide` holds the whole 64-bit integers of a column that has such a type, n of them.
    """

    values: np.ndarray
    is_unreadable: np.ndarray | None = None
    is_infinite: np.ndarray | None = None
    wide: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class BatchColumns:
    """Features of consecutive rows; columns that the batch lacks are absent."""

    row_count: int
    numbers: Mapping[str, NumberCells]
    levels: Mapping[str, DictionaryColumn]

    def columns(self, schema: FeatureSchema) -> dict[str, Column]:
        """Return what `count_rows` takes, in schema order."""
        counted: dict[str, Column] = {}
        for column in schema.features:
            if column.name in self.levels:
                counted[column.name] = self.levels[column.name]
            elif column.name in self.numbers:
                is_whole = isinstance(column, NumericColumn) and column.integer
                counted[column.name] = _countable(self.numbers[column.name], is_whole=is_whole)
        return counted

    def is_scorable(self) -> np.ndarray:
        """Return which rows a model can score, boolean (n,).

        A missing value and an unknown level are encoded. Text or an infinity where a number belongs is
        refused, as the serving container does, and so is a row without any value.
        """
        scorable, empty = np.ones(self.row_count, dtype=bool), np.ones(self.row_count, dtype=bool)
        for cells in self.numbers.values():
            for mask in (cells.is_unreadable, cells.is_infinite):
                if mask is not None:
                    scorable &= ~mask
            empty &= np.isnan(cells.values)
        for column in self.levels.values():
            empty &= column.codes < 0
        return scorable & ~empty


def _countable(cells: NumberCells, *, is_whole: bool) -> Column:
    if cells.wide is not None:
        return cells.wide
    if cells.is_unreadable is not None:
        mixed = cells.values.astype(object)
        mixed[cells.is_unreadable] = "text"
        if cells.is_infinite is not None:
            mixed[cells.is_infinite] = np.inf
        return mixed
    if cells.is_infinite is not None:
        return np.where(cells.is_infinite, np.inf, cells.values)
    return whole_numbers(cells.values) if is_whole else cells.values


class BatchColumnReader:
    """Read batch after batch under one schema; unknown levels are remembered across batches."""

    def __init__(self, schema: FeatureSchema) -> None:
        """Build the spelling tables of the schema."""
        self._schema = schema
        self._is_null = NullTokens(schema.null_tokens)
        self._tables = {
            column.name: LevelSpellings(column, self._is_null) for column in schema.categorical_features
        }
        self._unknown: dict[str, dict[str, int]] = {name: {} for name in self._tables}

    def read(self, cells: Mapping[str, Cells], row_count: int) -> BatchColumns:
        """Read the features among `cells`, by canonical name."""
        numbers = {
            column.name: self._read_numbers(cells[column.name])
            for column in self._schema.numeric_features
            if column.name in cells
        }
        levels = {
            column.name: self._read_levels(column, cells[column.name])
            for column in self._schema.categorical_features
            if column.name in cells
        }
        self._fill_blanks(numbers, levels)
        return BatchColumns(row_count, numbers, levels)

    def _read_numbers(self, cells: Cells) -> NumberCells:
        if isinstance(cells, DictionaryColumn):
            statuses, values = _read_spelled_numbers(cells.levels, self._is_null)
            return _number_cells(values[cells.codes], statuses[cells.codes])
        return _read_arrow_numbers(cells, self._is_null)

    def _read_levels(self, column: CategoricalColumn, cells: Cells) -> DictionaryColumn:
        if isinstance(cells, DictionaryColumn):
            indices, spellings = cells.codes, list(cells.levels)
        else:
            indices, spellings = _distinct_texts(cells)
        codes = self._tables[column.name].judge(spellings)[0].astype(np.int32)
        for position in np.flatnonzero(codes == UNKNOWN):
            codes[position] = self._unknown_code(column, spellings[position])
        codes = np.append(codes, np.int32(MISSING))  # what an index of -1, a null, reads
        known = (*column.level_names, *self._unknown[column.name])
        return DictionaryColumn(codes[indices], known)

    def _unknown_code(self, column: CategoricalColumn, spelling: str) -> int:
        unknown = self._unknown[column.name]
        text = shorten(spelling.strip())
        if text not in unknown and len(unknown) >= KEPT_UNKNOWN_LEVELS:
            text = OTHER_LEVELS
        return len(column.levels) + unknown.setdefault(text, len(unknown))

    def _fill_blanks(
        self, numbers: Mapping[str, NumberCells], levels: Mapping[str, DictionaryColumn]
    ) -> None:
        """Blank cells that have a meaning in training (a total before the first bill) have it here too."""
        values = {name: cells.values for name, cells in numbers.items()}
        values |= {name: column.codes for name, column in levels.items()}
        for rule in (rule for rule in self._schema.rules if isinstance(rule, FillRule)):
            if rule.column not in numbers or rule.when.column not in values:
                continue
            cells = numbers[rule.column]
            is_blank = np.isnan(cells.values)
            for mask in (cells.is_unreadable, cells.is_infinite):
                if mask is not None:
                    is_blank &= ~mask
            if is_blank.any():
                cells.values[rows_to_fill(rule, self._schema, values, is_blank)] = rule.value


def _number_cells(values: np.ndarray, statuses: np.ndarray | None) -> NumberCells:
    if statuses is None:
        return NumberCells(values)
    is_odd = np.isnan(values) & (statuses != NULL)
    is_infinite = is_odd & (statuses == INFINITE)
    is_unreadable = is_odd & ~is_infinite
    return NumberCells(
        values,
        is_unreadable if is_unreadable.any() else None,
        is_infinite if is_infinite.any() else None,
    )


def _read_spelled_numbers(spellings: tuple[Any, ...], is_null: NullTokens) -> tuple[np.ndarray, np.ndarray]:
    """Return (statuses, values) of distinct spellings, for a code of -1 one more at the end."""
    statuses, values = read_distinct_numbers(list(spellings), is_null)
    return np.append(statuses, np.int8(NULL)), np.append(values, np.nan)


def _read_arrow_numbers(cells: "pa.Array", is_null: NullTokens) -> NumberCells:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _number_cells(*read_number_column(cells, is_null))
    if pa.types.is_signed_integer(kind) and not cells.null_count:
        whole = cells.to_numpy().astype(np.int64, copy=False)
        return NumberCells(whole.astype(np.float64), wide=whole)
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        # A price of 70.35 in 32 bits is 70.35 again, not 70.3499985: another type of the same number.
        cells = pc.cast(pc.cast(cells, pa.string()), pa.float64())
    try:
        cells = cells if pa.types.is_float64(cells.type) else pc.cast(cells, pa.float64(), safe=False)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError):
        is_text = ~pc.is_null(cells).to_numpy(zero_copy_only=False)
        return NumberCells(np.full(len(cells), np.nan), is_text if is_text.any() else None)
    values = cells.to_numpy(zero_copy_only=False)
    is_infinite = np.isinf(values)
    if is_infinite.any():
        return NumberCells(np.where(is_infinite, np.nan, values), is_infinite=is_infinite)
    has_blank = bool(np.isnan(values).any())  # a blank may be filled: not in the reader's own memory
    return NumberCells(values.copy() if has_blank else values)


def _distinct_texts(cells: "pa.Array") -> tuple[np.ndarray, list[str]]:
    """Return codes (n,), -1 for a null, and the distinct texts they stand for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(cells, pa.DictionaryArray):
        try:
            texts = as_text(cells)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError):
            is_null = pc.is_null(cells).to_numpy(zero_copy_only=False)
            return np.where(is_null, -1, 0), [f"(values of type {cells.type})"]
        cells = pc.dictionary_encode(texts)
    indices = cells.indices if not cells.indices.null_count else pc.fill_null(cells.indices, -1)
    return indices.to_numpy(zero_copy_only=False), as_text(cells.dictionary).to_pylist()
