"""Hypothesis strategies made from the parameter table's own JSON schemas."""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from include.settings import monitoring_table, retraining_table
from include.settings.parameter_table import Parameter

_WORD = st.from_regex(r"[A-Za-z0-9_.:/=+ -]{0,40}", fullmatch=True)


def values_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Every kind of value that a schema of the table allows, its limits included."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return st.one_of([_BY_TYPE[name](schema) for name in types])


def _texts(schema: Mapping[str, Any]) -> st.SearchStrategy[str]:
    longest = schema["maxLength"]
    if "pattern" not in schema:
        return st.text(max_size=longest)
    # st.from_regex seldom grows long: stretch some of the values up to the limit.
    short = st.from_regex(re.compile(schema["pattern"]), fullmatch=True).filter(
        lambda text: len(text) <= longest
    )
    return st.one_of(short, short.map(lambda text: stretched(text, schema)))


def stretched(text: str, schema: Mapping[str, Any]) -> str:
    """Repeat a middle character of `text` up to the limit where the pattern still holds."""
    missing, middle = schema["maxLength"] - len(text), len(text) - 6
    longer = text[:middle] + text[middle : middle + 1] * missing + text[middle:]
    return longer if middle > 0 and re.fullmatch(schema["pattern"], longer) else text


def _objects(schema: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.from_regex(re.compile(schema["propertyNames"]["pattern"]), fullmatch=True).filter(
        lambda name: len(name) <= schema["propertyNames"]["maxLength"]
    )
    few = st.dictionaries(names, values_of(schema["additionalProperties"]), max_size=4)
    longest_text = "x" * schema["additionalProperties"]["maxLength"]
    full = {f"name_{n}" + "y" * 50: longest_text for n in range(schema["maxProperties"])}
    return st.one_of(few, st.just(full))


_BY_TYPE: dict[str, Any] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "string": _texts,
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "number": lambda schema: st.floats(schema["minimum"], schema["maximum"]),
    "object": _objects,
}


def confs_of(table: tuple[Parameter, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Every conf that a table allows."""
    return st.fixed_dictionaries({}, optional={row.name: values_of(row.schema) for row in table})


CONFS = confs_of(retraining_table.PARAMETERS)
MONITORING_CONFS = confs_of(monitoring_table.PARAMETERS)
