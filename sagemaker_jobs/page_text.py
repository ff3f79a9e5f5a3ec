"""Text and figures as a report page shows them: escaped, of bounded length, no NaN, no bare exponent."""

import math
import unicodedata
from html import escape

MOST_CHARACTERS = 80
SMALLEST_PROBABILITY = 1e-300
NOTHING = "–"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Controls, invisible marks that turn text around, lone surrogates that no file can hold, line separators.
_UNSEEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def plain(text: object, most: int = MOST_CHARACTERS) -> str:
    """Return text from outside on one line, what cannot be seen replaced, at most `most` characters."""
    content = str(text)
    cut = content[:most]
    seen = "".join("\N{REPLACEMENT CHARACTER}" if _is_unseen(letter) else letter for letter in cut)
    return f"{seen[:-1]}…" if len(content) > most else seen


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN_CATEGORIES


def shown(text: object, most: int = MOST_CHARACTERS) -> str:
    """Return text from outside as HTML."""
    return escape(plain(text, most))


def shown_name(name: object) -> str:
    """Return a column's name as HTML that may break after an underscore, where a narrow place needs it."""
    return shown(name).replace("_", "_<wbr>")


def figure(value: float | None, digits: int = 3) -> str:
    """Return a number as people write it, with `digits` that count; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    size = abs(value)
    if not 1e-4 <= size < 1e9:
        return _scientific(value, digits)
    if size >= 10 ** (digits - 1) or (isinstance(value, int) or float(value).is_integer()):
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.{digits}g}".replace("-", "−")


def share(value: float | None) -> str:
    """Return a share in per cent; a tiny one is never shown as none at all."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0 < value < 0.0005:
        return "< 0.1%"
    return f"{value:.1%}"


def probability(value: float | None) -> str:
    """Return a p-value; one too small for a float is a bound, never 0."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < SMALLEST_PROBABILITY:
        return "< 10⁻³⁰⁰"
    if value < 0.001:
        return _scientific(value, 2)
    return f"{value:.3f}" if value < 0.9995 else "1"


def byte_size(count: int) -> str:
    """Return a size in the unit that fits it."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{count:,} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def listed(names: list[str], most: int = 5) -> str:
    """Return names as a person lists them, the rest as a number; plain text, to be escaped by the caller."""
    named = [plain(name, 60) for name in names[:most]]
    rest = len(names) - len(named)
    if rest:
        return f"{', '.join(named)} and {rest:,} more"
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else "".join(named)


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    power = str(int(exponent)).translate(_SUPERSCRIPTS)
    return f"{mantissa.replace('-', '−')} × 10{power}"
