"""Exact counts of the levels of a categorical column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.row_buffers import BUFFERS

FEW_LEVELS = 6  # so few are counted by comparing, which is faster than tallying


@dataclass(frozen=True)
class LevelCounts:
    """Rows per level, and rows without one."""

    levels: Mapping[str, int] = field(default_factory=dict)
    missing: int = 0

    @property
    def values(self) -> int:
        """Rows that hold a level."""
        return sum(self.levels.values())

    @property
    def rows(self) -> int:
        """All rows."""
        return self.values + self.missing

    def merge(self, other: "LevelCounts") -> "LevelCounts":
        """Counts of both parts, in alphabetical order so that merging commutes."""
        missing = self.missing + other.missing
        if list(self.levels) == list(other.levels):  # parts of one table nearly always agree
            pairs = zip(self.levels.items(), other.levels.values(), strict=True)
            return LevelCounts({name: one + two for (name, one), two in sorted(pairs)}, missing)
        names = sorted(set(self.levels) | set(other.levels))
        levels = {name: self.levels.get(name, 0) + other.levels.get(name, 0) for name in names}
        return LevelCounts(levels, missing)


def count_levels(codes: npt.NDArray[np.integer[Any]], levels: tuple[str, ...]) -> LevelCounts:
    """Count codes (-1: missing) into levels."""
    if len(levels) <= FEW_LEVELS:
        same = BUFFERS.rows("same level", len(codes), np.bool_)
        counts = [int(np.count_nonzero(np.equal(codes, code, out=same))) for code in range(-1, len(levels))]
    else:
        places = BUFFERS.rows("places", len(codes), np.intp)
        np.add(codes, 1, out=places)
        counts = np.bincount(places, minlength=len(levels) + 1).tolist()
    if len(counts) != len(levels) + 1 or sum(counts) != len(codes):
        raise ValueError(f"codes lie outside -1 to {len(levels) - 1}")
    pairs = sorted(zip(levels, counts[1:], strict=True))
    return LevelCounts({name: count for name, count in pairs if count > 0}, counts[0])


def score_levels(
    codes: npt.NDArray[np.integer[Any]], known: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]
) -> None:
    """Write the score of each code into `scores`; `known` holds one per level and, last, that of -1."""
    places = BUFFERS.rows("places", len(codes), np.intp)
    np.copyto(places, codes)
    known.take(places, out=scores, mode="wrap")
