"""Profiles: one pass over the rows gives a mergeable summary that every later comparison is made from.

The reference chooses the layout (knots, limits, scores); it and every later batch are counted on that layout.
Counts are integers, so merging the profiles of any split of the rows, in any order, gives identical numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import (
    DEFAULT_KNOTS,
    ColumnKind,
    ColumnSpec,
    Layout,
    NumericLayout,
    choose_layout,
)
from include.drift_statistics.column_values import (
    Column,
    column_length,
    read_levels,
    read_numbers,
    slice_column,
)
from include.drift_statistics.joint_moments import JointMoments, empty_moments, score_rows, sum_products
from include.drift_statistics.level_counts import LevelCounts, count_levels, score_levels
from include.drift_statistics.numeric_counts import NumericCounts, count_numbers, empty_counts
from include.drift_statistics.row_buffers import CHUNK_ROWS

Counts = NumericCounts | LevelCounts


@dataclass(frozen=True)
class Profile:
    """Counts of a table on a layout.

    Args:
        layout: one layout per column, fixed by the reference.
        counts: counts per column of the layout that the table has.
        rows: rows of the table.
        joint: sums of products of joint scores over all columns of the layout; None when a column is absent.
        new_columns: columns of the table that the layout does not know.

    """

    layout: Mapping[str, Layout]
    counts: Mapping[str, Counts]
    rows: int
    joint: JointMoments | None
    new_columns: tuple[str, ...] = ()

    def merge(self, other: "Profile") -> "Profile":
        """Profile of the rows of both; raises ValueError when they are not on the same layout."""
        if self.layout is not other.layout and not same_layout(self.layout, other.layout):
            raise ValueError(
                "profiles on different layouts cannot be merged; count both on the reference's layout"
            )
        shared = [name for name in self.layout if name in self.counts and name in other.counts]
        joint = None if self.joint is None or other.joint is None else self.joint.merge(other.joint)
        merged = {name: _merge_counts(name, self.counts[name], other.counts[name]) for name in shared}
        new = tuple(sorted({*self.new_columns, *other.new_columns}))
        return Profile(self.layout, merged, self.rows + other.rows, joint, new)


def column_kind(layout: Layout) -> ColumnKind:
    """Kind of the column a layout belongs to."""
    return "numeric" if isinstance(layout, NumericLayout) else "categorical"


def same_layout(one: Mapping[str, Layout], other: Mapping[str, Layout]) -> bool:
    """Whether two layouts count the same columns at the same places."""
    if list(one) != list(other):
        return False
    for name, first in one.items():
        second = other[name]
        if isinstance(first, NumericLayout) and isinstance(second, NumericLayout):
            same = first.knots.dtype == second.knots.dtype and np.array_equal(first.knots, second.knots)
            if not same or first.limit_exponent != second.limit_exponent or first.centre != second.centre:
                return False
        elif column_kind(first) != column_kind(second):
            return False
    return True


def choose_layouts(
    columns: Mapping[str, Column], specs: Mapping[str, ColumnSpec], *, knots: int = DEFAULT_KNOTS
) -> dict[str, Layout]:
    """Layouts of the columns named by `specs`, from the reference or a sample of it.

    Raises:
        ValueError: a column of `specs` is not in the table.

    """
    absent = [name for name in specs if name not in columns]
    if absent:
        raise ValueError(f"the reference has no column {', '.join(absent)}; it has {', '.join(columns)}")
    return {name: choose_layout(columns[name], spec, knots=knots) for name, spec in specs.items()}


def count_rows(
    layout: Mapping[str, Layout], columns: Mapping[str, Column], *, fourth_moments: bool = False
) -> Profile:
    """Count a batch, or a part of one, on a layout.

    `fourth_moments` is for references: the variance of a correlation needs them once, not every day.
    """
    lengths = {column_length(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns differ in length: {sorted(lengths)} rows; pass columns of one table")
    rows = lengths.pop() if lengths else 0
    complete = all(name in columns for name in layout)
    parts = [
        _count_chunk(layout, columns, start, min(start + CHUNK_ROWS, rows), complete, fourth_moments)
        for start in range(0, rows, CHUNK_ROWS)
    ]
    new = tuple(sorted(name for name in columns if name not in layout))
    start_profile = empty_profile(layout, columns, fourth_moments=fourth_moments)
    merged = reduce(Profile.merge, parts, start_profile)
    return Profile(merged.layout, merged.counts, merged.rows, merged.joint, new)


def empty_profile(
    layout: Mapping[str, Layout], names: Iterable[str], *, fourth_moments: bool = False
) -> Profile:
    """Profile of no rows of a table that has the columns `names`."""
    present = set(names)
    counts: dict[str, Counts] = {
        name: empty_counts(place) if isinstance(place, NumericLayout) else LevelCounts()
        for name, place in layout.items()
        if name in present
    }
    joint = empty_moments(list(layout), fourth=fourth_moments) if len(counts) == len(layout) else None
    return Profile(layout, counts, 0, joint)


def build_profile(
    columns: Mapping[str, Column], specs: Mapping[str, ColumnSpec], *, knots: int = DEFAULT_KNOTS
) -> Profile:
    """Profile of a reference held in memory: choose the layout from all of it, then count it."""
    chosen = {name: columns[name] for name in specs if name in columns}
    return count_rows(choose_layouts(columns, specs, knots=knots), chosen, fourth_moments=True)


def _merge_counts(name: str, one: Counts, other: Counts) -> Counts:
    if isinstance(one, NumericCounts) and isinstance(other, NumericCounts):
        return one.merge(other)
    if isinstance(one, LevelCounts) and isinstance(other, LevelCounts):
        return one.merge(other)
    raise ValueError(f"column {name} is numeric in one profile and categorical in the other")


def _count_chunk(
    layout: Mapping[str, Layout],
    columns: Mapping[str, Column],
    start: int,
    stop: int,
    complete: bool,
    fourth: bool,
) -> Profile:
    counts: dict[str, Counts] = {}
    rows = stop - start
    scores = score_rows(len(layout), rows) if complete else None
    for place, (name, column_layout) in enumerate(layout.items()):
        if name in columns:
            part = slice_column(columns[name], start, stop)
            column_scores = None if scores is None else scores[place, :rows]
            counts[name] = _count_column(column_layout, part, column_scores)
    joint = None if scores is None else sum_products(list(layout), scores, rows, fourth=fourth)
    return Profile(layout, counts, rows, joint)


def _count_column(layout: Layout, part: Column, scores: npt.NDArray[np.float32] | None) -> Counts:
    if isinstance(layout, NumericLayout):
        return count_numbers(layout, read_numbers(part), scores=scores)
    codes, levels = read_levels(part)
    if scores is not None:
        known = [*(layout.level_scores.get(level, 0) for level in levels), 0]
        score_levels(codes, np.array(known, dtype=np.float32), scores)
    return count_levels(codes, levels)
