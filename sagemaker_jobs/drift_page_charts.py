"""Small charts of the drift page as inline SVG: a column then and now, and its effect over the days.

Colours come from the page's style sheet by class. Counts inside an open interval between two knots are drawn
evenly over it: profiles keep no single values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts

WIDTH = 350
_BINS = 36
_MOST_BARS = 8
_LABEL_CHARACTERS = 17
_OUTER_SHARE = 0.002  # the axis spans the values between these quantiles of either side

type Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bar:
    """One level or value: its share of the rows that hold a value, then and now (None: no batch)."""

    label: str
    reference: float
    current: float | None
    is_new: bool = False


def numeric_chart(layout: NumericLayout, reference: NumericCounts, current: NumericCounts | None) -> str:
    """Return both distributions of a numeric column; a column of few values gets a pair of bars for each."""
    bars = _value_bars(layout, reference, current)
    if bars:
        return bar_chart(bars)
    sides = [counts for counts in (reference, current) if counts is not None and counts.finite]
    if not sides:
        return '<p class="empty">No finite number on either side.</p>'
    edges = _bin_edges(layout, sides)
    shares = [
        _bin_shares(layout, counts, edges) if counts is not None and counts.finite else None
        for counts in (reference, current)
    ]
    return _histogram(edges, shares[0], shares[1])


def level_bars(reference: LevelCounts, current: LevelCounts | None) -> list[Bar]:
    """Return the heaviest levels of either side, the rest as one bar; new levels always show."""
    now = current.levels if current is not None else {}
    before_rows, now_rows = max(reference.values, 1), max(current.values if current is not None else 0, 1)

    def bar(label: str, before: int, later: int, *, is_new: bool = False) -> Bar:
        share = later / now_rows if current is not None else None
        return Bar(label, before / before_rows, share, is_new)

    names = sorted(
        {*reference.levels, *now},
        key=lambda name: (
            name in reference.levels,  # new levels first
            -max(reference.levels.get(name, 0) / before_rows, now.get(name, 0) / now_rows),
            name,
        ),
    )
    shown = names if len(names) <= _MOST_BARS else names[: _MOST_BARS - 1]
    bars = [
        bar(name, reference.levels.get(name, 0), now.get(name, 0), is_new=name not in reference.levels)
        for name in shown
    ]
    rest = names[len(shown) :]
    if rest:
        before = sum(reference.levels.get(name, 0) for name in rest)
        bars.append(bar(f"{len(rest):,} other levels", before, sum(now.get(name, 0) for name in rest)))
    return bars


def bar_chart(bars: Sequence[Bar]) -> str:
    """Return pairs of horizontal bars, reference above current, on one scale."""
    largest = max((max(bar.reference, bar.current or 0.0) for bar in bars), default=0.0) or 1.0
    left, room, row = 126, 118, 27
    parts = []
    for number, bar in enumerate(bars):
        top = number * row + 4
        label = bar.label if len(bar.label) <= _LABEL_CHARACTERS else f"{bar.label[: _LABEL_CHARACTERS - 1]}…"
        style = "label new" if bar.is_new else "label"
        parts += [
            (
                f'<text class="{style}" x="{left - 8}" y="{top + 14}" text-anchor="end">'
                f"<title>{escape(bar.label[:300])}</title>{escape(label)}</text>"
            ),
            _bar("before", left, top, room * bar.reference / largest),
            _bar("now", left, top + 10, room * (bar.current or 0.0) / largest),
            f'<text class="tick" x="{WIDTH - 2}" y="{top + 14}" text-anchor="end">{_change(bar)}</text>',
        ]
    described = "; ".join(f"{bar.label[:40]} {_change(bar)}" for bar in bars)
    return _svg(len(bars) * row + 6, f"Shares then and now: {described}", parts)


def _change(bar: Bar) -> str:
    return f"{bar.reference:.1%}" + ("" if bar.current is None else f" → {bar.current:.1%}")


def history_chart(values: Sequence[float | None], floor: float | None, alerting: Sequence[bool]) -> str:
    """Return the effect of each day as a line, the floor dashed, days under an alert as filled dots."""
    height, top, bottom, right = 58, 6, 6, 30
    known = [value for value in values if value is not None]
    largest = max([*known, (floor or 0.0) * 1.25, 1e-9])

    def x(day: int) -> float:
        return 4 + day * (WIDTH - right - 8) / max(len(values) - 1, 1)

    def y(value: float) -> float:
        return height - bottom - value / largest * (height - top - bottom)

    parts = [f'<path class="axis" d="M4 {height - bottom}H{WIDTH - right}"/>']
    if floor is not None:
        parts.append(f'<path class="reference" d="M4 {y(floor):.1f}H{WIDTH - right}"/>')
        parts.append(
            f'<text class="tick" x="{WIDTH - 2}" y="{y(floor) + 4:.1f}" text-anchor="end">{floor:g}</text>'
        )
    commands = []
    for day, value in enumerate(values):
        if value is None:
            continue
        joined = day > 0 and values[day - 1] is not None
        commands.append(f"{'L' if joined else 'M'}{x(day):.1f} {y(value):.1f}")
    parts.append(f'<path class="curve" d="{"".join(commands)}"/>' if commands else "")
    parts += [
        f'<circle class="{"alarm" if is_alert else "dot"}" cx="{x(day):.1f}" cy="{y(value):.1f}" r="2.6"/>'
        for day, (value, is_alert) in enumerate(zip(values, alerting, strict=True))
        if value is not None and (is_alert or len(values) <= 40)
    ]
    above = "" if floor is None else f", floor {floor:g}"
    last = f"{known[-1]:.3g}" if known else "none"
    return _svg(height, f"Effect size over {len(values)} days, last {last}{above}", parts)


def _bar(style: str, left: float, top: float, width: float) -> str:
    return f'<rect class="{style}" x="{left}" y="{top}" width="{max(width, 0.0):.1f}" height="8" rx="2"/>'


def _svg(height: int, description: str, parts: Sequence[str]) -> str:
    said = escape(description)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}">'
        f"<title>{said}</title>{''.join(parts)}</svg>"
    )


def _value_bars(layout: NumericLayout, reference: NumericCounts, current: NumericCounts | None) -> list[Bar]:
    """Bars of a column that holds few distinct values, all of them knots; empty for any other column."""
    cells = reference.cells + (current.cells if current is not None else 0)
    if int(cells[1:-1:2].sum()) or len(layout.knots) == 0:
        return []
    used = np.flatnonzero(cells[2:-1:2])
    if not 0 < len(used) <= _MOST_BARS:
        return []
    before, now = max(reference.finite, 1), max(current.finite if current is not None else 0, 1)
    return [
        Bar(
            f"{layout.knots[place].item():g}",
            int(reference.cells[2 + 2 * place]) / before,
            int(current.cells[2 + 2 * place]) / now if current is not None else None,
            reference.cells[2 + 2 * place] == 0,
        )
        for place in used
    ]


def _intervals(layout: NumericLayout, counts: NumericCounts) -> tuple[Shares, Shares]:
    """Ends of the open intervals between knots, cut at the side's own extremes."""
    low, high = float(counts.minimum or 0.0), float(counts.maximum or 0.0)
    knots = layout.knots.astype(np.float64)
    left = np.clip(np.concatenate([[low], knots]), low, high)
    right = np.clip(np.concatenate([knots, [high]]), low, high)
    return left, right


def _share_below(layout: NumericLayout, counts: NumericCounts, places: Shares) -> Shares:
    """Share of the finite values below each place."""
    left, right = _intervals(layout, counts)
    width = np.where(right > left, right - left, 1.0)
    # Whole cells before the interval that a place lies in, and its part of that one: linear in the knots.
    at = np.searchsorted(layout.knots.astype(np.float64), places)
    with np.errstate(over="ignore", invalid="ignore"):
        inside = np.nan_to_num(np.clip((places - left[at]) / width[at], 0.0, 1.0))
    between = counts.cells[1:-1:2].astype(np.float64)
    below = np.concatenate([[0.0], np.cumsum(between)])[at] + inside * between[at]
    points = np.concatenate([[0], np.cumsum(counts.cells[2:-1:2])])[at]
    return np.asarray((below + points) / counts.finite)


def _span(layout: NumericLayout, counts: NumericCounts) -> tuple[float, float]:
    """Where all but the outermost values of one side lie, to the width of a cell."""
    left, right = _intervals(layout, counts)
    knots = layout.knots.astype(np.float64)
    running = np.cumsum(counts.cells[1:-1])
    first = int(np.searchsorted(running, _OUTER_SHARE * counts.finite, side="right"))
    last = int(np.searchsorted(running, (1 - _OUTER_SHARE) * counts.finite))
    low = knots[first // 2] if first % 2 else left[first // 2]
    high = knots[last // 2] if last % 2 else right[last // 2]
    return float(low), float(high)


def _bin_edges(layout: NumericLayout, sides: Sequence[NumericCounts]) -> Shares:
    spans = [_span(layout, counts) for counts in sides]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    if layout.is_integer:  # whole numbers per bin, else bins hold unequal many of them
        step = max(1.0, np.ceil((high - low + 1) / _BINS))
        return np.asarray(low - 0.5 + step * np.arange(int(np.ceil((high - low + 1) / step)) + 1))
    if not np.isfinite(high - low) or high <= low:
        high = low + max(abs(low), 1.0) * 1e-6
    return np.linspace(low, high, _BINS + 1)


def _bin_shares(layout: NumericLayout, counts: NumericCounts, edges: Shares) -> Shares:
    """Share of the finite values per bin; what lies outside goes to the first and last one."""
    below = _share_below(layout, counts, edges)
    below[0], below[-1] = 0.0, 1.0
    return np.asarray(np.diff(below))


def _histogram(edges: Shares, reference: Shares | None, current: Shares | None) -> str:
    height, bottom, top = 128, 20, 8
    both = [shares for shares in (reference, current) if shares is not None]
    largest = max(float(shares.max()) for shares in both) or 1.0

    def outline(shares: Shares) -> str:
        step = (WIDTH - 8) / len(shares)
        heights = height - bottom - shares / largest * (height - bottom - top)
        return "".join(f"V{y:.1f}H{4 + (place + 1) * step:.1f}" for place, y in enumerate(heights.tolist()))

    base = height - bottom
    parts = []
    if reference is not None:
        parts.append(f'<path class="before" d="M4 {base}{outline(reference)}V{base}Z"/>')
    if current is not None:
        parts.append(f'<path class="outline" d="M4 {base}{outline(current)}V{base}"/>')
    parts.append(f'<path class="axis" d="M4 {base}H{WIDTH - 4}"/>')
    inset = 0.5 if edges[0] % 1 == 0.5 else 0.0  # bins of whole numbers begin half below the first one
    first, last = float(edges[0]) + inset, float(edges[-1]) - inset
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        text = _figure(first + share * (last - first))
        parts.append(_tick(4 + share * (WIDTH - 8), height - 5, anchor, text))
    return _svg(height, f"Distribution from {_figure(first)} to {_figure(last)}", parts)


def _tick(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text class="tick" x="{x:.0f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _figure(value: float) -> str:
    is_plain = abs(value) < 1e7 and (abs(value) >= 10 or value == round(value))
    return f"{round(value):,}" if is_plain else f"{value:.3g}"
