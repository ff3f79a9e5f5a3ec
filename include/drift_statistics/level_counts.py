"""Exact counts of the levels of a categorical column."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


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
        names = sorted(set(self.levels) | set(other.levels))
        return LevelCounts(
            {name: self.levels.get(name, 0) + other.levels.get(name, 0) for name in names},
            self.missing + other.missing,
        )


def count_levels(codes: npt.NDArray[np.int64], levels: tuple[str, ...]) -> LevelCounts:
    """Count codes (-1: missing) into levels."""
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)
    pairs = sorted(zip(levels, counts[1:].tolist(), strict=True))
    return LevelCounts({name: count for name, count in pairs if count > 0}, int(counts[0]))
