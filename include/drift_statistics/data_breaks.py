"""Broken data, as opposed to changed customers: what must not be retrained on."""

import math

import numpy as np
import numpy.typing as npt

from include.drift_statistics.categorical_comparison import union_table, unseen_and_vanished
from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.contingency import contingency_test
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.exact_counts import share_test
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Counts
from include.drift_statistics.value_ranges import rows_outside

SURE = 1e-6  # a break needs more than a daily alpha: it stops retraining
FROZEN_LOG_PROBABILITY = math.log(1e-9)
SWAPPED_TOTAL_VARIATION = 0.1
LARGEST_CODED = 20


def find_breaks(
    layout: NumericLayout | None,
    reference: Counts,
    current: Counts,
    rule: DriftRule,
    *,
    of_model: bool = False,
) -> list[str]:
    """Reasons why a column is broken, one sentence each; empty when it is not.

    `of_model`: the column is what a model says. A model may say one thing of everybody, or what it never said
    before: that is drift. Broken are only answers that are missing, no number, or outside the valid range.
    """
    reasons = _missing_break(reference, current, rule)
    if isinstance(reference, NumericCounts) and isinstance(current, NumericCounts) and layout is not None:
        reasons += _impossible_values(layout, reference, current, rule)
        if not of_model:
            reasons += _foreign_values(layout, reference, current, rule)
    elif isinstance(reference, LevelCounts) and isinstance(current, LevelCounts) and not of_model:
        reasons += _level_breaks(reference, current, rule)
    return reasons


def _missing_break(reference: Counts, current: Counts, rule: DriftRule) -> list[str]:
    if current.rows == 0 or reference.rows == 0:
        return []
    if current.values == 0:
        p_value, _ = share_test(current.rows, current.rows, reference.rows - reference.values, reference.rows)
        is_sure = reference.values > 0 and p_value < SURE
        return [f"all {current.rows:,} values are missing or unreadable"] if is_sure else []
    before, now = reference.missing / reference.rows, current.missing / current.rows
    p_value, _ = share_test(current.missing, current.rows, reference.missing, reference.rows)
    if now - before >= rule.break_missing and p_value < SURE:
        return [f"{now:.1%} of the values are missing, {before:.1%} in the reference"]
    return []


def _impossible_values(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts, rule: DriftRule
) -> list[str]:
    """What no value of the column can be."""
    reasons = _grown(
        "are text, not numbers", (reference.unreadable, current.unreadable), reference, current,
        rule.break_unreadable,
    )  # fmt: skip
    infinite = (reference.infinite, current.infinite)
    reasons += _grown("are infinite", infinite, reference, current, rule.break_range)
    invalid = (_invalid(layout, reference), _invalid(layout, current))
    return reasons + _grown("lie outside the valid range", invalid, reference, current, rule.break_range)


def _grown(
    text: str, rows: tuple[int, int], reference: NumericCounts, current: NumericCounts, limit: float
) -> list[str]:
    """Say that a share of the rows grew by `limit` or more, when that is sure."""
    before, now = rows
    share = now / max(current.rows, 1)
    p_value, _ = share_test(now, current.rows, before, reference.rows)
    if now > 0 and share - before / max(reference.rows, 1) >= limit and p_value < SURE:
        return [f"{share:.1%} of the values {text}"]
    return []


def _foreign_values(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts, rule: DriftRule
) -> list[str]:
    """What a feed delivers only when something in it changed: another unit, one value, other codes."""
    far = "lie ten whole ranges away from the reference: another unit, or a filler value"
    before, now = (
        sum(rows_outside(layout, side, layout.guard_low, layout.guard_high)) for side in (reference, current)
    )
    reasons = _grown(far, (before, now), reference, current, rule.break_range)
    if (
        current.minimum is not None
        and current.minimum == current.maximum
        and current.values == current.finite
        and reference.minimum != reference.maximum
    ):
        place = 2 * int(np.searchsorted(layout.knots, current.minimum)) + 2
        hits = int(reference.cells[place]) if _is_knot(layout, current.minimum) else 0
        reasons += _frozen(str(current.minimum), hits, reference.values, current.values)
    codes = _coded_values(reference, current)
    return reasons + (_swapped(*codes) if codes is not None else [])


def _is_knot(layout: NumericLayout, value: float) -> bool:
    place = int(np.searchsorted(layout.knots, value))
    return place < len(layout.knots) and bool(layout.knots[place] == value)


def _invalid(layout: NumericLayout, counts: NumericCounts) -> int:
    low, high = layout.valid_minimum, layout.valid_maximum
    if layout.is_integer:
        low = None if low is None else math.ceil(low)
        high = None if high is None else math.floor(high)
    return sum(rows_outside(layout, counts, low, high))


def _frozen(value: str, hits: int, reference_rows: int, rows: int) -> list[str]:
    """One value throughout, where the reference would give that with a chance below one in a billion."""
    share = (hits + 1) / (reference_rows + 1)
    if rows * math.log(min(share, 1.0)) > FROZEN_LOG_PROBABILITY:
        return []
    return [f"the column is frozen: every value is {value}"]


def _level_breaks(reference: LevelCounts, current: LevelCounts, rule: DriftRule) -> list[str]:
    if current.values == 0 or reference.values == 0:
        return []
    reasons: list[str] = []
    unseen, vanished = unseen_and_vanished(reference, current)
    rows = sum(count for _, count in unseen)
    p_value, _ = share_test(rows, current.values, 0, reference.values)
    if rows / current.values >= rule.break_unseen and p_value < SURE:
        names = ", ".join(name for name, _ in unseen[:3])
        reasons.append(
            f"{rows / current.values:.1%} of the rows hold levels the reference never had: {names}"
        )
    if len(current.levels) == 1 and len(reference.levels) > 1:
        only = next(iter(current.levels))
        reasons += _frozen(only, reference.levels.get(only, 0), reference.values, current.values)
    if not unseen and not vanished and not reasons:
        reasons += _swapped(*union_table(reference, current))
    return reasons


def _coded_values(
    reference: NumericCounts, current: NumericCounts
) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Counts per value of a numeric column that is a code: few values, the same on both sides."""
    used = np.flatnonzero(reference.cells)
    if len(used) < 2 or len(used) > LARGEST_CODED or bool((used % 2 == 1).any()):
        return None
    if not np.array_equal(used, np.flatnonzero(current.cells)):
        return None
    return [str(cell) for cell in used], reference.cells[used], current.cells[used]


def _swapped(names: list[str], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> list[str]:
    """The same shares under other names: sorted, both sides agree; by name, they differ widely."""
    if len(names) < 2 or len(names) > LARGEST_CODED:
        return []
    p, q = first / first.sum(), second / second.sum()
    if np.abs(p - q).sum() / 2 < SWAPPED_TOTAL_VARIATION or contingency_test(first, second).p_value > SURE:
        return []
    by_size = contingency_test(np.sort(first), np.sort(second))
    if by_size.p_value < 0.05:
        return []
    return ["the codes look swapped: the shares are those of the reference under other names"]
