"""What a column of a batch holds, read without ever failing: numbers or level codes, and what was neither."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Column = Any  # an array, a masked array or a DictionaryColumn: whatever a reader hands over

MISSING_TEXTS = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>", "nat"})


@dataclass(frozen=True, eq=False)
class DictionaryColumn:
    """A column as codes into a list of levels, the way Arrow keeps dictionary arrays; -1 is missing."""

    codes: npt.NDArray[np.integer[Any]]
    levels: tuple[object, ...]

    def __len__(self) -> int:
        """Rows."""
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class NumericValues:
    """The finite numbers of a column and the counts of everything else.

    `finite` is int64 or float64; `positions` says which rows they came from (None: every row, in order).
    """

    rows: int
    finite: npt.NDArray[Any]
    positions: npt.NDArray[np.bool_] | None
    missing: int
    unreadable: int
    negative_infinity: int
    positive_infinity: int


def column_length(column: Column) -> int:
    """Rows of a column in any of the accepted forms."""
    return len(column)


def slice_column(column: Column, start: int, stop: int) -> Column:
    """Rows `start` to `stop` of a column, without a copy."""
    if isinstance(column, DictionaryColumn):
        return DictionaryColumn(column.codes[start:stop], column.levels)
    return column[start:stop]


def read_numbers(column: Column) -> NumericValues:
    """Read a column as numbers; text that is no number is counted as unreadable, never raised.

    Integers stay int64, so that values beyond 2^53 are compared exactly. A numpy masked array marks missing
    values of an integer column. Unsigned integers beyond 2^63 - 1 are read as floats.
    """
    if isinstance(column, DictionaryColumn):
        return _read_objects(_expand(column))
    if isinstance(column, np.ma.MaskedArray):
        keep = ~np.ma.getmaskarray(column)
        return _placed(read_numbers(np.asarray(column.data)[keep]), keep)
    array = np.asarray(column)
    if array.dtype.kind in "bi":
        return NumericValues(len(array), array.astype(np.int64, copy=False), None, 0, 0, 0, 0)
    if array.dtype.kind == "u":
        fits = array.size == 0 or int(array.max()) <= np.iinfo(np.int64).max
        return NumericValues(len(array), array.astype(np.int64 if fits else np.float64), None, 0, 0, 0, 0)
    if array.dtype.kind == "f":
        return _read_floats(array.astype(np.float64, copy=False))
    return _read_objects(array.tolist() if array.dtype.kind in "OUST" else [object()] * len(array))


def read_levels(column: Column) -> tuple[npt.NDArray[np.integer[Any]], tuple[str, ...]]:
    """Read a column as codes into a tuple of level texts; -1 is missing.

    1, 1.0 and '1' are the same level '1': another type for the same codes is no drift.
    """
    if isinstance(column, DictionaryColumn):
        codes = column.codes
        signed = codes if codes.dtype.kind == "i" else codes.astype(np.int64)
        return _recode(signed, column.levels)
    if isinstance(column, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(column)
        column = np.asarray(column.data).astype(object)
        column[hidden] = None
    array = np.asarray(column)
    if array.dtype.kind in "biuf":
        values, codes = np.unique(array, return_inverse=True)
        return _recode(codes.astype(np.int64), tuple(values.tolist()))
    positions: dict[tuple[str, object], int] = {}
    keys = (_key(value) for value in array.tolist())
    row_codes = np.fromiter((positions.setdefault(key, len(positions)) for key in keys), np.int64, len(array))
    return _recode(row_codes, tuple(key[1] for key in positions))


def level_text(value: object) -> str | None:
    """Text of one level; None for a missing value."""
    if type(value) is str:  # nearly always: no other question is due then
        return None if value == "<NA>" or not value.strip() else value
    if value is None or _is_nan(value):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(value)
    return None if text.strip() == "" or text == "<NA>" else text


def _is_nan(value: object) -> bool:
    """NaN and NaT are the values that differ from themselves."""
    try:
        return bool(value != value)  # noqa: PLR0124
    except (TypeError, ValueError):
        return False


def _key(value: object) -> tuple[str, object]:
    """Keep 1, True and 1.0 apart while coding: Python calls them equal, their texts may differ."""
    return (type(value).__name__, value if isinstance(value, Hashable) else repr(value))


def _recode(
    codes: npt.NDArray[np.integer[Any]], levels: tuple[object, ...]
) -> tuple[npt.NDArray[np.integer[Any]], tuple[str, ...]]:
    texts = [level_text(level) for level in levels]
    names = tuple(dict.fromkeys(text for text in texts if text is not None))
    if names == tuple(texts):
        return codes, names
    index = {name: position for position, name in enumerate(names)}
    lookup = np.array([-1 if text is None else index[text] for text in texts] + [-1], dtype=np.int64)
    return lookup[codes], names


def _expand(column: DictionaryColumn) -> list[object]:
    return [None if code < 0 else column.levels[code] for code in column.codes.tolist()]


def _read_floats(array: npt.NDArray[np.float64]) -> NumericValues:
    finite = np.isfinite(array)
    if bool(finite.all()):
        return NumericValues(len(array), array, None, 0, 0, 0, 0)
    missing = int(np.isnan(array).sum())
    negative = int(np.isneginf(array).sum())
    positive = len(array) - int(finite.sum()) - missing - negative
    return NumericValues(len(array), array[finite], finite, missing, 0, negative, positive)


def _placed(read: NumericValues, keep: npt.NDArray[np.bool_]) -> NumericValues:
    positions = keep.copy()
    if read.positions is not None:
        positions[keep] = read.positions
    hidden = len(keep) - read.rows
    return NumericValues(
        len(keep),
        read.finite,
        positions,
        read.missing + hidden,
        read.unreadable,
        read.negative_infinity,
        read.positive_infinity,
    )


def _number(value: object) -> int | float | None:
    """Number in one cell; NaN for missing, None for what cannot be read as a number."""
    if isinstance(value, bool | np.bool_ | int | np.integer):
        number = int(value)
        return number if -(2**63) <= number < 2**63 else float(number)
    if value is None or _is_nan(value):
        return float("nan")
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(value).strip()
    if text.lower() in MISSING_TEXTS:
        return float("nan")
    try:
        return int(text) if text.lstrip("+-").isdigit() and len(text) < 19 else float(text)
    except (ValueError, OverflowError):
        return None


def _safe_number(value: object) -> int | float | None:
    try:
        return _number(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _read_objects(values: Iterable[object]) -> NumericValues:
    numbers = [_safe_number(value) for value in values]
    readable = np.array([number is not None for number in numbers], dtype=np.bool_)
    kept: list[int | float] = [number for number in numbers if number is not None]
    if all(isinstance(number, int) or _is_nan(number) for number in kept):
        kept_present = [not _is_nan(number) for number in kept]
        present = np.array(kept_present, dtype=np.bool_)
        integers = np.array([int(number) for number in kept if not _is_nan(number)], dtype=np.int64)
        read = NumericValues(len(kept), integers, present, len(kept) - len(integers), 0, 0, 0)
    else:
        read = _read_floats(np.array(kept, dtype=np.float64))
    unreadable = len(numbers) - len(kept)
    if unreadable == 0:
        return read
    placed = _placed(read, readable)
    return NumericValues(
        placed.rows,
        placed.finite,
        placed.positions,
        placed.missing - unreadable,
        unreadable,
        placed.negative_infinity,
        placed.positive_infinity,
    )
