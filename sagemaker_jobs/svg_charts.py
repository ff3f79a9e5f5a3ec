"""Draw curves on the unit square as inline SVG; colours come from the page's style sheet by class.

No plotting library is in the job images, and a page that loads nothing can be opened from S3 or a mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sagemaker_jobs.svg_parts import svg_frame, svg_text

WIDTH, HEIGHT = 440, 350
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 24, 14, 50
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

Point = tuple[float, float]


@dataclass(frozen=True)
class Marker:
    """One point to point out, with its label."""

    at: Point
    label: str


@dataclass(frozen=True)
class Chart:
    """One curve with a reference line; all coordinates lie within 0 and 1.

    `bars` are vertical intervals (x, lower, upper); `dots` draws a dot at each point of the curve.
    """

    description: str
    x_label: str
    y_label: str
    points: Sequence[Point]
    reference: Sequence[Point]
    bars: Sequence[tuple[float, float, float]] = ()
    dots: bool = False
    fill: bool = False
    marker: Marker | None = None


def _x(value: float) -> str:
    return f"{_LEFT + value * (WIDTH - _LEFT - _RIGHT):.1f}"


def _y(value: float) -> str:
    return f"{HEIGHT - _BOTTOM - value * (HEIGHT - _TOP - _BOTTOM):.1f}"


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_x(x)} {_y(y)}" for x, y in points)


def render_chart(chart: Chart) -> str:
    """Return one `<svg>` element; every text in it is escaped."""
    parts = [
        *_axes(chart),
        f'<path class="reference" d="{_path(chart.reference)}"/>',
    ]
    if chart.fill:
        ends = [(chart.points[-1][0], 0.0), (chart.points[0][0], 0.0)]
        parts.append(f'<path class="area" d="{_path([*chart.points, *ends])}Z"/>')
    parts += [f'<path class="bar" d="M{_x(x)} {_y(lower)}V{_y(upper)}"/>' for x, lower, upper in chart.bars]
    parts.append(f'<path class="curve" d="{_path(chart.points)}"/>')
    if chart.dots:
        parts += [f'<circle class="dot" cx="{_x(x)}" cy="{_y(y)}" r="4"/>' for x, y in chart.points]
    if chart.marker:
        parts += _marker(chart.marker)
    return svg_frame("chart", WIDTH, HEIGHT, chart.description, parts)


def _axes(chart: Chart) -> list[str]:
    parts = []
    for tick in _TICKS:
        parts += [
            f'<path class="grid" d="M{_x(tick)} {_y(0)}V{_y(1)}M{_x(0)} {_y(tick)}H{_x(1)}"/>',
            svg_text("tick", _x(tick), f"{HEIGHT - _BOTTOM + 18}", "middle", f"{tick:.0%}"),
            svg_text("tick", f"{_LEFT - 8}", f"{float(_y(tick)) + 4:.1f}", "end", f"{tick:.0%}"),
        ]
    turned = f"translate(12 {_y(0.5)}) rotate(-90)"
    return [
        *parts,
        f'<path class="axis" d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}"/>',
        svg_text("label", _x(0.5), f"{HEIGHT - 8}", "middle", chart.x_label),
        f'<g transform="{turned}">{svg_text("label", "0", "0", "middle", chart.y_label)}</g>',
    ]


def _marker(marker: Marker) -> list[str]:
    x, y = marker.at
    # The label goes to the side with room, so that it never leaves the drawing.
    anchor, shift = ("start", 10) if x < 0.6 else ("end", -10)
    drop = 18 if y > 0.15 else -12
    left, top = f"{float(_x(x)) + shift:.1f}", f"{float(_y(y)) + drop:.1f}"
    return [
        f'<circle class="marker" cx="{_x(x)}" cy="{_y(y)}" r="5.5"/>',
        svg_text("note", left, top, anchor, marker.label),
    ]
