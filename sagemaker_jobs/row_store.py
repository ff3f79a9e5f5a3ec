"""Keep validated rows on disk, one file per column, and what duplicates and the split need in memory.

Memory: 26 bytes per row, plus one column at a time while it is read back.
"""

from pathlib import Path

import numpy as np

from include.data_contracts.feature_schema import FeatureSchema, NumericColumn
from sagemaker_jobs.row_validation import ValidatedRows

_MEMORY_TYPES = {
    "labels": np.int8,
    "id_hashes": np.uint64,
    "has_id": np.bool_,
    "feature_hashes": np.uint64,
    "file_numbers": np.int32,
    "file_rows": np.uint32,
}


class RowStore:
    """Append batches, call `finish`, then read columns back; row i is the same row in every array.

    After `finish`: `labels` int8, `id_hashes` uint64, `has_id` bool, `feature_hashes` uint64, `file_numbers`
    int32 (position in `file_names`), `file_rows` uint32 (data row in the file), all of shape (n,).
    """

    def __init__(self, directory: Path, schema: FeatureSchema) -> None:
        """Create the column files in `directory`, which must exist and be private to this store."""
        self.schema = schema
        self.file_names: list[str] = []
        self._paths = {column.name: directory / f"{column.name}.bin" for column in schema.features}
        self._types = {
            c.name: np.float64 if isinstance(c, NumericColumn) else np.int16 for c in schema.features
        }
        self._streams = {name: path.open("wb") for name, path in self._paths.items()}
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in _MEMORY_TYPES}
        self.row_count = 0

    def append(self, file: str, rows: ValidatedRows) -> None:
        """Add the rows of one batch of `file`."""
        if not self.file_names or self.file_names[-1] != file:
            self.file_names.append(file)
        for name, stream in self._streams.items():
            stream.write(np.ascontiguousarray(rows.columns[name], dtype=self._types[name]).data)
        count = len(rows.labels)
        parts = self._parts
        parts["labels"].append(rows.labels.astype(np.int8))
        parts["id_hashes"].append(rows.id_hashes)
        parts["has_id"].append(rows.has_id)
        parts["feature_hashes"].append(rows.feature_hashes)
        parts["file_numbers"].append(np.full(count, len(self.file_names) - 1, dtype=np.int32))
        parts["file_rows"].append(rows.rows.astype(np.uint32))
        self.row_count += count

    def finish(self) -> None:
        """Close the column files and join the arrays held in memory."""
        for stream in self._streams.values():
            stream.close()
        for name in list(self._parts):
            parts = self._parts.pop(name)
            joined = np.concatenate(parts) if parts else np.empty(0, dtype=_MEMORY_TYPES[name])
            setattr(self, name, joined)

    labels: np.ndarray
    id_hashes: np.ndarray
    has_id: np.ndarray
    feature_hashes: np.ndarray
    file_numbers: np.ndarray
    file_rows: np.ndarray

    def column(self, name: str) -> np.ndarray:
        """Return one whole column, mapped from disk: float64 (NaN missing) or int16 codes (-1 missing)."""
        if not self.row_count:
            return np.empty(0, dtype=self._types[name])
        return np.memmap(self._paths[name], dtype=self._types[name], mode="r", shape=(self.row_count,))

    def place(self, index: int) -> tuple[str, int]:
        """Return file name and data row (from 0) of one stored row."""
        return self.file_names[int(self.file_numbers[index])], int(self.file_rows[index])
