"""Render the policies of `infrastructure/` as Terraform's templatefile does, without Terraform.

The templates use two forms only: `${name}` and `${jsonencode(name)}`. Anything else is an error here, and a
test compares this rendering with Terraform's own.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parents[2]
MODULES = PROJECT_ROOT / "infrastructure" / "modules"
_EXPRESSION = re.compile(r"\$\{\s*(?:jsonencode\((?P<encoded>\w+)\)|(?P<plain>\w+))\s*\}")

# role → its policies, relative to the modules' folder
ROLE_POLICIES: Mapping[str, tuple[str, ...]] = {
    "airflow": (
        "roles/policies/airflow_environment.json.tftpl",
        "roles/policies/airflow_pipeline.json.tftpl",
    ),
    "job": ("roles/policies/job.json.tftpl",),
    "approver": ("roles/policies/approver.json.tftpl",),
    "start_retraining": ("trigger/policies/function.json.tftpl",),
    "job_costs": ("job_costs/policies/function.json.tftpl",),
}


class TemplateError(ValueError):
    """A policy template cannot be rendered; the one-line message names file and place."""


def render(template: Path, values: Mapping[str, Any]) -> str:
    """Return a template's text with its expressions replaced; raises TemplateError."""

    def replace(match: re.Match[str]) -> str:
        name = match["encoded"] or match["plain"]
        if name not in values:
            raise TemplateError(f"{template.name}: no value for {name}")
        return json.dumps(values[name]) if match["encoded"] else str(values[name])

    text = _EXPRESSION.sub(replace, template.read_text(encoding="utf-8"))
    if "${" in text or "%{" in text:
        raise TemplateError(f"{template.name}: an expression that is neither a name nor jsonencode(name)")
    return text


def role_statements(role: str, values: Mapping[str, Any], modules: Path = MODULES) -> list[dict[str, Any]]:
    """Return the statements of all policies of a role; raises TemplateError, also for broken JSON."""
    statements: list[dict[str, Any]] = []
    for name in ROLE_POLICIES[role]:
        try:
            document = json.loads(render(modules / name, values))
        except json.JSONDecodeError as error:
            raise TemplateError(f"{name}, line {error.lineno}: {error.msg}") from None
        statements += document["Statement"]
    sids = [statement["Sid"] for statement in statements]
    repeated = sorted({sid for sid in sids if sids.count(sid) > 1})
    if repeated:
        raise TemplateError(f"role {role}: the statement name {repeated[0]} is used twice")
    return statements


def policy_templates(modules: Path = MODULES) -> list[Path]:
    """Return every policy document of the modules, sorted; rendered or not."""
    return sorted(path for path in modules.glob("*/policies/*.json*") if path.is_file())
