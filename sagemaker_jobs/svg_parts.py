"""Pieces every drawing shares: the frame with its words for people who cannot see it, text, axis marks."""

import math
from collections.abc import Sequence
from html import escape

_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def svg_frame(
    style: str, width: float, height: float, title: str, parts: Sequence[str], told: str = ""
) -> str:
    """Return an `<svg>` that scales with its place; `title` and `told` (what it shows) are escaped here."""
    said = escape(title)
    description = f"<desc>{escape(told)}</desc>" if told else ""
    return (
        f'<svg class="{style}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{said}">'
        f"<title>{said}</title>{description}{''.join(parts)}</svg>"
    )


def svg_text(style: str, x: str | float, y: str | float, anchor: str, text: str) -> str:
    """Return a `<text>`; the text is escaped here."""
    return (
        f'<text class="{style}" x="{_place(x)}" y="{_place(y)}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def svg_bar(style: str, x: float, y: float, width: float, height: float, radius: float = 1.5) -> str:
    """Return a `<rect>`."""
    size = f'width="{_place(max(width, 0.0))}" height="{_place(height)}" rx="{radius:g}"'
    return f'<rect class="{style}" x="{_place(x)}" y="{_place(y)}" {size}/>'


def svg_line(style: str, commands: str) -> str:
    """Return a `<path>`."""
    return f'<path class="{style}" d="{commands}"/>'


def _place(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def nice_step(width: float, parts: int) -> float:
    """Return the smallest step of 1, 2, 2.5 or 5 times a power of ten that needs at most `parts` of them.

    `width` must be positive and normal, at least 1e-290.
    """
    raw = width / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next((factor * power for factor in _NICE_STEPS if factor * power >= raw * (1 - 1e-9)), 10 * power)


def nice_ticks(low: float, high: float, parts: int) -> list[float]:
    """Return round numbers within [low, high], about `parts` of them; none for an empty or endless range."""
    width = high - low
    if not math.isfinite(width) or width < 1e-290:
        return []
    step = nice_step(width, parts)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]
