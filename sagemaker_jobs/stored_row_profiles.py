"""The reference profile of rows in a row store, read a few parts at a time."""

from collections.abc import Iterator

import numpy as np

from include.data_contracts.feature_schema import CategoricalColumn, FeatureColumn, NumericColumn
from include.drift_statistics.column_layouts import choose_layout
from include.drift_statistics.column_values import Column, DictionaryColumn
from include.drift_statistics.profiles import Profile
from sagemaker_jobs.feature_profiles import column_spec, count_in_parts, whole_numbers
from sagemaker_jobs.row_store import RowStore

PART_ROWS = 1 << 18


def profile_stored_rows(store: RowStore, is_selected: np.ndarray, is_sampled: np.ndarray) -> Profile:
    """Return the reference profile of selected rows of a store; knots are chosen from the sampled ones.

    Both masks are boolean (n,). Memory: the sample of one column, then a few parts of all columns.
    """
    schema = store.schema
    layout = {
        column.name: choose_layout(
            _stored_column(column, np.asarray(store.column(column.name)[is_sampled])), column_spec(column)
        )
        for column in schema.features
    }
    return count_in_parts(
        layout, _stored_parts(store, is_selected), schema.feature_names, fourth_moments=True
    )


def _stored_parts(store: RowStore, is_selected: np.ndarray) -> Iterator[dict[str, Column]]:
    columns = {column: store.column(column.name) for column in store.schema.features}
    for start in range(0, store.row_count, PART_ROWS):
        rows = slice(start, start + PART_ROWS)
        selected = is_selected[rows]
        yield {
            column.name: _stored_column(column, values[rows][selected]) for column, values in columns.items()
        }


def _stored_column(column: FeatureColumn, values: np.ndarray) -> Column:
    if isinstance(column, CategoricalColumn):
        return DictionaryColumn(values, column.level_names)
    return whole_numbers(values) if isinstance(column, NumericColumn) and column.integer else values
