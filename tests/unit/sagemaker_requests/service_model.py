"""Check a request against everything botocore's service model says, which botocore itself does not.

botocore's ParamValidator knows required members, types and minimums; it checks no maximum, pattern or
enumeration and lets a bool through as an integer.
"""

import datetime
import functools
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session


@functools.cache
def service_model(service: str) -> Any:
    """The service's model as it ships with botocore."""
    return botocore.session.get_session().get_service_model(service)


def find_breaches(operation: str, request: Mapping[str, Any], service: str = "sagemaker") -> list[str]:
    """One sentence per breach, each with the path of the value; empty when the request is sound."""
    return list(_breaches(service_model(service).operation_model(operation).input_shape, request, operation))


def _breaches(shape: Any, value: Any, path: str) -> Iterator[str]:
    check = _CHECKS.get(shape.type_name)
    if check is None:
        raise NotImplementedError(f"{path}: no check for shapes of type {shape.type_name}")
    yield from check(shape, value, path)


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: expected a structure, found {value!r:.80}"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{path}: {name} is missing"
    for name, entry in value.items():
        if name not in shape.members:
            yield f"{path}: {name} is unknown"
        else:
            yield from _breaches(shape.members[name], entry, f"{path}.{name}")


def _list(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"{path}: expected a list, found {value!r:.80}"
        return
    yield from _size(shape, len(value), path)
    for number, entry in enumerate(value):
        yield from _breaches(shape.member, entry, f"{path}[{number}]")


def _map(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: expected a map, found {value!r:.80}"
        return
    yield from _size(shape, len(value), path)
    for key, entry in value.items():
        yield from _breaches(shape.key, key, f"{path} key {key!r:.40}")
        yield from _breaches(shape.value, entry, f"{path}[{key!r:.40}]")


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: expected text, found {value!r:.80}"
        return
    try:
        # Whether AWS counts characters or UTF-16 units is not documented: the longer count must fit.
        length = len(value.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        yield f"{path}: holds half a surrogate pair"
        return
    yield from _size(shape, length, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not python_pattern(pattern).fullmatch(value):
        yield f"{path}: {value!r:.80} does not match {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r:.80} is not one of the {len(shape.enum)} values allowed"


def _integer(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"{path}: expected an integer, found {value!r:.80}"
        return
    yield from _size(shape, value, path)


def _double(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{path}: expected a number, found {value!r:.80}"
        return
    yield from _size(shape, value, path)


def _timestamp(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        yield f"{path}: expected a time with its zone, found {value!r:.80}"


def _boolean(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path}: expected true or false, found {value!r:.80}"


def _size(shape: Any, size: float, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{path}: {size} is less than the minimum {low}"
    if high is not None and size > high:
        yield f"{path}: {size} is more than the maximum {high}"


_CHECKS: Mapping[str, Any] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _double,
    "timestamp": _timestamp,
    "boolean": _boolean,
}


@functools.cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    r"""Translate a pattern of AWS's (Java) dialect: `\p{L}` and its kin, and the odd quantifier on `$`."""
    text = pattern.replace(r"\p{Alnum}", "A-Za-z0-9")
    text = re.sub(r"\$\{\d+,\d+\}", "$", text)
    text = re.sub(r"\\p\{([A-Z])\}", lambda match: _category_ranges()[match[1]], text)
    return re.compile(text, re.ASCII)


@functools.cache
def _category_ranges() -> Mapping[str, str]:
    """Major Unicode category → the inside of a character class."""
    runs: dict[str, list[list[int]]] = {}
    for point in range(sys.maxunicode + 1):
        of_category = runs.setdefault(unicodedata.category(chr(point))[0], [])
        if of_category and of_category[-1][1] == point - 1:
            of_category[-1][1] = point
        else:
            of_category.append([point, point])
    return {
        category: "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
        for category, ranges in runs.items()
    }
