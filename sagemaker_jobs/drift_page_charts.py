"""Small charts of the drift page as inline SVG; colours come from the page's style sheet by class.

Reference and batch differ by more than colour: a filled shape under an outline, the upper bar and the lower.
"""

from collections.abc import Callable, Sequence

from sagemaker_jobs.distribution_shares import Histogram, Numbers, ShareBar
from sagemaker_jobs.page_text import figure, share
from sagemaker_jobs.svg_parts import nice_ticks, svg_bar, svg_frame, svg_line, svg_text

type Scale = Callable[[float], float]

WIDTH = 340
_LETTER = 6.4  # width of a letter of an axis label


def histogram_chart(title: str, histogram: Histogram, told: str) -> str:
    """Return both distributions over common bins: the reference filled, the batch as an outline."""
    height, left, right, top, bottom = 172, 36, 8, 10, 24
    base = height - bottom
    sides = [side for side in (histogram.reference, histogram.current) if side is not None]
    largest = max(float(side.max()) for side in sides) or 1.0
    low, high = float(histogram.edges[0]), float(histogram.edges[-1])

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (WIDTH - left - right)

    def y(value: float) -> float:
        return base - value / largest * (base - top)

    parts = []
    for tick in nice_ticks(0.0, largest, 3):
        parts.append(svg_line("grid", f"M{left} {y(tick):.1f}H{WIDTH - right}"))
        parts.append(svg_text("tick", left - 5, y(tick) + 4, "end", _percent(tick)))
    if histogram.reference is not None:
        outline = _steps(histogram.edges, histogram.reference, x, y)
        parts.append(svg_line("before", f"M{x(low):.1f} {base}{outline}V{base}Z"))
    if histogram.current is not None:
        outline = _steps(histogram.edges, histogram.current, x, y)
        parts.append(svg_line("now-outline", f"M{x(low):.1f} {base}{outline}V{base}"))
    parts.append(svg_line("axis", f"M{left} {base}H{WIDTH - right}"))
    parts += _value_axis(low, high, x, base)
    return svg_frame("chart", WIDTH, height, title, parts, told)


def _steps(edges: Numbers, shares: Numbers, x: Scale, y: Scale) -> str:
    ends = edges[1:].tolist()
    return "".join(f"V{y(value):.1f}H{x(end):.1f}" for end, value in zip(ends, shares.tolist(), strict=True))


def _value_axis(low: float, high: float, x: Scale, base: float) -> list[str]:
    """Round numbers below the axis, as many as have room."""
    for parts in (5, 4, 3, 2):
        ticks = nice_ticks(low, high, parts)
        labels = [figure(tick, 4) for tick in ticks]
        room = (WIDTH - 50) / max(len(ticks), 1)
        if max((len(label) for label in labels), default=0) * _LETTER + 8 <= room:
            break
    found = []
    for tick, label in zip(ticks, labels, strict=True):
        half = len(label) * _LETTER / 2
        place = min(max(x(tick), half), WIDTH - half)
        found.append(svg_line("axis", f"M{x(tick):.1f} {base}v4"))
        found.append(svg_text("tick", place, base + 17, "middle", label))
    return found


def _percent(value: float) -> str:
    return f"{100 * value:.3g}%"


def bar_chart(title: str, bars: Sequence[ShareBar], told: str) -> str:
    """Return a pair of horizontal bars per value or level, the reference above the batch, on one scale."""
    row = 35
    largest = max((max(bar.reference or 0.0, bar.current or 0.0) for bar in bars), default=0.0) or 1.0
    parts = []
    for place, bar in enumerate(bars):
        top = place * row
        mark = "◆ new: " if bar.is_new else ("◇ gone: " if bar.is_gone else "")
        style = "level marked" if mark else "level"
        parts.append(svg_text(style, 0, top + 12, "start", _fitted(f"{mark}{bar.label}")))
        parts.append(svg_text("tick", WIDTH, top + 12, "end", _both(bar)))
        parts.append(svg_line("track", f"M0 {top + 20}H{WIDTH}M0 {top + 27}H{WIDTH}"))
        for style, share_of_side, line in (("before", bar.reference, 17), ("now", bar.current, 24)):
            if share_of_side is not None:
                parts.append(svg_bar(style, 0, top + line, WIDTH * share_of_side / largest, 6))
    return svg_frame("chart", WIDTH, len(bars) * row, title, parts, told)


def _fitted(label: str) -> str:
    return label if len(label) <= 34 else f"{label[:33]}…"


def _both(bar: ShareBar) -> str:
    """Shares of both sides, of one when the other has no rows."""
    return " → ".join(share(side) for side in (bar.reference, bar.current) if side is not None)


def interval_chart(title: str, value: float, interval: tuple[float, float], reference: float) -> str:
    """Return a share with its interval, and the reference as a line across."""
    height, left, right, line = 74, 12, 12, 34
    highest = max(interval[1], reference, value) * 1.15 or 1.0
    ticks = nice_ticks(0.0, highest, 4)

    def x(share_value: float) -> float:
        return left + share_value / highest * (WIDTH - left - right)

    parts = [svg_line("axis", f"M{left} {line + 16}H{WIDTH - right}")]
    for tick in ticks:
        parts.append(svg_line("axis", f"M{x(tick):.1f} {line + 16}v4"))
        anchor = "start" if tick == 0 else "middle"
        parts.append(svg_text("tick", x(tick) if tick else left - 6, line + 33, anchor, _percent(tick)))
    anchor = "start" if x(reference) < WIDTH * 0.6 else "end"
    shift = 6 if anchor == "start" else -6
    parts += [
        svg_line("reference-line", f"M{x(reference):.1f} 4V{line + 16}"),
        svg_text("tick", x(reference) + shift, 13, anchor, f"reference {share(reference)}"),
        svg_line("interval", f"M{x(interval[0]):.1f} {line}H{x(interval[1]):.1f}"),
        f'<circle class="dot" cx="{x(value):.1f}" cy="{line}" r="5"/>',
    ]
    return svg_frame("chart", WIDTH, height, title, parts)


def distribution_words(bars: Sequence[ShareBar]) -> str:
    """Return what a chart of bars shows, for those who cannot see it."""
    return "; ".join(f"{bar.label}{' (new)' if bar.is_new else ''} {_both(bar)}" for bar in bars)
