"""Judge recorded calls by the rendered policies: what is allowed by which statement, and what is not."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.policy_coverage.iam_policies import Call, Decision, decide, is_like, listed
from scripts.policy_coverage.job_permissions import job_permissions
from scripts.policy_coverage.listed_calls import FORBIDDEN, LAPTOP_VALUES, NEEDED
from scripts.policy_coverage.needed_permissions import needed_permissions
from scripts.policy_coverage.policy_templates import MODULES, ROLE_POLICIES, role_statements
from scripts.policy_coverage.recorded_requests import RecordedRequest, RecordingError

# Who calls (the access key that each part of the stack has) → the role that makes the call in a deployment.
# The laptop's tools and the tests act as an administrator, whom no policy of this project describes.
_ROLE_OF_CALLER: Mapping[str, str | None] = {
    "airflow": "airflow",
    "approver": "approver",
    "local": "job",
    "laptop": None,
}
_RUN_PARTS = re.compile(r"(?<![:0-9a-f])[0-9a-f]{10,64}|\d{4}-\d\d-\d\d|g\d+-a\d+|(?<=/)\d+(?=/|$)")


@dataclass(frozen=True)
class RoleCall:
    """A call and the role that makes it."""

    role: str
    call: Call

    @property
    def kind(self) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
        """What tells this call from others once runs, dates and digests are left out."""
        return (
            self.role,
            self.call.action,
            general_resource(self.call.resource),
            tuple(sorted((key, _general(value)) for key, value in self.call.context.items())),
        )


@dataclass(frozen=True)
class Judged:
    """A call and the verdict on it."""

    role_call: RoleCall
    decision: Decision


def calls_of(
    requests: Iterable[RecordedRequest], values: Mapping[str, Any] = LAPTOP_VALUES
) -> list[RoleCall]:
    """Return one call of each kind that the requests of every role, and the jobs they start, need; sorted.

    Requests of the laptop's own tools are left out. Raises RecordingError for a caller that nobody knows.
    """
    calls: dict[Any, RoleCall] = {}
    for request in requests:
        if request.caller not in _ROLE_OF_CALLER:
            raise RecordingError(
                f"unknown caller {request.caller!r} of {request.service}:{request.action or request.path}; "
                "name its role in _ROLE_OF_CALLER of scripts/policy_coverage/coverage.py"
            )
        caller_role = _ROLE_OF_CALLER[request.caller]
        if caller_role is None:
            continue
        of_roles = (
            (caller_role, needed_permissions(request, values)),
            ("job", job_permissions(request, values)),
        )
        for role, needed in of_roles:
            for call in needed:
                role_call = RoleCall(role, call)
                calls.setdefault(role_call.kind, role_call)
    return [calls[kind] for kind in sorted(calls)]


def general_resource(arn: str) -> str:
    """Return an ARN without what differs from run to run: an object is its first folder and its name."""
    if ":s3:::" in arn and "/" in arn:
        bucket, _, key = arn.partition("/")
        folders = key.split("/")
        middle = ["…"] if len(folders) > 2 else []
        ends = folders if len(folders) < 3 else [folders[0], *middle, folders[-1]]
        return f"{bucket}/{'/'.join(_general(part) for part in ends)}"
    return re.sub(
        r"(-job/churn-[a-z]+(?:-drift)?)-.*", r"\1-…", _general(re.sub(r"(log-stream:).*", r"\1…", arn))
    )


def _general(text: str) -> str:
    if "/" in text and not text.startswith(("arn:", "/")):
        return f"{text.split('/', maxsplit=1)[0]}/…"
    return _RUN_PARTS.sub("…", text)


def listed_calls(listed: Mapping[str, list[Call]]) -> list[RoleCall]:
    """Return calls of a hand-written list with their roles."""
    return [RoleCall(role, call) for role, calls in listed.items() for call in calls]


def judge(
    calls: Iterable[RoleCall], values: Mapping[str, Any] = LAPTOP_VALUES, modules: Path = MODULES
) -> list[Judged]:
    """Judge every call by its role's policies; raises PolicyError and TemplateError."""
    statements = {role: role_statements(role, values, modules) for role in ROLE_POLICIES}
    return [Judged(one, decide(statements[one.role], one.call)) for one in calls]


def uncovered(judged: Iterable[Judged]) -> list[Judged]:
    """Return what should be allowed and is not."""
    return [one for one in judged if not one.decision.is_allowed]


def permitted_forbidden(values: Mapping[str, Any] = LAPTOP_VALUES, modules: Path = MODULES) -> list[Judged]:
    """Return what should be denied and is not."""
    return [one for one in judge(listed_calls(FORBIDDEN), values, modules) if one.decision.is_allowed]


def unused_statements(judged: Iterable[Judged], modules: Path = MODULES) -> list[tuple[str, str]]:
    """Return role and name of every statement that decided none of the calls, listed ones included."""
    everything = [
        *judged,
        *judge(listed_calls(NEEDED), modules=modules),
        *judge(listed_calls(FORBIDDEN), modules=modules),
    ]
    used = {(one.role_call.role, one.decision.statement) for one in everything}
    return [
        (role, statement["Sid"])
        for role in ROLE_POLICIES
        for statement in role_statements(role, LAPTOP_VALUES, modules)
        if (role, statement["Sid"]) not in used
    ]


def unused_actions(judged: Iterable[Judged], modules: Path = MODULES) -> list[tuple[str, str, str]]:
    """Return role, statement and action of what decided no call, in statements that decided some."""
    everything = [
        *judged,
        *judge(listed_calls(NEEDED), modules=modules),
        *judge(listed_calls(FORBIDDEN), modules=modules),
    ]
    decided: dict[tuple[str, str | None], set[str]] = {}
    for one in everything:
        key = one.role_call.role, one.decision.statement
        decided.setdefault(key, set()).add(one.role_call.call.action)
    return [
        (role, statement["Sid"], action)
        for role in ROLE_POLICIES
        for statement in role_statements(role, LAPTOP_VALUES, modules)
        if (role, statement["Sid"]) in decided
        for action in listed(statement["Action"])
        if not any(is_like(made.lower(), action.lower()) for made in decided[role, statement["Sid"]])
    ]


def unrecorded(calls: Iterable[RoleCall], recording: Iterable[RoleCall]) -> list[RoleCall]:
    """Return the calls of a kind that a recording does not hold."""
    known = {one.kind for one in recording}
    return [one for one in calls if one.kind not in known]


def write_recording(calls: Iterable[RoleCall], path: Path) -> None:
    """Write calls as JSON, one a line."""
    lines = [
        json.dumps(
            {
                "role": one.role,
                "action": one.call.action,
                "resource": one.call.resource,
                "context": dict(one.call.context),
                "reason": one.call.reason,
            },
            ensure_ascii=False,
        )
        for one in calls
    ]
    path.write_text("[\n  " + ",\n  ".join(lines) + "\n]\n", encoding="utf-8")


def read_recording(path: Path) -> list[RoleCall]:
    """Read calls that `write_recording` wrote."""
    return [
        RoleCall(entry["role"], Call(entry["action"], entry["resource"], entry["context"], entry["reason"]))
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
