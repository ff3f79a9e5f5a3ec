"""Whether IAM policies allow a call: identity policies only, an explicit Deny wins, silence denies.

Covers what the policies of this project are written with; an operator that is not known here is an error, so
a policy cannot pass because it was not understood. Not covered: resource policies, permission boundaries,
session and service control policies.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class PolicyError(ValueError):
    """A policy cannot be judged; the one-line message names statement and reason."""


@dataclass(frozen=True)
class Call:
    """One permission that one call needs: IAM action, resource ARN, context keys; `reason` says why."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Decision:
    """The verdict on a call; `statement` is the Sid that decided, None when nothing matched."""

    is_allowed: bool
    statement: str | None


def decide(statements: Sequence[Mapping[str, Any]], call: Call) -> Decision:
    """Judge a call by the statements of all policies of a role; raises PolicyError."""
    matching = [statement for statement in statements if matches(statement, call)]
    for effect, is_allowed in (("Deny", False), ("Allow", True)):
        for statement in matching:
            if statement["Effect"] == effect:
                return Decision(is_allowed, str(statement["Sid"]))
    return Decision(is_allowed=False, statement=None)


def matches(statement: Mapping[str, Any], call: Call) -> bool:
    """Tell whether a statement speaks about a call: action, resource and every condition."""
    for word in ("NotAction", "NotResource", "Principal"):
        if word in statement:
            raise PolicyError(f"statement {statement.get('Sid')}: {word} is not judged here")
    action = call.action.lower()
    return (
        any(is_like(action, pattern.lower()) for pattern in listed(statement["Action"]))
        and any(is_like(call.resource, pattern) for pattern in listed(statement["Resource"]))
        and all(
            _holds(operator, key, listed(wanted), call, statement)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def listed(value: Any) -> list[str]:
    """Return what IAM lets be one text or a list of them as a list."""
    return [str(entry) for entry in value] if isinstance(value, list) else [str(value)]


def is_like(text: str, pattern: str) -> bool:
    """Tell whether a text matches a pattern of IAM, in which * and ? stand for any characters."""
    expression = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _is_equal(text: str, wanted: str) -> bool:
    return text == wanted


def _is_same_bool(text: str, wanted: str) -> bool:
    return text.lower() == wanted.lower()


# operator → (comparison, whether it asks for a difference)
_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_is_equal, False),
    "StringNotEquals": (_is_equal, True),
    "StringLike": (is_like, False),
    "StringNotLike": (is_like, True),
    "ArnEquals": (is_like, False),
    "ArnLike": (is_like, False),
    "ArnNotLike": (is_like, True),
    "Bool": (_is_same_bool, False),
}


def _holds(operator: str, key: str, wanted: list[str], call: Call, statement: Mapping[str, Any]) -> bool:
    """Judge one condition key; one that is absent fails, unless the operator asks for a difference."""
    name, has_if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if name not in _OPERATORS:
        raise PolicyError(f"statement {statement.get('Sid')}: the operator {operator} is not judged here")
    compare, asks_for_difference = _OPERATORS[name]
    context = {known.lower(): value for known, value in call.context.items()}
    value = context.get(key.lower())
    if value is None:
        return has_if_exists or asks_for_difference
    return any(compare(value, entry) for entry in wanted) != asks_for_difference
