"""What a chart of one column shows, out of the counts of two profiles: shares per bin, value or level.

A profile keeps counts at and between knots. Rows between two knots are taken to lie evenly between them (and
within the side's own extremes), so bins are exact where every value is a knot and close elsewhere; beyond the
reference's own range only a count and an extreme are known.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts
from sagemaker_jobs.page_text import counted, figure, plain
from sagemaker_jobs.svg_parts import nice_step

MOST_VALUES = 10  # a numeric column of at most this many distinct values is shown value by value
MOST_LEVELS = 6
MOST_NEW_LEVELS = 3
_MOST_BINS = 36
_OUTER_SHARE = 0.002
_WIDEST = 3.0
_FAR_SHARE = 0.1

type Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ShareBar:
    """A value or a level with its share of the rows that hold one; None where a side has no rows."""

    label: str
    reference: float | None
    current: float | None
    is_new: bool = False
    is_gone: bool = False

    @property
    def change(self) -> float:
        """Current minus reference share."""
        return (self.current or 0.0) - (self.reference or 0.0)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Shares of the finite values per bin of common edges, and the shares that lie outside the edges."""

    edges: Numbers
    reference: Numbers | None
    current: Numbers | None
    reference_outside: float
    current_outside: float


def level_shares(reference: LevelCounts | None, current: LevelCounts | None) -> list[ShareBar]:
    """Return the heaviest levels, new ones always among them, and the others as one; largest share first."""
    before, now = (side.levels if side is not None else {} for side in (reference, current))
    totals = [max(sum(levels.values()), 1) for levels in (before, now)]

    def heaviest(names: list[str]) -> list[str]:
        return sorted(names, key=lambda n: (-max(before.get(n, 0) / totals[0], now.get(n, 0) / totals[1]), n))

    def bar(label: str, names: list[str], *, is_new: bool) -> ShareBar:
        counts = [sum(side.get(name, 0) for name in names) for side in (before, now)]
        shares = [
            count / total if side is not None and side.values else None
            for count, total, side in zip(counts, totals, (reference, current), strict=True)
        ]
        gone = bool(shares[1] is not None and counts[0] and not counts[1])
        return ShareBar(label, shares[0], shares[1], is_new and reference is not None, gone)

    new = heaviest([name for name in now if name not in before])
    known = heaviest(list(before))
    shown_new = new if len(new) <= MOST_NEW_LEVELS else new[: MOST_NEW_LEVELS - 1]
    room = MOST_LEVELS - len(shown_new) + 1
    shown = known if len(known) <= room else known[: room - 1]
    bars = [bar(plain(name, 48), [name], is_new=False) for name in shown]
    bars += [bar(plain(name, 48), [name], is_new=True) for name in shown_new]
    bars.sort(key=lambda each: -max(each.reference or 0.0, each.current or 0.0))
    for rest, word, is_new in ((new[len(shown_new) :], "new", True), (known[len(shown) :], "other", False)):
        if rest:
            bars.append(bar(counted(len(rest), f"{word} level"), rest, is_new=is_new))
    return bars


def value_shares(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts | None
) -> list[ShareBar]:
    """Return every value of a column that holds few, in order; empty for any other column."""
    sides = [side for side in (reference, current) if side is not None]
    used = np.flatnonzero(np.sum([side.cells for side in sides], axis=0))
    if not 0 < len(used) <= MOST_VALUES:
        return []
    bars = []
    for cell in used.tolist():
        before = int(reference.cells[cell])
        now = int(current.cells[cell]) if current is not None else 0
        shares = [
            count / side.values if side is not None and side.values else None
            for count, side in ((before, reference), (now, current))
        ]
        has_both = shares[0] is not None and shares[1] is not None
        bars.append(
            ShareBar(
                _cell_label(layout, sides, cell),
                shares[0],
                shares[1],
                has_both and before == 0,
                has_both and now == 0,
            )
        )
    return bars


def _cell_label(layout: NumericLayout, sides: list[NumericCounts], cell: int) -> str:
    """Even cells are single values, odd ones the open intervals between them."""
    last = 2 * len(layout.knots) + 2
    if cell in {0, last}:
        return "−∞" if cell == 0 else "+∞"
    if cell % 2 == 0:
        return figure(layout.knots[cell // 2 - 1].item(), 4)
    holders = [side for side in sides if side.cells[cell]]
    lows = [side.minimum for side in holders if side.minimum is not None]
    highs = [side.maximum for side in holders if side.maximum is not None]
    place = cell // 2
    low = max([min(lows), *([layout.knots[place - 1].item()] if place > 0 else [])])
    high = min([max(highs), *([layout.knots[place].item()] if place < len(layout.knots) else [])])
    return figure(low, 4) if low == high else f"{figure(low, 4)} to {figure(high, 4)}"


def histogram(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts | None
) -> Histogram | None:
    """Return aligned bins of both sides; None when no range can be drawn: nothing finite, or too wide."""
    sides = [side for side in (reference, current) if side is not None and side.finite]
    if not sides:
        return None
    low, high = _drawn_range(layout, sides)
    edges = _edges(low, high, is_integer=layout.is_integer)
    if edges is None:
        return None
    shares, outside = [], []
    for side in (reference, current):
        if side is None or not side.finite:
            shares.append(None)
            outside.append(0.0)
            continue
        below = _share_below(layout, side, edges)
        shares.append(np.diff(below))
        outside.append(max(0.0, 1.0 - float(below[-1] - below[0])))
    return Histogram(edges, shares[0], shares[1], outside[0], outside[1])


def _ends(layout: NumericLayout, side: NumericCounts) -> tuple[Numbers, Numbers]:
    """Lower and upper ends of all finite cells, points and intervals in turn, within the side's extremes."""
    low, high = float(side.minimum or 0), float(side.maximum or 0)
    knots = layout.knots.astype(np.float64)
    margin = 0.5 if layout.is_integer else 0.0  # the whole numbers between a and b fill a + ½ to b − ½
    lower, upper = np.empty(2 * len(knots) + 1), np.empty(2 * len(knots) + 1)
    lower[1::2] = upper[1::2] = knots
    lower[2::2] = np.clip(knots + margin, low - margin, high + margin)
    upper[:-1:2] = np.clip(knots - margin, low - margin, high + margin)
    lower[0], upper[-1] = low - margin, high + margin
    return lower, np.maximum(lower, upper)


def _share_below(layout: NumericLayout, side: NumericCounts, places: Numbers) -> Numbers:
    """Share of the finite values below each place, at the last one up to and including it."""
    lower, upper = _ends(layout, side)
    cells = side.cells[1:-1]
    running = np.concatenate([[0], np.cumsum(cells[1::2])])
    knots = layout.knots.astype(np.float64)
    points = running[np.searchsorted(knots, places)]
    points[-1] = running[int(np.searchsorted(knots, places[-1], side="right"))]
    # Halves, because the width of a range of floats may be no float; a quotient too large is 1 all the same.
    starts, widths = lower[0::2] / 2, upper[0::2] / 2 - lower[0::2] / 2
    reached = places[:, None] / 2 - starts
    with np.errstate(over="ignore"):
        inside = np.clip(reached / np.where(widths > 0, widths, 1.0), 0.0, 1.0)
    inside = np.where(widths > 0, inside, reached > 0)
    inside[-1] = np.where(widths > 0, inside[-1], reached[-1] >= 0)
    return np.asarray((points + inside @ cells[0::2].astype(np.float64)) / side.finite)


def _span(layout: NumericLayout, side: NumericCounts) -> tuple[float, float]:
    """Where all but the outermost values of one side lie; the extremes themselves when they are not far."""
    lower, upper = _ends(layout, side)
    running = np.cumsum(side.cells[1:-1])
    first = int(np.searchsorted(running, _OUTER_SHARE * running[-1], side="right"))
    last = int(np.searchsorted(running, (1 - _OUTER_SHARE) * running[-1]))
    low, high = float(lower[first]), float(upper[last])
    extremes = float(side.minimum or 0), float(side.maximum or 0)
    return extremes if extremes[1] - extremes[0] <= 1.5 * (high - low) else (low, high)


def _drawn_range(layout: NumericLayout, sides: list[NumericCounts]) -> tuple[float, float]:
    """Both spans, unless a few values of the batch far away would squeeze everything else together."""
    spans = [_span(layout, side) for side in sides]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    first = spans[0]
    width = first[1] - first[0]
    if len(sides) > 1 and 0 < width < (high - low) / _WIDEST:
        below = _share_below(layout, sides[1], np.array(first))
        if 1 - float(below[1] - below[0]) <= _FAR_SHARE:
            return first
    return low, high


def _edges(low: float, high: float, *, is_integer: bool) -> Numbers | None:
    width = high - low
    if not np.isfinite(width) or width < 1e-290:
        return None
    if is_integer:
        step = max(1.0, float(np.ceil((width + 1) / _MOST_BINS)))
        if step > 10:
            step = float(np.ceil(nice_step(width + 1, _MOST_BINS)))
        start = low if step <= 10 else float(np.floor(low / step)) * step
        bins = int((high - start) // step) + 1
        edges = start - 0.5 + step * np.arange(bins + 1)
    else:
        step = nice_step(width, _MOST_BINS)
        start = float(np.floor(low / step + 1e-9))
        bins = max(int(np.ceil(high / step - start - 1e-9)), 1)
        edges = step * (start + np.arange(bins + 1))
    return edges if bool((np.diff(edges) > 0).all()) else None
