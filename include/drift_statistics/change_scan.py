"""Has anything changed up to today? Every recent run of days against the reference and all days before it.

For a run of the last m days, the baseline is the reference together with all earlier days. All of these
contrasts are functions of one random walk that starts with the reference's weight: their joint distribution
is known whatever the ratio of reference to batch: the reference's error is in the variance, not ignored.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, erfc  # type: ignore[import-untyped]

from include.drift_statistics.contingency import contingency_test
from include.drift_statistics.evidence_streams import (
    Evidence,
    FloatArray,
    GroupStream,
    MeanStreams,
    ShareStreams,
    Stream,
)
from include.drift_statistics.exact_counts import share_test

LOOKBACK_DAYS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80)
# Looks that a year of 365 days and these look-backs are worth, far out in the tail: a stream crosses a two-
# sided level p at least once a year with probability LOOKS p. Simulated: 1,600 at p = 6e-5, 2,000 to 2,600
# near 1e-6, the same for a reference of one batch and of eight (benchmarks/drift/year_of_days.py looks).
LOOKS_PER_YEAR = 3000
JOINT_PART = 0.05  # of the yearly budget, for pairs of columns
CLEARING_P_VALUE = 0.003
SCREEN_Z = 2.9  # cheap statistics first, exact ones only for what is beyond this


_WORDS: Mapping[str, str] = {
    "location": "values moved by {:.2g} standard deviations",
    "spread": "the spread changed by {:.2g}",
    "groups": "{:.1%} of the rows moved elsewhere",
    "lower tail": "the share of low extremes changed by {:.1%}",
    "upper tail": "the share of high extremes changed by {:.1%}",
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
    evidence: Evidence, columns: int, yearly_false_alerts: float, floors: Mapping[str, float]
) -> list[Change]:
    """Changes that end at the last day and pass their level and floor, strongest first; one per stream."""
    last = len(evidence.means.weights)
    spans = np.array([days for days in LOOKBACK_DAYS if days < last] + [last])
    budget = yearly_false_alerts / LOOKS_PER_YEAR
    level = {True: budget * JOINT_PART, False: budget * (1 - JOINT_PART) / max(columns, 1)}
    found: dict[Stream, Change] = {}
    for stream, days, p_value, effect in _contrasts(evidence, spans):
        limit = level[stream.statistic == "correlation"] * stream.weight
        if p_value > limit or effect < floors[stream.floor_name]:
            continue
        change = Change(stream, days, p_value, p_value / limit, effect)
        if stream not in found or change.p_value < found[stream].p_value:
            found[stream] = change
    return sorted(found.values(), key=lambda change: change.significance)


def changed_over(evidence: Evidence, days: int, columns: Sequence[str], floors: Mapping[str, float]) -> bool:
    """Whether one of these columns still differs over the last days: three standard errors and its floor."""
    return any(
        stream.column in columns and effect >= floors[stream.floor_name] and p_value < CLEARING_P_VALUE
        for stream, _, p_value, effect in _contrasts(evidence, np.array([days]))
    )


Contrast = tuple[Stream, int, float, float]


def _contrasts(evidence: Evidence, spans: npt.NDArray[np.int64]) -> list[Contrast]:
    """All contrasts beyond the screen."""
    return [
        *_mean_contrasts(evidence.means, spans),
        *_share_contrasts(evidence.shares, spans),
        *_group_contrasts(evidence.groups, spans),
    ]


def _split(per_day: FloatArray, spans: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Sums over the last days of every span, and over all days before them."""
    running = np.concatenate([np.zeros((1, per_day.shape[1])), np.cumsum(per_day, axis=0)])
    before = running[len(per_day) - spans]
    return running[-1] - before, before


def _mean_contrasts(means: MeanStreams, spans: npt.NDArray[np.int64]) -> list[Contrast]:
    if not means.streams:
        return []
    weight, earlier_weight = _split(means.weights, spans)
    total, earlier_total = _split(means.values, spans)
    base_weight = means.reference_weight + earlier_weight
    base = (means.reference_weight * means.reference_mean + earlier_total) / base_weight
    with np.errstate(divide="ignore", invalid="ignore"):  # days without a value are screened out below
        difference = np.where(weight > 0, total / weight - base, 0.0)
        z = difference / np.sqrt(means.variance * (1 / weight + 1 / base_weight))
    found: list[Contrast] = []
    for row, place in zip(*np.nonzero(np.abs(np.nan_to_num(z)) > SCREEN_Z), strict=True):
        p_value = float(erfc(abs(z[row, place]) / math.sqrt(2)))
        found.append((means.streams[place], int(spans[row]), p_value, abs(float(difference[row, place]))))
    return found


def _share_contrasts(shares: ShareStreams, spans: npt.NDArray[np.int64]) -> list[Contrast]:
    if not shares.streams:
        return []
    hits, earlier_hits = _split(shares.hits, spans)
    rows, earlier_rows = _split(shares.rows, spans)
    base_hits, base_rows = shares.reference_hits + earlier_hits, shares.reference_rows + earlier_rows
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = hits / rows - base_hits / base_rows
        pooled = (hits + base_hits) / (rows + base_rows)
        z = difference / np.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / base_rows))
    found: list[Contrast] = []
    for row, place in zip(*np.nonzero(np.abs(np.nan_to_num(z)) > SCREEN_Z), strict=True):
        p_value, _ = share_test(
            int(hits[row, place]),
            int(rows[row, place]),
            int(base_hits[row, place]),
            int(base_rows[row, place]),
        )
        found.append((shares.streams[place], int(spans[row]), p_value, abs(float(difference[row, place]))))
    return found


def _group_contrasts(groups: tuple[GroupStream, ...], spans: npt.NDArray[np.int64]) -> list[Contrast]:
    found: list[Contrast] = []
    for group in groups:
        now, earlier = _split(group.counts, spans)
        base = group.reference + earlier
        rows, base_rows = now.sum(axis=1), base.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            p, q = now / rows[:, None], base / base_rows[:, None]
            pooled = (now + base) / (rows + base_rows)[:, None]
            statistic = np.where(pooled > 0, (p - q) ** 2 / pooled, 0.0).sum(axis=1) / (
                1 / rows + 1 / base_rows
            )
        usable = np.nan_to_num(statistic)
        screened = chdtrc(max(group.counts.shape[1] - 1, 1), usable) < CLEARING_P_VALUE
        for row in np.flatnonzero(screened):
            first, second = base[row].astype(np.int64), now[row].astype(np.int64)
            p_value = contingency_test(first, second).pooled_p_value
            found.append((group.stream, int(spans[row]), p_value, float(np.abs(p[row] - q[row]).sum() / 2)))
    return found
