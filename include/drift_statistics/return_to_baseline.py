"""When an open alert is over: evidence for the baseline, not the mere loss of evidence against it.

A change that is still there but hard to see on a few days must not close its alert, only to open it again.
So the last days must have changed once more: they differ from the level that alerted, surely, and lie nearer
the baseline than that level. While the change persists, that is a false alarm of a test between the last days
and the alerted ones, far below a day's level (at z = 4 a year of looks crosses by chance with probability .1,
benchmarks/drift/results/looks_per_year.md), and it has to reach half way back besides. An alert opens at
about five standard errors of baseline and alerted level together, so enough quiet days always reach four,
however small the reference: its error is not in this test.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from include.drift_statistics.change_scan import LOOKBACK_DAYS
from include.drift_statistics.evidence_streams import Evidence, FloatArray, RunningDays, Stream

RETURN_Z = 4.0
SMALLEST_WINDOW = 5
WINDOWS = (*range(1, 29), *(span for span in LOOKBACK_DAYS if span > 28))
# A change of another size or kind may still be there: its window must not differ this surely, and by a floor.
LEFT_OVER_P_VALUE = 0.003


@dataclass(frozen=True)
class Level:
    """A mean and the variance of its error."""

    mean: float
    variance: float


@dataclass(frozen=True)
class Levels:
    """Levels of the last days, of the baseline, and of the days of the alert before the last ones."""

    recent: Level
    baseline: Level
    alerted: Level

    @property
    def z(self) -> float:
        """Standard errors by which the last days have left the alerted level towards the baseline."""
        side = math.copysign(1.0, self.alerted.mean - self.baseline.mean)
        error = math.sqrt(self.recent.variance + self.alerted.variance)
        return (self.alerted.mean - self.recent.mean) * side / error if error > 0 else 0.0

    def is_back(self, floor: float) -> bool:
        """Whether the last days have surely left the alerted level, for the baseline and nothing else."""
        is_nearer = abs(self.recent.mean - self.baseline.mean) < abs(self.alerted.mean - self.recent.mean)
        if self.z < RETURN_Z or not is_nearer:
            return False
        left = abs(self.recent.mean - self.baseline.mean)
        error = math.sqrt(2 * (self.recent.variance + self.baseline.variance))
        return left < floor or error == 0 or math.erfc(left / error) >= LEFT_OVER_P_VALUE


@dataclass(frozen=True)
class OpenStream:
    """A stream that alerted: positions of the first day of its change, and behind the day that showed it."""

    stream: Stream
    start: int
    shown: int


def choose_window(found: Mapping[int, Sequence[tuple[Levels, float]]]) -> int | None:
    """Number of days since when all is back at its baseline, or None.

    `found` has for every window the levels and floor of all that is open. The return is dated first, at the
    window that shows it most surely, so that no day of the change is taken for a day of the baseline; it is
    believed from SMALLEST_WINDOW days on.
    """
    if not found:
        return None
    window = max(found, key=lambda days: sum(levels.z for levels, _ in found[days]))
    is_back = all(levels.is_back(floor) for levels, floor in found[window])
    return window if window >= SMALLEST_WINDOW and is_back else None


def windows_of(count: int, starts: Sequence[int], shown: Sequence[int]) -> list[int]:
    """Windows to look at: fixed ones, and all since the last stream alerted.

    In the latter the level that alerted is that of its first days alone, so that what was missed for long is
    found at last.
    """
    return [window for window in sorted({count - max(shown), *WINDOWS}) if 0 < window < count - max(starts)]


def quiet_window(
    evidence: Evidence, days: RunningDays, open_streams: Sequence[OpenStream], floors: Mapping[str, float]
) -> int | None:
    """Last days since when every open stream is back at its baseline; None when it is not."""
    starts, shown = ([getattr(stream, name) for stream in open_streams] for name in ("start", "shown"))
    found = {}
    for window in windows_of(len(days), starts, shown):
        levels = [(_levels(evidence, days, stream, window), stream.stream) for stream in open_streams]
        known = [(level, floors[stream.floor_name]) for level, stream in levels if level is not None]
        if len(known) == len(open_streams):
            found[window] = known
    return choose_window(found)


def _levels(evidence: Evidence, days: RunningDays, stream: OpenStream, window: int) -> Levels | None:
    """Levels of the last days, of the days before the change, and of the days from its start on."""
    end = len(days)
    sums = (
        days.between(end - window, end),
        days.between(0, stream.start),
        days.between(stream.start, end - window),
    )
    if stream.stream.floor_name == "groups":
        return _group_levels(evidence, stream.stream, sums)
    if stream.stream in evidence.means.streams:
        return _mean_levels(evidence, stream.stream, sums)
    return _share_levels(evidence, stream.stream, sums)


Sums = tuple[FloatArray, FloatArray, FloatArray]


def _mean_levels(evidence: Evidence, stream: Stream, sums: Sums) -> Levels | None:
    means = evidence.means
    place = means.streams.index(stream)
    found = []
    for which, part in enumerate(sums):
        weight, total = (float(values[place]) for values in evidence.means_of(part))
        if which == 1:
            weight += float(means.reference_weight[place])
            total += float(means.reference_weight[place] * means.reference_mean[place])
        if weight <= 0:
            return None
        found.append(Level(total / weight, float(means.variance[place]) / weight))
    return Levels(*found)


def _share_levels(evidence: Evidence, stream: Stream, sums: Sums) -> Levels | None:
    shares = evidence.shares
    place = shares.streams.index(stream)
    counted = [[float(values[place]) for values in evidence.shares_of(part)] for part in sums]
    counted[1][0] += float(shares.reference_hits[place])
    counted[1][1] += float(shares.reference_rows[place])
    if min(rows for _, rows in counted) <= 0:
        return None
    (_, base, alerted) = (hits / rows for hits, rows in counted)
    # At the midpoint: the share that the last days are held against.
    variance = (base + alerted) / 2 * (1 - (base + alerted) / 2)
    found = [Level(hits / rows, variance / rows) for hits, rows in counted]
    return Levels(*found)


def _group_levels(evidence: Evidence, stream: Stream, sums: Sums) -> Levels | None:
    """Levels along the direction of the change, in units in which a row's variance is 1.

    The direction is estimated from the same days, so squares of differences are too large by their noise:
    it is taken off the alerted level, and the baseline's part of it off the last days.
    """
    place = next(at for at, group in enumerate(evidence.groups) if group.stream == stream)
    recent, base, alerted = (evidence.groups_of(part)[place] for part in sums)
    base = base + evidence.groups[place].reference
    rows = [float(counts.sum()) for counts in (recent, base, alerted)]
    if min(rows) <= 0:
        return None
    pooled = (base + alerted) / (rows[1] + rows[2])
    used = pooled > 0
    p_base, p_alerted = base[used] / rows[1], alerted[used] / rows[2]
    direction = (p_alerted - p_base) / pooled[used]
    length = math.sqrt(float((direction * (p_alerted - p_base)).sum()))
    if length <= 0:
        return None
    moved = float((direction * (recent[used] / rows[0] - p_base)).sum()) / length
    freedom = int(np.count_nonzero(used)) - 1
    noise = [(freedom - 1) / count / length for count in rows]
    return Levels(
        recent=Level(moved - noise[1], 1 / rows[0]),
        baseline=Level(0.0, 1 / rows[1]),
        alerted=Level(max(length - noise[1] - noise[2], 0.0), 1 / rows[2]),
    )
