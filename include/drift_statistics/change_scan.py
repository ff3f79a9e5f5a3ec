"""Has anything changed up to today? Every recent run of days against the reference and all days before it.

For a run of the last m days, the baseline is the reference together with all earlier days. All of these
contrasts are functions of one random walk that starts with the reference's weight: their joint distribution
is known whatever the ratio of reference to batch: the reference's error is in the variance, not ignored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, erfc, erfcinv  # type: ignore[import-untyped]

from include.drift_statistics.contingency import contingency_test
from include.drift_statistics.evidence_streams import Evidence, FloatArray, RunningDays, Stream
from include.drift_statistics.exact_counts import share_test

LOOKBACK_DAYS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80)
# Looks that a year of 365 days and these look-backs are worth, far out in the tail: a stream crosses a two-
# sided level p at least once a year with probability LOOKS p. Simulated (benchmarks/drift/results/
# looks_per_year.md): 1,600 at p = 6e-5, 2,000 to 2,200 at 7e-6, 2,400 to 2,600 at 2e-6. It grows towards the
# 5,110 contrasts that there are; only "one value" is tested much further out.
LOOKS_PER_YEAR = 3000
JOINT_PART = 0.05  # of the yearly budget, for pairs of columns

_WORDS: Mapping[str, str] = {
    "location": "values moved by {:.2g} standard deviations",
    "spread": "the spread changed by {:.2g}",
    "groups": "{:.1%} of the rows moved elsewhere",
    "narrow groups": "{:.1%} of the rows moved to neighbouring values",
    "lower tail": "the share of low extremes changed by {:.1%}",
    "upper tail": "the share of high extremes changed by {:.1%}",
    "one value": "the share of one value or a narrow range changed by {:.1%}",
    "unseen": "unseen values make up {:.1%} more of the rows",
    "missing": "the share of missing values changed by {:.1%}",
    "correlation": "their correlation changed by {:.2g}",
}


@dataclass(frozen=True)
class Change:
    """A contrast: which stream, over how many of the last days, how sure and how large.

    `significance` is p-value / level: at most 1 alerts.
    """

    stream: Stream
    days: int
    p_value: float
    significance: float
    effect: float

    @property
    def words(self) -> str:
        """What changed and by how much, for people."""
        return _WORDS.get(self.stream.statistic, "changed by {:.3g}").format(self.effect)


def scan_last_day(
    evidence: Evidence,
    days: RunningDays,
    columns: int,
    yearly_false_alerts: float,
    floors: Mapping[str, float],
) -> list[Change]:
    """Changes that end at the last day and pass their level and floor, strongest first.

    One per column and statistic: of all its runs of days and cells the one with the smallest p-value.
    """
    spans = np.array([span for span in LOOKBACK_DAYS if span < len(days)] + [len(days)])
    budget = yearly_false_alerts / LOOKS_PER_YEAR
    parts = {True: budget * JOINT_PART, False: budget * (1 - JOINT_PART) / max(columns, 1)}

    def level(stream: Stream) -> float:
        return parts[stream.statistic == "correlation"] * stream.weight

    recent, earlier = days.split(spans)
    found: dict[tuple[str, str], Change] = {}
    for stream, row, p_value, effect in _contrasts(evidence, recent, earlier, level):
        limit = level(stream)
        if p_value > limit or effect < floors[stream.floor_name]:
            continue
        change = Change(stream, int(spans[row]), p_value, p_value / limit, effect)
        known = found.get((stream.column, stream.statistic))
        if known is None or p_value < known.p_value:
            found[stream.column, stream.statistic] = change
    return sorted(found.values(), key=lambda change: change.significance)


Contrast = tuple[Stream, int, float, float]
Level = Callable[[Stream], float]


def _contrasts(evidence: Evidence, recent: FloatArray, earlier: FloatArray, level: Level) -> list[Contrast]:
    """Stream, row of the span, p-value and effect of what passes the screen; sums are (spans, width)."""
    return [
        *_mean_contrasts(evidence, recent, earlier, level),
        *_share_contrasts(evidence, recent, earlier, level),
        *_group_contrasts(evidence, recent, earlier, level),
    ]


def _screened(z: FloatArray, levels: FloatArray) -> list[tuple[int, int]]:
    """Rows and streams whose normal p-value is at most the square root of the level.

    Exact tails are heavier or lighter than normal ones, but never by that much; what passes is tested
    exactly. The lightest: no hit where 20 were expected has p = 4e-9 and z = 4.5, the screen stands at 4.0.
    """
    limits = np.sqrt(2) * erfcinv(np.sqrt(levels))
    return [(int(row), int(place)) for row, place in np.argwhere(np.abs(np.nan_to_num(z)) > limits)]


def _mean_contrasts(
    evidence: Evidence, recent: FloatArray, earlier: FloatArray, level: Level
) -> list[Contrast]:
    means = evidence.means
    (weight, total), (earlier_weight, earlier_total) = evidence.means_of(recent), evidence.means_of(earlier)
    base_weight = means.reference_weight + earlier_weight
    base = (means.reference_weight * means.reference_mean + earlier_total) / base_weight
    with np.errstate(divide="ignore", invalid="ignore"):  # days without a value are screened out below
        difference = np.where(weight > 0, total / weight - base, 0.0)
        z = difference / np.sqrt(means.variance * (1 / weight + 1 / base_weight))
    levels = np.array([level(stream) for stream in means.streams])
    return [
        (
            means.streams[place],
            row,
            float(erfc(abs(z[row, place]) / np.sqrt(2))),
            abs(float(difference[row, place])),
        )
        for row, place in _screened(z, levels)
    ]


def _share_contrasts(
    evidence: Evidence, recent: FloatArray, earlier: FloatArray, level: Level
) -> list[Contrast]:
    shares = evidence.shares
    (hits, rows), (earlier_hits, earlier_rows) = evidence.shares_of(recent), evidence.shares_of(earlier)
    base_hits, base_rows = shares.reference_hits + earlier_hits, shares.reference_rows + earlier_rows
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = hits / rows - base_hits / base_rows
        pooled = (hits + base_hits) / (rows + base_rows)
        z = difference / np.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / base_rows))
    levels = np.array([level(stream) for stream in shares.streams])
    found: list[Contrast] = []
    for row, place in _screened(z, levels):
        p_value, _ = share_test(
            int(hits[row, place]),
            int(rows[row, place]),
            int(base_hits[row, place]),
            int(base_rows[row, place]),
        )
        found.append((shares.streams[place], row, p_value, abs(float(difference[row, place]))))
    return found


def _group_contrasts(
    evidence: Evidence, recent: FloatArray, earlier: FloatArray, level: Level
) -> list[Contrast]:
    found: list[Contrast] = []
    counts = zip(evidence.groups, evidence.groups_of(recent), evidence.groups_of(earlier), strict=True)
    for group, now, before in counts:
        base = group.reference + before
        rows, base_rows = now.sum(axis=1), base.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            p, q = now / rows[:, None], base / base_rows[:, None]
            pooled = (now + base) / (rows + base_rows)[:, None]
            statistic = np.where(pooled > 0, (p - q) ** 2 / pooled, 0.0).sum(axis=1) / (
                1 / rows + 1 / base_rows
            )
        normal = chdtrc(max(now.shape[1] - 1, 1), np.nan_to_num(statistic))
        for row in np.flatnonzero(normal < np.sqrt(level(group.stream))):
            first, second = base[row].astype(np.int64), now[row].astype(np.int64)
            p_value = contingency_test(first, second).pooled_p_value
            effect = float(np.abs(p[row] - q[row]).sum() / 2)
            found.append((group.stream, int(row), p_value, effect))
    return found
