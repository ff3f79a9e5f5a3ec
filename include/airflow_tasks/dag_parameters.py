"""A DAG's table of parameters, two readers more: the trigger form and the DAG's documentation."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Param

from include.settings.parameter_table import Parameter


def airflow_params(table: Sequence[Parameter]) -> dict[str, Param]:
    """Return the DAG's Params: typed, bounded, titled and described, in the table's order and sections."""
    return {
        parameter.name: Param(
            parameter.default,
            description=parameter.description,
            title=parameter.title,
            section=parameter.section,
            **parameter.schema,
        )
        for parameter in table
    }


def describe_parameters(table: Sequence[Parameter]) -> str:
    """Return the table as Markdown: name, default, bounds, and what it is for."""
    lines = ["| parameter | default | values | meaning |", "|---|---|---|---|"]
    for row in table:
        cells = (f"`{row.name}`", _default(row), _values(row), _escape(row.description))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _default(parameter: Parameter) -> str:
    return f"`{parameter.default}`" if parameter.default not in ("", {}) else "empty"


def _values(parameter: Parameter) -> str:
    schema: dict[str, Any] = dict(parameter.schema)
    if "enum" in schema:
        choices = schema["enum"]
        # The instance types are too many for a table; the trigger form lists them all.
        return (
            ", ".join(choices)
            if len(choices) <= 6
            else f"{choices[0]} … {choices[-1]}, {len(choices)} choices"
        )
    if "minimum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"text, up to {schema['maxLength']} characters"
    if "maxProperties" in schema:
        return f"object, up to {schema['maxProperties']} names"
    return "true or false"


def _escape(text: str) -> str:
    """Keep a placeholder such as <schema> from being taken for HTML."""
    return text.replace("<", "&lt;").replace("|", "\\|")
