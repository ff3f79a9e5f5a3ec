"""Read numbers as people and spreadsheets write them: currency signs, thousands marks, decimal commas.

What can be read in one way only is read and counted; what can be read in two ways, or not at all, is
reported as such and becomes missing.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # the TensorFlow image has no pyarrow, and reads spellings all the same
    import pyarrow as pa

PLAIN, NULL, REFORMATTED, INVALID, INFINITE, AMBIGUOUS = range(6)
_PLAIN_PATTERN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_PLAIN = re.compile(_PLAIN_PATTERN, re.ASCII)
_INFINITE = re.compile(r"[+-]?\s*(inf|infinity|1\.#inf|∞)\Z", re.IGNORECASE)
_CURRENCY = re.compile(r"^(?:US\$|USD|EUR|GBP|[$€£¥])|(?:US\$|USD|EUR|GBP|[$€£¥])$", re.IGNORECASE)
_SPACES = re.compile(r"[\s'’]+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})\Z", re.ASCII)
_DECIMAL_COMMA_AFTER_POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+\Z", re.ASCII)
_THOUSANDS_COMMA = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*\Z|[+-]?\d{1,3}(,\d{3}){2,}\Z", re.ASCII)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}\Z", re.ASCII)
_ZERO_COMMA = re.compile(r"[+-]?0,\d{3}\Z", re.ASCII)


def _comma_meanings(texts: Sequence[str]) -> set[str]:
    """Return which meanings of a comma the unambiguous numbers of a column show."""
    meanings = set()
    for text in texts:
        if _DECIMAL_COMMA.match(text) or _DECIMAL_COMMA_AFTER_POINTS.match(text) or _ZERO_COMMA.match(text):
            meanings.add("decimal")
        elif _THOUSANDS_COMMA.match(text):
            meanings.add("thousands")
    return meanings


def _strip_decoration(text: str) -> str:
    stripped = _SPACES.sub("", text)
    sign = stripped[:1] if stripped[:1] in {"+", "-"} else ""
    return sign + _CURRENCY.sub("", stripped[len(sign) :])


def _read_stripped(text: str, meanings: set[str]) -> tuple[int, float]:
    if _PLAIN.match(text):
        return REFORMATTED, float(text)
    is_decimal = _DECIMAL_COMMA.match(text) or _ZERO_COMMA.match(text)
    if is_decimal or _DECIMAL_COMMA_AFTER_POINTS.match(text):
        return REFORMATTED, float(text.replace(".", "").replace(",", "."))
    if _THOUSANDS_COMMA.match(text):
        return REFORMATTED, float(text.replace(",", ""))
    if _EITHER.match(text):
        if len(meanings) != 1:
            return AMBIGUOUS, np.nan
        return REFORMATTED, float(text.replace(",", "." if meanings == {"decimal"} else ""))
    return INVALID, np.nan


def read_number_spellings(
    texts: Sequence[str], is_null: Callable[[str], bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Read distinct spellings of one column; returns (status int8, value float64, NaN if there is none)."""
    stripped = [_strip_decoration(text) for text in texts]
    meanings = _comma_meanings(stripped)
    statuses = np.empty(len(texts), dtype=np.int8)
    values = np.full(len(texts), np.nan)
    for position, (text, bare) in enumerate(zip(texts, stripped, strict=True)):
        if is_null(text):
            statuses[position] = NULL
        elif _INFINITE.match(text.strip()):
            statuses[position] = INFINITE
        else:
            statuses[position], values[position] = _read_stripped(bare, meanings)
            if not np.isfinite(values[position]) and statuses[position] == REFORMATTED:
                statuses[position], values[position] = INFINITE, np.nan  # 1e999 overflows
    return statuses, values


def read_distinct_numbers(
    texts: Sequence[str], is_null: Callable[[str], bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Read distinct spellings of which most are plain numbers; returns as `read_number_spellings`."""
    is_odd = [_PLAIN.match(text) is None for text in texts]
    values = np.array(
        [np.nan if odd else float(text) for text, odd in zip(texts, is_odd, strict=True)], dtype=np.float64
    )
    statuses = np.zeros(len(texts), dtype=np.int8)
    # 1e999 is plain and overflows: it is looked at like the odd ones.
    odd = np.flatnonzero(~np.isfinite(values))
    if len(odd):
        statuses[odd], values[odd] = read_number_spellings([texts[at] for at in odd.tolist()], is_null)
    return statuses, values


def read_number_column(
    column: "pa.Array", is_null: Callable[[str], bool]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Read one column; returns (float64 values, NaN if none, and int8 statuses or None when all are plain).

    A column of plain numbers costs one cast; only other spellings are looked at one by one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return _read_typed(column)
    try:
        return _check_finite(column, pc.cast(column, pa.float64()), is_null)
    except pa.ArrowInvalid:
        pass
    is_empty = pc.equal(pc.binary_length(column), 0)
    try:
        numbers = pc.cast(pc.if_else(is_empty, pa.scalar(None, column.type), column), pa.float64())
        return _check_finite(column, numbers, is_null)
    except pa.ArrowInvalid:
        is_plain = pc.fill_null(pc.match_substring_regex(column, _PLAIN_PATTERN), fill_value=False)
        numbers = pc.cast(pc.if_else(is_plain, column, pa.scalar(None, column.type)), pa.float64())
        return _check_finite(column, numbers, is_null)


def _read_typed(column: "pa.Array") -> tuple[np.ndarray, np.ndarray | None]:
    """Read a column that a Parquet file already typed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    values = np.array(values, dtype=np.float64)
    is_finite = np.isfinite(values)
    if is_finite.all():
        return values, None
    statuses = np.where(is_finite, PLAIN, np.where(np.isinf(values), INFINITE, NULL)).astype(np.int8)
    values[~is_finite] = np.nan
    return values, statuses


def _check_finite(
    column: "pa.Array", numbers: "pa.Array", is_null: Callable[[str], bool]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Look one by one at the spellings that did not become a finite number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    odd = np.flatnonzero(~np.isfinite(values))
    if not len(odd):
        return values, None
    spellings = pc.dictionary_encode(pc.fill_null(column.take(pa.array(odd)), fill_value=""))
    statuses, readings = read_number_spellings(spellings.dictionary.to_pylist(), is_null)
    indices = spellings.indices.to_numpy()
    values[odd] = readings[indices]
    all_statuses = np.zeros(len(values), dtype=np.int8)
    all_statuses[odd] = statuses[indices]
    return values, all_statuses
