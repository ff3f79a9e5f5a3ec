"""What every DAG's run parameters have in common: conf over params over defaults, checked against a table."""

import difflib
from collections.abc import Mapping
from typing import Any

from include.settings.parameter_rules import problems
from include.settings.parameter_table import Parameter


class ParameterError(ValueError):
    """A run was told something unknown or out of bounds; the one-line message names every such parameter."""


def read_values(
    table: Mapping[str, Parameter], params: Mapping[str, Any] | None, conf: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Merge the table's defaults, a run's params and its conf (the later wins) and check the result.

    Returns one value of the exact Python type per row. Raises ParameterError that names every unknown key
    (with the nearest known one) and every bad value.
    """
    if conf is not None and not isinstance(conf, Mapping):
        raise ParameterError(f"conf must be a JSON object of parameters, not {conf!r:.80}")
    given = {**(params or {}), **(conf or {})}
    found = [_unknown(name, table) for name in given if name not in table]
    values = {name: given.get(name, row.default) for name, row in table.items()}
    for name, row in table.items():
        found += problems(values[name], row.schema, name)
    if found:
        raise ParameterError("; ".join(found))
    return {name: _exact(values[name], row) for name, row in table.items()}


def _unknown(name: object, table: Mapping[str, Parameter]) -> str:
    near = difflib.get_close_matches(str(name), table, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(table)}"
    return f"unknown parameter {name!r:.80} ({hint})"


def _exact(value: Any, row: Parameter) -> Any:
    """Return the value as its Python type: 42.0 becomes 42, 1 becomes 1.0, null the default."""
    if value is None:
        return row.default
    if row.schema["type"] == "integer":
        return int(value)
    if row.schema["type"] == "number":
        return float(value)
    return dict(value) if row.schema["type"] == "object" else value
