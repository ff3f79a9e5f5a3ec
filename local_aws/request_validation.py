"""Checks a request against botocore's service model, limits included, as AWS does before anything else.

botocore's own validator (which runs in the client) checks types and required members only; lengths, patterns,
enums and ranges are checked here, with AWS's wording of the message.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import regex
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from local_aws.api_error import ApiError, validation_error

Violation = str
NUMBERS = ("integer", "long", "float", "double")


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's description of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def check_request(service: str, operation: str, parameters: Any) -> None:
    """Raise ValidationException with every violation, in AWS's words."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    if not isinstance(parameters, dict):
        raise ApiError("SerializationException", "The request body is not a JSON object")
    violations = _check_structure(shape, parameters, "")
    if violations:
        count = len(violations)
        plural = "s" if count > 1 else ""
        raise validation_error(f"{count} validation error{plural} detected: " + "; ".join(violations))


def _check(shape: Shape, value: Any, path: str) -> list[Violation]:
    checks: dict[str, Callable[..., list[Violation]]] = {
        "structure": _check_structure,
        "list": _check_list,
        "map": _check_map,
        "string": _check_string,
        "boolean": _check_boolean,
        "timestamp": _check_timestamp,
    }
    check = _check_number if shape.type_name in NUMBERS else checks.get(shape.type_name)
    return check(shape, value, path) if check else []


def _check_boolean(_shape: Shape, value: Any, path: str) -> list[Violation]:
    return [] if isinstance(value, bool) else [_type_violation(path, value, "a boolean")]


def _check_timestamp(_shape: Shape, value: Any, path: str) -> list[Violation]:
    return [] if isinstance(value, int | float) else [_type_violation(path, value, "a timestamp")]


def _check_structure(shape: StructureShape, value: Any, path: str) -> list[Violation]:
    if not isinstance(value, dict):
        return [_type_violation(path, value, "a structure")]
    violations = [
        f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
        for name in shape.required_members
        if value.get(name) is None
    ]
    unknown = [name for name in value if name not in shape.members]
    violations += [f"Value at '{_join(path, name)}' is not a member of {shape.name}" for name in unknown]
    for name, member in shape.members.items():
        if value.get(name) is not None:
            violations += _check(member, value[name], _join(path, name))
    return violations


def _check_list(shape: ListShape, value: Any, path: str) -> list[Violation]:
    if not isinstance(value, list):
        return [_type_violation(path, value, "a list")]
    violations = _check_length(shape, len(value), value, path)
    for position, item in enumerate(value, start=1):
        violations += _check(shape.member, item, f"{path}.{position}.member")
    return violations


def _check_map(shape: MapShape, value: Any, path: str) -> list[Violation]:
    if not isinstance(value, dict):
        return [_type_violation(path, value, "a map")]
    violations = _check_length(shape, len(value), value, path)
    for key, item in value.items():
        violations += _check(shape.key, key, f"{path}.key")
        violations += _check(shape.value, item, f"{path}.{key}.value")
    return violations


def _check_string(shape: Shape, value: Any, path: str) -> list[Violation]:
    if not isinstance(value, str):
        return [_type_violation(path, value, "a string")]
    violations = _check_length(shape, len(value), value, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        wanted = f"Member must satisfy regular expression pattern: {pattern}"
        violations.append(_violation(value, path, wanted))
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        violations.append(
            _violation(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
        )
    return violations


def _check_number(shape: Shape, value: Any, path: str) -> list[Violation]:
    whole = shape.type_name in {"integer", "long"}
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return [_type_violation(path, value, "an integer" if whole else "a number")]
    return _check_bounds(shape, value, value, path, "value")


def _check_length(shape: Shape, length: int, value: Any, path: str) -> list[Violation]:
    return _check_bounds(shape, length, value, path, "length")


def _check_bounds(shape: Shape, measure: float, value: Any, path: str, what: str) -> list[Violation]:
    violations = []
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and measure < minimum:
        violations.append(
            _violation(value, path, f"Member must have {what} greater than or equal to {minimum}")
        )
    if maximum is not None and measure > maximum:
        violations.append(_violation(value, path, f"Member must have {what} less than or equal to {maximum}"))
    return violations


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    # Two patterns of the model put a length after the end mark, `(…*)${1,256}`: Java reads that as nothing.
    cleaned = regex.sub(r"\$\{\d+,\d+\}$", "$", pattern)
    return regex.compile(cleaned)


def _violation(value: Any, path: str, constraint: str) -> Violation:
    text = str(value)
    shown = text if len(text) <= 256 else text[:256] + "…"
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _type_violation(path: str, value: Any, wanted: str) -> Violation:
    return f"Value of type {type(value).__name__} at '{path or 'request'}' is not {wanted}"


def _join(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered
