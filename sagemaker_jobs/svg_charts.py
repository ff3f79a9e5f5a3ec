"""Draw curves on the unit square as inline SVG; colours come from the page's style sheet by class.

No plotting library is in the job images, and a page that loads nothing can be opened from S3 or a mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 440, 350
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 14, 50
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
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.description)}">',
        f"<title>{escape(chart.description)}</title>",
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
    return "".join([*parts, "</svg>"])


def _axes(chart: Chart) -> list[str]:
    parts = []
    for tick in _TICKS:
        parts += [
            f'<path class="grid" d="M{_x(tick)} {_y(0)}V{_y(1)}M{_x(0)} {_y(tick)}H{_x(1)}"/>',
            f'<text class="tick" x="{_x(tick)}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">{tick:.0%}</text>',
            f'<text class="tick" x="{_LEFT - 8}" y="{_y(tick)}" dy="4" text-anchor="end">{tick:.0%}</text>',
        ]
    middle = float(_y(0.5))
    parts += [
        f'<path class="axis" d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}"/>',
        f'<text class="label" x="{_x(0.5)}" y="{HEIGHT - 8}" text-anchor="middle">{escape(chart.x_label)}</text>',
        f'<text class="label" transform="translate(12 {middle:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(chart.y_label)}</text>",
    ]
    return parts


def _marker(marker: Marker) -> list[str]:
    x, y = marker.at
    # The label goes to the side with room, so that it never leaves the drawing.
    anchor, shift = ("start", 10) if x < 0.6 else ("end", -10)
    drop = 18 if y > 0.15 else -12
    return [
        f'<circle class="marker" cx="{_x(x)}" cy="{_y(y)}" r="5.5"/>',
        f'<text class="note" x="{float(_x(x)) + shift:.1f}" y="{float(_y(y)) + drop:.1f}" text-anchor="{anchor}">'
        f"{escape(marker.label)}</text>",
    ]
