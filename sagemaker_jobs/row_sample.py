"""A bounded, evenly spaced sample of rows that come in parts, whatever their number."""

from collections.abc import Sequence

import numpy as np

from include.drift_statistics.column_values import DictionaryColumn
from sagemaker_jobs.batch_columns import BatchColumns, NumberCells


class RowSample:
    """Keeps every row at first; each time it is full, only every second row, of those kept and to come."""

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` rows."""
        self._limit = limit
        self._stride = 1
        self._seen = 0
        self._kept: list[BatchColumns] = []

    def add(self, part: BatchColumns) -> None:
        """Offer the next rows."""
        first = -self._seen % self._stride
        self._seen += part.row_count
        self._kept.append(_take(part, np.arange(first, part.row_count, self._stride)))
        while sum(kept.row_count for kept in self._kept) > self._limit:
            self._thin()

    def _thin(self) -> None:
        self._stride *= 2
        offset, thinned = 0, []
        for kept in self._kept:
            thinned.append(_take(kept, np.arange(offset % 2, kept.row_count, 2)))
            offset += kept.row_count
        self._kept = thinned

    def rows(self) -> BatchColumns:
        """Return the sample as one part; without a row it has no columns."""
        if not self._kept:
            return BatchColumns(0, {}, {})
        first = self._kept[0]
        numbers = {
            name: NumberCells(
                np.concatenate([part.numbers[name].values for part in self._kept]),
                _join_masks([part.numbers[name].is_unreadable for part in self._kept], self._kept),
                _join_masks([part.numbers[name].is_infinite for part in self._kept], self._kept),
                _join_wide([part.numbers[name].wide for part in self._kept]),
            )
            for name in first.numbers
            if all(name in part.numbers for part in self._kept)
        }
        # Codes mean the same in every part; later parts may know more levels.
        levels = {
            name: DictionaryColumn(
                np.concatenate([part.levels[name].codes for part in self._kept]),
                max((part.levels[name].levels for part in self._kept), key=len),
            )
            for name in first.levels
            if all(name in part.levels for part in self._kept)
        }
        return BatchColumns(sum(part.row_count for part in self._kept), numbers, levels)


def _take(part: BatchColumns, rows: np.ndarray) -> BatchColumns:
    def some(mask: np.ndarray | None) -> np.ndarray | None:
        return None if mask is None else mask[rows]

    numbers = {
        name: NumberCells(
            cells.values[rows], some(cells.is_unreadable), some(cells.is_infinite), some(cells.wide)
        )
        for name, cells in part.numbers.items()
    }
    levels = {
        name: DictionaryColumn(column.codes[rows], column.levels) for name, column in part.levels.items()
    }
    return BatchColumns(len(rows), numbers, levels)


def _join_masks(masks: Sequence[np.ndarray | None], parts: Sequence[BatchColumns]) -> np.ndarray | None:
    if all(mask is None for mask in masks):
        return None
    pairs = zip(masks, parts, strict=True)
    return np.concatenate(
        [np.zeros(part.row_count, dtype=bool) if mask is None else mask for mask, part in pairs]
    )


def _join_wide(parts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    whole = [part for part in parts if part is not None]
    return np.concatenate(whole) if len(whole) == len(parts) else None
