"""Days laid out as arrays, so that any run of days is contrasted with all days before it by subtraction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from include.drift_statistics.daily_evidence import (
    ColumnEvidence,
    DayEvidence,
    column_evidence,
    numeric_scores_of_cells,
    pair_evidence,
)
from include.drift_statistics.joint_drift import fisher_variance
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Profile

FloatArray = npt.NDArray[np.float64]

# Parts of a column's yearly budget of false alerts.
NUMERIC_WEIGHTS = {
    "location": 0.40,
    "spread": 0.20,
    "groups": 0.15,
    "lower tail": 0.075,
    "upper tail": 0.075,
    "missing": 0.10,
}
LEVEL_WEIGHTS = {"groups": 0.80, "unseen": 0.10, "missing": 0.10}


@dataclass(frozen=True)
class Stream:
    """One statistic followed over days: of a column, or of a pair (column is then "a, b")."""

    column: str
    statistic: str
    weight: float
    floor_name: str


@dataclass(frozen=True, eq=False)
class MeanStreams:
    """Weighted means: weights and weighted values per day, the reference's, and variances per row."""

    streams: tuple[Stream, ...]
    reference_weight: FloatArray
    reference_mean: FloatArray
    variance: FloatArray
    weights: FloatArray
    values: FloatArray


@dataclass(frozen=True, eq=False)
class ShareStreams:
    """Hits among rows per day and in the reference."""

    streams: tuple[Stream, ...]
    reference_hits: FloatArray
    reference_rows: FloatArray
    hits: FloatArray
    rows: FloatArray


@dataclass(frozen=True, eq=False)
class GroupStream:
    """Counts of the groups of one column per day and in the reference."""

    stream: Stream
    reference: FloatArray
    counts: FloatArray


@dataclass(frozen=True, eq=False)
class Evidence:
    """All streams of a run of days, in the order of the days."""

    means: MeanStreams
    shares: ShareStreams
    groups: tuple[GroupStream, ...]

    def take(self, places: Sequence[int]) -> "Evidence":
        """Evidence of some of the days, in the given order."""
        chosen = list(places)
        return Evidence(
            replace(self.means, weights=self.means.weights[chosen], values=self.means.values[chosen]),
            replace(self.shares, hits=self.shares.hits[chosen], rows=self.shares.rows[chosen]),
            tuple(replace(group, counts=group.counts[chosen]) for group in self.groups),
        )


def lay_out(reference: Profile, days: Sequence[DayEvidence]) -> Evidence:
    """Arrange days (each with evidence) against the reference."""
    own = {name: column_evidence(counts, counts) for name, counts in reference.counts.items()}
    return Evidence(
        _means(reference, own, days),
        _shares(own, days),
        tuple(_group(name, reference_column, days) for name, reference_column in own.items()),
    )


def _weights_of(column: ColumnEvidence) -> dict[str, float]:
    return NUMERIC_WEIGHTS if column.means else LEVEL_WEIGHTS


def _means(reference: Profile, own: dict[str, ColumnEvidence], days: Sequence[DayEvidence]) -> MeanStreams:
    streams: list[Stream] = []
    start: list[tuple[float, float, float]] = []
    for name, column in own.items():
        counts = reference.counts[name]
        if not column.means or not isinstance(counts, NumericCounts) or counts.values == 0:
            continue
        scores = numeric_scores_of_cells(counts)
        for place, (statistic, score) in enumerate(
            (("location", scores.location), ("spread", scores.spread))
        ):
            mean = column.means[place]
            variance = float((counts.cells * (score - mean) ** 2).sum()) / counts.values
            if variance > 1e-9:
                streams.append(Stream(name, statistic, NUMERIC_WEIGHTS[statistic], statistic))
                start.append((column.values, mean, variance))
    single = len(streams)
    pairs = pair_evidence(reference.joint) if reference.joint is not None else ()
    if reference.joint is not None and reference.joint.squares is not None and pairs:
        names = reference.joint.names
        variances = fisher_variance(reference.joint)
        for first, second, mean in zip(*np.triu_indices(len(names), 1), pairs, strict=True):
            streams.append(
                Stream(f"{names[first]}, {names[second]}", "correlation", 1 / len(pairs), "correlation")
            )
            start.append((reference.joint.rows, mean, float(variances[first, second])))
    values, weights = np.zeros((len(days), len(streams))), np.zeros((len(days), len(streams)))
    places = {"location": 0, "spread": 1}
    for row, day in enumerate(days):
        for position, stream in enumerate(streams[:single]):
            column = day.columns[stream.column]
            values[row, position] = column.means[places[stream.statistic]]
            weights[row, position] = column.values
        if len(day.pairs) == len(streams) - single:
            values[row, single:] = day.pairs
            weights[row, single:] = day.rows
    table = np.array(start).reshape(len(streams), 3)
    return MeanStreams(tuple(streams), table[:, 0], table[:, 1], table[:, 2], weights, values * weights)


def _shares(own: dict[str, ColumnEvidence], days: Sequence[DayEvidence]) -> ShareStreams:
    streams = tuple(
        Stream(name, share, _weights_of(column)[share], "missing" if share == "missing" else "share")
        for name, column in own.items()
        for share in column.shares
    )

    def rows(column: ColumnEvidence, share: str) -> int:
        return column.rows if share == "missing" else column.values

    return ShareStreams(
        streams,
        np.array([own[stream.column].shares[stream.statistic] for stream in streams], dtype=np.float64),
        np.array([rows(own[stream.column], stream.statistic) for stream in streams], dtype=np.float64),
        np.array(
            [[day.columns[stream.column].shares[stream.statistic] for stream in streams] for day in days],
            dtype=np.float64,
        ).reshape(len(days), len(streams)),
        np.array(
            [[rows(day.columns[stream.column], stream.statistic) for stream in streams] for day in days],
            dtype=np.float64,
        ).reshape(len(days), len(streams)),
    )


def _group(name: str, own: ColumnEvidence, days: Sequence[DayEvidence]) -> GroupStream:
    stream = Stream(name, "groups", _weights_of(own)["groups"], "groups")
    counts = np.array([day.columns[name].groups for day in days], dtype=np.float64)
    return GroupStream(
        stream, np.array(own.groups, dtype=np.float64), counts.reshape(len(days), len(own.groups))
    )
