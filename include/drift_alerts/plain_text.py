"""Text from data (column names, levels, addresses) made fit for one line of a message or a dimension."""

import math
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote

_ELLIPSIS = "…"


def one_line(text: str, most: int) -> str:
    """Return the text without line breaks, control, invisible or unassigned characters, at most `most` long.

    What is left is allowed in XML, which SNS delivers in, and cannot turn the direction of what follows.
    """
    seen = (character for character in text if character.isspace() or _is_visible(character))
    flat = " ".join("".join(seen).split())
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + _ELLIPSIS


def _is_visible(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def ascii_line(text: str, most: int) -> str:
    """Return one line of printable ASCII: é becomes e, what has no such form becomes a question mark."""
    plain = unicodedata.normalize("NFKD", one_line(text, 4 * most))
    kept = "".join(character for character in plain if not unicodedata.combining(character))
    flat = kept.replace(_ELLIPSIS, "...").encode("ascii", "replace").decode()
    return flat if len(flat) <= most else flat[: most - 3].rstrip() + "..."


def listed(names: Sequence[str], most: int, longest: int) -> str:
    """Return up to `most` names in a row, and how many more there are."""
    shown = ", ".join(one_line(name, longest) or "(unnamed)" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def figure(value: float) -> str:
    """Return a number with four digits that count, and thousands set apart."""
    if value and (abs(value) < 0.001 or abs(value) >= 1e12):
        return f"{value:.3g}"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(value: float) -> str:
    """Return a share as a percentage."""
    return f"{value:.1%}"


def console_link(uri: str, region: str) -> str:
    """Return the address of an S3 object in the AWS console."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    domain = "console.aws.amazon.com"
    if region.startswith("cn-"):
        domain = "console.amazonaws.cn"
    elif region.startswith("us-gov-"):
        domain = "console.amazonaws-us-gov.com"
    return f"https://{domain}/s3/object/{bucket}?region={region}&prefix={quote(key, safe='/')}"
