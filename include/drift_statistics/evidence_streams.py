"""Days laid out as rows of one array of sums, so that any run of days is contrasted by subtraction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from include.drift_statistics.profiles import Counts, Profile

FloatArray = npt.NDArray[np.float64]

# Parts of a column's yearly budget of false alerts; that of "one value" is split over its narrow groups.
NUMERIC_WEIGHTS = {
    "location": 0.40,
    "spread": 0.175,
    "groups": 0.10,
    "narrow groups": 0.025,
    "lower tail": 0.075,
    "upper tail": 0.075,
    "one value": 0.05,
    "missing": 0.10,
}
LEVEL_WEIGHTS = {"groups": 0.80, "unseen": 0.10, "missing": 0.10}


@dataclass(frozen=True)
class Stream:
    """One statistic followed over days: of a column, or of a pair (column is then "a, b").

    `cell` tells apart the streams of one statistic: the narrow group of "one value".
    """

    column: str
    statistic: str
    weight: float
    floor_name: str
    cell: int = 0


@dataclass(frozen=True, eq=False)
class MeanStreams:
    """Weighted means: the reference's weight and mean, and the variance per row."""

    streams: tuple[Stream, ...]
    reference_weight: FloatArray
    reference_mean: FloatArray
    variance: FloatArray


@dataclass(frozen=True, eq=False)
class ShareStreams:
    """Hits among rows: those of the reference."""

    streams: tuple[Stream, ...]
    reference_hits: FloatArray
    reference_rows: FloatArray


@dataclass(frozen=True, eq=False)
class GroupStream:
    """Counts of the groups of one column in the reference."""

    stream: Stream
    reference: FloatArray


@dataclass(frozen=True, eq=False)
class Evidence:
    """All streams and, in `days`, one row of sums per day: (days, width).

    A row holds the weights of the means, their weighted values, hits, rows of hits, and counts of groups. The
    sums of several days are the sum of their rows, which `means_of`, `shares_of` and `groups_of` take apart.
    """

    means: MeanStreams
    shares: ShareStreams
    groups: tuple[GroupStream, ...]
    days: FloatArray

    def means_of(self, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights and weighted values of sums (..., width)."""
        count = len(self.means.streams)
        return sums[..., :count], sums[..., count : 2 * count]

    def shares_of(self, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Hits and rows of sums (..., width)."""
        start, count = 2 * len(self.means.streams), len(self.shares.streams)
        return sums[..., start : start + count], sums[..., start + count : start + 2 * count]

    def groups_of(self, sums: FloatArray) -> list[FloatArray]:
        """Counts of each group stream of sums (..., width)."""
        start = 2 * (len(self.means.streams) + len(self.shares.streams))
        found = []
        for group in self.groups:
            found.append(sums[..., start : start + len(group.reference)])
            start += len(group.reference)
        return found


class RunningDays:
    """Sums over the days that take part, so that a run of days is a difference of two rows."""

    def __init__(self, evidence: Evidence) -> None:
        """Begin without a day."""
        self._evidence = evidence
        self._sums = np.zeros((len(evidence.days) + 1, evidence.days.shape[1]))
        self._places: list[int] = []

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: int) -> int:
        """Place in the evidence of the day at a position."""
        return self._places[position]

    def add(self, place: int) -> None:
        """Take in the next day, by its place in the evidence."""
        count = len(self._places)
        self._sums[count + 1] = self._sums[count] + self._evidence.days[place]
        self._places.append(place)

    def leave_out(self, start: int, end: int) -> None:
        """Forget the days from one position up to before another."""
        later = self._places[end:]
        del self._places[start:]
        for place in later:
            self.add(place)

    def between(self, start: int, end: int) -> FloatArray:
        """Sums over the positions from start up to before end."""
        return np.asarray(self._sums[end] - self._sums[start])

    def split(self, spans: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Sums over the last days of every span, and over all days before them: (spans, width) each."""
        before = self._sums[len(self) - spans]
        return self._sums[len(self)] - before, before


def lay_out(reference: Profile, days: Sequence[DayEvidence]) -> Evidence:
    """Arrange days (each with evidence) against the reference."""
    own = {name: column_evidence(counts, counts) for name, counts in reference.counts.items()}
    single, means = _mean_streams(reference, own)
    shares = _share_streams(own)
    groupings = [
        grouping
        for name, column in own.items()
        for grouping in _groupings(name, reference.counts[name], column)
    ]
    groups = tuple(
        GroupStream(stream, _add_up(own[stream.column].groups, place)) for stream, place in groupings
    )
    rows = [
        np.concatenate(
            [
                *_mean_sums(day, means.streams, single),
                *_share_sums(day.columns, shares.streams),
                *(_add_up(day.columns[stream.column].groups, place) for stream, place in groupings),
            ]
        )
        for day in days
    ]
    width = 2 * (len(means.streams) + len(shares.streams)) + sum(len(group.reference) for group in groups)
    return Evidence(means, shares, groups, np.array(rows, dtype=np.float64).reshape(len(days), width))


def _weights_of(column: ColumnEvidence) -> dict[str, float]:
    return NUMERIC_WEIGHTS if column.means else LEVEL_WEIGHTS


def _groupings(
    name: str, counts: Counts, column: ColumnEvidence
) -> list[tuple[Stream, npt.NDArray[np.int64]]]:
    """Streams of groups of a column, with the group of each narrow group (or level) that a day counts.

    Wide groups show smooth changes soonest, narrow ones what only moves rows to neighbouring values.
    """
    weights, as_counted = _weights_of(column), np.arange(len(column.groups))
    if not isinstance(counts, NumericCounts) or counts.values == 0:
        return [(Stream(name, "groups", weights["groups"], "groups"), as_counted)]
    decile = numeric_scores_of_cells(counts).decile
    wide = (Stream(name, "groups", weights["groups"], "groups"), decile)
    if len(np.unique(decile)) == len(decile):
        return [wide]
    return [wide, (Stream(name, "narrow groups", weights["narrow groups"], "groups"), as_counted)]


def _add_up(counts: Sequence[int], wide: npt.NDArray[np.int64]) -> FloatArray:
    added = np.bincount(wide, weights=np.array(counts, dtype=np.float64), minlength=int(wide.max()) + 1)
    return added.astype(np.float64)


def _mean_streams(reference: Profile, own: dict[str, ColumnEvidence]) -> tuple[int, MeanStreams]:
    """Streams of means and how many of them are of single columns, which come first."""
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
    table = np.array(start).reshape(len(streams), 3)
    return single, MeanStreams(tuple(streams), table[:, 0], table[:, 1], table[:, 2])


def _mean_sums(day: DayEvidence, streams: tuple[Stream, ...], single: int) -> tuple[FloatArray, FloatArray]:
    """Weights and weighted values of one day."""
    weights, values = np.zeros(len(streams)), np.zeros(len(streams))
    places = {"location": 0, "spread": 1}
    for position, stream in enumerate(streams[:single]):
        column = day.columns[stream.column]
        values[position] = column.means[places[stream.statistic]]
        weights[position] = column.values
    if len(day.pairs) == len(streams) - single:
        values[single:] = day.pairs
        weights[single:] = day.rows
    return weights, values * weights


def _share_streams(own: dict[str, ColumnEvidence]) -> ShareStreams:
    streams: list[Stream] = []
    for name, column in own.items():
        weights = _weights_of(column)
        streams += [
            Stream(name, share, weights[share], "missing" if share == "missing" else "share")
            for share in column.shares
        ]
        if "one value" in weights:
            cells = len(column.groups)
            streams += [
                Stream(name, "one value", weights["one value"] / cells, "share", cell)
                for cell in range(cells)
            ]
    hits, rows = _share_sums(own, tuple(streams))
    return ShareStreams(tuple(streams), hits, rows)


def _share_sums(
    columns: Mapping[str, ColumnEvidence], streams: tuple[Stream, ...]
) -> tuple[FloatArray, FloatArray]:
    """Hits and rows of one day, or of the reference."""
    hits, rows = np.zeros(len(streams)), np.zeros(len(streams))
    for place, stream in enumerate(streams):
        column = columns[stream.column]
        is_cell = stream.statistic == "one value"
        hits[place] = column.groups[stream.cell] if is_cell else column.shares[stream.statistic]
        rows[place] = column.rows if stream.statistic == "missing" else column.values
    return hits, rows
