"""One day in a few numbers that add up: what the sequential rule needs of a batch.

Every number is a mean or a count of a function of a row that the reference fixes, so days are pooled by
addition and contrasts of any days with any others, or with the reference, have known variances.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri  # type: ignore[import-untyped]

from include.drift_statistics.drift_report import Verdict
from include.drift_statistics.joint_drift import LARGEST_CORRELATION, correlations
from include.drift_statistics.joint_moments import JointMoments
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Counts, Profile

# Narrow groups of about 1 % of the reference show a pile of rows at one value, which wide ones dilute.
NARROW_GROUPS = 100
WIDE_GROUPS = 10
TAIL_SHARE = 0.01
STORED_DIGITS = 9


@dataclass(frozen=True)
class ColumnEvidence:
    """One column of one day.

    `means` are mean scores over `values` rows (numeric: location and spread); `groups` are row counts of
    narrow groups of values, or of levels, the last one for levels the reference never had; `shares` are row
    counts of named regions among `values` rows, except "missing", which is among all rows.
    """

    rows: int
    values: int
    means: tuple[float, ...]
    groups: tuple[int, ...]
    shares: Mapping[str, int]

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "rows": self.rows,
            "values": self.values,
            "means": list(self.means),
            "groups": list(self.groups),
            "shares": dict(self.shares),
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "ColumnEvidence":
        """Inverse of `to_mapping`."""
        return cls(
            int(mapping["rows"]),
            int(mapping["values"]),
            tuple(float(value) for value in mapping["means"]),
            tuple(int(value) for value in mapping["groups"]),
            {str(name): int(value) for name, value in mapping["shares"].items()},
        )


@dataclass(frozen=True)
class DayEvidence:
    """One batch: its date (ISO), the verdict of its report, and the evidence of its columns and pairs."""

    date: str
    verdict: Verdict
    rows: int
    columns: Mapping[str, ColumnEvidence] = field(default_factory=dict)
    pairs: tuple[float, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the day takes part in contrasts: broken and too small batches do not."""
        return self.verdict in {"no_drift", "drift"} and bool(self.columns)

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {
            "date": self.date,
            "verdict": self.verdict,
            "rows": self.rows,
            "columns": {name: column.to_mapping() for name, column in self.columns.items()},
            "pairs": list(self.pairs),
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "DayEvidence":
        """Inverse of `to_mapping`."""
        columns = {name: ColumnEvidence.from_mapping(value) for name, value in mapping["columns"].items()}
        pairs = tuple(float(value) for value in mapping["pairs"])
        return cls(str(mapping["date"]), mapping["verdict"], int(mapping["rows"]), columns, pairs)


@dataclass(frozen=True, eq=False)
class NumericScores:
    """Per cell of a numeric column: normal score, its square, narrow group; where the tails begin.

    `decile` is that of each narrow group. Groups that hold no cell are left out: few values, few groups.
    """

    location: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    group: npt.NDArray[np.int64]
    decile: npt.NDArray[np.int64]
    lower_end: int
    upper_start: int


@lru_cache(maxsize=256)  # counts are frozen and hashed by identity; a year of days asks for the same few
def numeric_scores_of_cells(reference: NumericCounts) -> NumericScores:
    """Scores of the reference's mid-ranks, standardised to mean 0 and variance 1 on the reference."""
    cells = reference.cells
    total = int(cells.sum())
    running = np.cumsum(cells)
    u = np.clip((running - cells / 2) / total, 0.5 / (total + 1), 1 - 0.5 / (total + 1))
    normal = ndtri(u)
    location = normal - (normal * cells).sum() / total
    spread = location * location
    narrow = np.minimum((u * NARROW_GROUPS).astype(np.int64), NARROW_GROUPS - 1)
    used, group = np.unique(narrow, return_inverse=True)
    lower_end = int(np.searchsorted(running, TAIL_SHARE * total, side="right"))
    above = total - running
    upper_start = int(np.argmax(above <= TAIL_SHARE * total)) + 1
    decile = used * WIDE_GROUPS // NARROW_GROUPS
    return NumericScores(location, spread, group, decile, lower_end, upper_start)


def column_evidence(reference: Counts, current: Counts) -> ColumnEvidence:
    """Evidence of one column on the reference's scores."""
    missing = {"missing": current.rows - current.values}
    if isinstance(reference, LevelCounts) and isinstance(current, LevelCounts):
        known = [current.levels.get(name, 0) for name in reference.levels]
        unseen = current.values - sum(known)
        return ColumnEvidence(
            current.rows, current.values, (), (*known, unseen), {**missing, "unseen": unseen}
        )
    if not isinstance(reference, NumericCounts) or not isinstance(current, NumericCounts):
        raise TypeError("reference and current are of different kinds")
    if reference.values == 0 or current.values == 0:
        empty = {**missing, "lower tail": 0, "upper tail": 0}
        groups = len(numeric_scores_of_cells(reference).decile) if reference.values else 1
        return ColumnEvidence(current.rows, 0, (0.0, 0.0), (0,) * groups, empty)
    scores = numeric_scores_of_cells(reference)
    cells = current.cells
    means = tuple(
        round(float((cells * score).sum()) / current.values, STORED_DIGITS)
        for score in (scores.location, scores.spread)
    )
    counted = np.bincount(scores.group, weights=cells, minlength=len(scores.decile)).astype(np.int64)
    shares = {
        **missing,
        "lower tail": int(cells[: scores.lower_end].sum()),
        "upper tail": int(cells[scores.upper_start :].sum()),
    }
    return ColumnEvidence(current.rows, current.values, means, tuple(counted.tolist()), shares)


def pair_evidence(joint: JointMoments | None) -> tuple[float, ...]:
    """Fisher-transformed correlations of every pair; 0 where a column does not vary or rows are too few."""
    if joint is None or joint.rows < 4:
        return ()
    matrix = np.clip(np.nan_to_num(correlations(joint)), -LARGEST_CORRELATION, LARGEST_CORRELATION)
    upper = np.arctanh(matrix[np.triu_indices(len(joint.names), 1)])
    return tuple(round(float(value), STORED_DIGITS) for value in upper)


def day_evidence(reference: Profile, current: Profile, date: str, verdict: Verdict) -> DayEvidence:
    """Evidence of one batch; `date` is ISO (2026-11-24) so that dates sort as text."""
    complete = all(name in current.counts for name in reference.layout)
    if not complete:
        return DayEvidence(date, verdict, current.rows)
    columns = {
        name: column_evidence(reference.counts[name], current.counts[name]) for name in reference.layout
    }
    return DayEvidence(date, verdict, current.rows, columns, pair_evidence(current.joint))
