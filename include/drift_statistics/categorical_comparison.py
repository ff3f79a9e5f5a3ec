"""Reference against current for one categorical column: contingency test, single levels, effects."""

import numpy as np
import numpy.typing as npt

from include.drift_statistics.contingency import ContingencyResult, contingency_test
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.effect_sizes import (
    cramers_v,
    population_stability_index,
    total_variation,
)
from include.drift_statistics.exact_counts import share_test
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_comparison import Evidence, ValueComparison, combine
from include.drift_statistics.tail_and_atom_tests import SMALLEST_ATOM, atom_test

TABLE_WEIGHT = 0.9
LEVEL_WEIGHT = 0.1  # a level out of nowhere gives a tiny exact p-value: a small part of alpha is enough
NAMED_LEVELS = 3


def union_table(
    reference: LevelCounts, current: LevelCounts
) -> tuple[list[str], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Counts of both sides over the union of their levels, in alphabetical order."""
    names = sorted(set(reference.levels) | set(current.levels))
    first = np.array([reference.levels.get(name, 0) for name in names], dtype=np.int64)
    second = np.array([current.levels.get(name, 0) for name in names], dtype=np.int64)
    return names, first, second


def compare_levels(
    reference: LevelCounts, current: LevelCounts, rule: DriftRule
) -> tuple[ValueComparison, ContingencyResult]:
    """Compare the levels of a categorical column; both sides must hold at least one."""
    names, first, second = union_table(reference, current)
    table = contingency_test(first, second)
    effect = total_variation(first, second)
    level = atom_test(first, second, intervals=False)
    moved = int(np.argmax(np.abs(second / second.sum() - first / first.sum())))
    direction = (
        f"{names[moved]} {'higher' if second[moved] / second.sum() > first[moved] / first.sum() else 'lower'}"
    )
    scanned = f"{names[level.cell]} {level.direction}" if level.cell >= 0 else "same"
    evidence = (
        Evidence(
            "contingency",
            TABLE_WEIGHT,
            table.pooled_statistic,
            direction,
            table.pooled_p_value,
            "total_variation",
            effect.value,
            rule.floor_total_variation,
        ),
        Evidence(
            "one_level",
            LEVEL_WEIGHT,
            level.hits,
            scanned,
            level.p_value,
            "share_change",
            level.change,
            rule.floor_share,
        ),
        *_one_sided_levels("unseen_levels", names, first, second, rule),
        *_one_sided_levels("vanished_levels", names, second, first, rule),
    )
    effects = {
        "total_variation": effect,
        "cramers_v": cramers_v(table.statistic, table.degrees_of_freedom, int(first.sum() + second.sum())),
        "population_stability_index": population_stability_index(first, second),
    }
    summary: dict[str, float | None] = {
        "reference_levels": float((first > 0).sum()),
        "current_levels": float((second > 0).sum()),
    }
    return ValueComparison(
        combine(evidence), evidence, "total_variation", effect.value, effects, summary
    ), table


def _one_sided_levels(
    test: str,
    names: list[str],
    without: npt.NDArray[np.int64],
    having: npt.NDArray[np.int64],
    rule: DriftRule,
) -> tuple[Evidence, ...]:
    """Levels that only one side has: how many rows they make up, and how sure the largest of them is.

    A part of what the test of single levels scans, at its correction: of the levels one side lacks, the one
    with the most rows on the other has the smallest p-value.
    """
    held = np.flatnonzero((without == 0) & (having > 0))
    if len(held) == 0:
        return ()
    held = held[np.argsort(-having[held], kind="stable")]
    p_value, _ = share_test(int(having[held[0]]), int(having.sum()), 0, int(without.sum()))
    looks = max(int((without + having >= SMALLEST_ATOM).sum()), 1)
    rows = int(having[held].sum())
    told = ", ".join(names[place] for place in held[:NAMED_LEVELS])
    more = f" and {len(held) - NAMED_LEVELS:,} more" if len(held) > NAMED_LEVELS else ""
    return (
        Evidence(
            test,
            LEVEL_WEIGHT,
            rows,
            "new" if test == "unseen_levels" else "gone",
            min(1.0, p_value * looks),
            "share_of_rows",
            rows / int(having.sum()),
            rule.floor_share,
            told + more,
            combined=False,
        ),
    )


def unseen_and_vanished(
    reference: LevelCounts, current: LevelCounts
) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Levels only the current batch has, most frequent first, and levels it lost."""
    unseen = [(name, count) for name, count in current.levels.items() if name not in reference.levels]
    vanished = [name for name in reference.levels if name not in current.levels]
    return tuple(sorted(unseen, key=lambda pair: (-pair[1], pair[0]))), tuple(sorted(vanished))
