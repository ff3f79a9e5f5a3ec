"""Write validated rows as CSV: target first, then the features in schema order, missing cells empty."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

from include.data_contracts.feature_schema import CategoricalColumn, FeatureSchema
from sagemaker_jobs.row_store import RowStore

ROWS_PER_CHUNK = 1 << 18
_WRITER_THREADS = 2


def _as_arrow(schema: FeatureSchema, name: str, values: np.ndarray) -> pa.Array:
    column = schema.column(name)
    if isinstance(column, CategoricalColumn):
        levels = pa.array(column.level_names, pa.string())
        return levels.take(pa.array(values, mask=values < 0))
    is_missing = np.isnan(values)
    if column.integer:
        return pa.array(np.where(is_missing, 0, values).astype(np.int64), mask=is_missing)
    return pa.array(values, mask=is_missing)


def _render(schema: FeatureSchema, labels: np.ndarray, columns: dict[str, np.ndarray], quoting: str) -> bytes:
    names = [schema.target.name, *columns]
    arrays = [pa.array(labels), *(_as_arrow(schema, name, values) for name, values in columns.items())]
    sink = pa.BufferOutputStream()
    options = pa_csv.WriteOptions(include_header=False, batch_size=1 << 14, quoting_style=quoting)
    pa_csv.write_csv(pa.RecordBatch.from_arrays(arrays, names=names), sink, options)
    return sink.getvalue().to_pybytes()


def _chunks(store: RowStore, is_selected: np.ndarray) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    columns = {name: store.column(name) for name in store.schema.feature_names}
    for start in range(0, store.row_count, ROWS_PER_CHUNK):
        rows = slice(start, start + ROWS_PER_CHUNK)
        selected = is_selected[rows]
        yield store.labels[rows][selected], {name: column[rows][selected] for name, column in columns.items()}


def write_selected_rows(path: Path, store: RowStore, is_selected: np.ndarray) -> None:
    """Write the selected rows (boolean (n,)) to `path`, in stored order; chunks are rendered on two threads.

    Level names that hold a comma, a quote or a line break are quoted, others are not.
    """
    schema = store.schema
    levels = "".join(name for column in schema.categorical_features for name in column.level_names)
    quoting = "needed" if any(character in levels for character in ',"\r\n') else "none"
    header = ",".join((schema.target.name, *schema.feature_names))
    with path.open("wb") as stream, ThreadPoolExecutor(_WRITER_THREADS) as pool:
        stream.write(f"{header}\n".encode())
        pending = []
        for labels, columns in _chunks(store, is_selected):
            pending.append(pool.submit(_render, schema, labels, columns, quoting))
            if len(pending) > _WRITER_THREADS:
                stream.write(pending.pop(0).result())
        for job in pending:
            stream.write(job.result())


def choose_sample(is_train: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Return which rows are in a uniform sample of the train rows, boolean (n,)."""
    rows = np.flatnonzero(is_train)
    is_sampled = np.zeros(len(is_train), dtype=bool)
    if len(rows) > size:
        rows = np.random.default_rng([seed, 0x5EED]).choice(rows, size, replace=False)
    is_sampled[rows] = True
    return is_sampled
