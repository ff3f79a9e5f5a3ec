"""Check a value against the part of JSON Schema that the parameter table uses; standard library only.

Airflow checks the same schemas with the jsonschema package, in the trigger form and over REST. This check is
stricter where JSON Schema is loose (a NaN, a pattern that a trailing newline slips through) and runs where
jsonschema is not installed. A test holds the two against each other. A pattern is explained to people by the
schema's `$comment`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

KNOWN_KEYWORDS = frozenset(
    {
        "type", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern",
        "maxProperties", "propertyNames", "additionalProperties", "$comment",
    }
)  # fmt: skip
_TYPE_NAMES = {
    "null": "empty",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object of names and values",
}


def problems(value: object, schema: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield one sentence per breach; nothing when the value is fine. `name` is what the sentences call it."""
    types = schema["type"] if isinstance(schema["type"], list | tuple) else [schema["type"]]
    if not any(_is_type(value, type_name) for type_name in types):
        wanted = " or ".join(_TYPE_NAMES[type_name] for type_name in types)
        yield f"{name} must be {wanted}, not {_shown(value)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{name} must be one of {', '.join(map(str, schema['enum']))}, not {_shown(value)}"
    if isinstance(value, str):
        yield from _text_problems(value, schema, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_problems(value, schema, name)
    elif isinstance(value, Mapping):
        yield from _object_problems(value, schema, name)


def _is_type(value: object, type_name: str) -> bool:
    if type_name == "null":
        return value is None
    if type_name == "string":
        return isinstance(value, str)
    if type_name == "boolean":
        return isinstance(value, bool)
    if type_name == "object":
        return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    # JSON does not tell 42 from 42.0, so neither do we; 42.5 is not a whole number.
    return type_name == "number" or value == int(value)


def _text_problems(value: str, schema: Mapping[str, Any], name: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{name} must not be empty"
    elif len(value) > schema.get("maxLength", math.inf):
        yield f"{name} has {len(value)} characters; at most {schema['maxLength']} are allowed"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{name} is {_shown(value)}, but must be {schema['$comment']}"


def _number_problems(value: float, schema: Mapping[str, Any], name: str) -> Iterator[str]:
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if not low <= value <= high:
        yield f"{name} must lie between {low:,} and {high:,}, not {_shown(value)}"


def _object_problems(value: Mapping[str, Any], schema: Mapping[str, Any], name: str) -> Iterator[str]:
    if len(value) > schema.get("maxProperties", math.inf):
        yield f"{name} has {len(value)} entries; at most {schema['maxProperties']} are allowed"
        return
    for key, entry in value.items():
        if "propertyNames" in schema:
            yield from problems(key, {"type": "string", **schema["propertyNames"]}, f"a name in {name}")
        if "additionalProperties" in schema:
            yield from problems(entry, schema["additionalProperties"], f"{name}.{key:.80}")


def _shown(value: object) -> str:
    return f"{value!r:.80}"
