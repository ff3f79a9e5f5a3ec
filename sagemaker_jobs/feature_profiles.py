"""Profiles of schema features: counted in parts on two threads, for preprocess and detect_drift alike."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from include.data_contracts.feature_schema import CategoricalColumn, FeatureColumn, FeatureSchema
from include.drift_statistics.column_layouts import ColumnSpec, Layout
from include.drift_statistics.column_values import Column
from include.drift_statistics.profiles import Profile, count_rows, empty_profile

PROFILE_NAME = "reference.profile"
COUNTING_THREADS = 2


def column_spec(column: FeatureColumn) -> ColumnSpec:
    """Return what drift statistics must know of a feature.

    A schema's range is what training takes, not what the world can do: prices rise, customers stay longer
    than any did before, and a changed range is drift. Only what no customer can have is broken data: a
    negative amount, count or duration where the schema has none, and in a column coded 0/1 any other number.
    """
    if isinstance(column, CategoricalColumn):
        return ColumnSpec("categorical")
    is_flag = column.integer and (column.minimum, column.maximum) == (0, 1)
    return ColumnSpec("numeric", 0.0 if column.minimum >= 0 else None, 1.0 if is_flag else None, column.unit)


def column_specs(schema: FeatureSchema) -> dict[str, ColumnSpec]:
    """Return the specs of all features in schema order."""
    return {column.name: column_spec(column) for column in schema.features}


def whole_numbers(values: np.ndarray) -> np.ndarray:
    """Return float64 (n,) as int64, masked where missing; unchanged when a number is not whole."""
    is_missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        is_whole = (values == np.floor(values)) & (np.abs(values) < 2**53)
    if not (is_whole | is_missing).all():
        return values
    if not is_missing.any():
        return values.astype(np.int64)
    return np.ma.MaskedArray(np.where(is_missing, 0, values).astype(np.int64), mask=is_missing)


def count_in_parts(
    layout: Mapping[str, Layout],
    parts: Iterable[Mapping[str, Column]],
    names: Iterable[str],
    *,
    fourth_moments: bool = False,
) -> Profile:
    """Count parts of a table that has the columns `names`, a few parts in memory at a time.

    Counts are integers: neither the parts nor the threads show in the result.
    """

    def count(part: Mapping[str, Column]) -> Profile:
        return count_rows(layout, part, fourth_moments=fourth_moments)

    profile = empty_profile(layout, names, fourth_moments=fourth_moments)
    for counted in in_threads(count, parts):
        profile = profile.merge(counted)
    return profile


def in_threads[Part, Done](work: Callable[[Part], Done], parts: Iterable[Part]) -> Iterator[Done]:
    """Yield `work(part)` in the order of the parts, never more than a few parts ahead."""
    pending: deque[Future[Done]] = deque()
    with ThreadPoolExecutor(COUNTING_THREADS) as pool:
        for part in parts:
            pending.append(pool.submit(work, part))
            if len(pending) > 2 * COUNTING_THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
