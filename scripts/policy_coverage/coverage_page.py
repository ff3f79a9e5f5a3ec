"""The documented table of docs/policy-coverage.md, made from the committed recording."""

from collections.abc import Iterable, Iterator

from scripts.policy_coverage.coverage import (
    Judged,
    RoleCall,
    general_resource,
    judge,
    listed_calls,
    unused_actions,
    unused_statements,
)
from scripts.policy_coverage.listed_calls import (
    FORBIDDEN,
    NEEDED,
    UNUSED_ACTIONS_WITH_REASON,
    UNUSED_WITH_REASON,
)

_INTRODUCTION = """# Policy coverage

Made by `python -m scripts.policy_coverage document`; do not edit. The claim, and no more: **every AWS call that
the end-to-end tests make is covered by the policies of `infrastructure/`, and the listed forbidden ones are not.**

- Airflow's calls and those of a person who approves were recorded at the stand-in's front while both DAGs ran
  through the real scheduler, with kills and stops (`CHURN_AWS_REQUEST_LOG`, [local_aws](../local_aws/README.md)).
  `make test` records and judges them anew; a kind of call that this page lacks, or a caller that nobody knows, fails.
- Calls of a job's role are derived from the requests that start jobs: the stand-in moves inputs and outputs
  itself.
- What only a deployment does is added to every request: encryption with the key, tags, PassRole, the network.
- What else an approver does, and the functions' calls, are listed by hand
  (`scripts/policy_coverage/listed_calls.py`).
- Judged are identity policies, by an evaluator of this project. Service control policies, boundaries, endpoint
  and resource policies are not looked at, and AWS was not asked.

Runs, dates and digests are written as `…`.
"""  # noqa: E501 - Markdown


def coverage_page(calls: Iterable[RoleCall]) -> str:
    """Return the page's Markdown."""
    judged = judge(calls)
    parts = [
        _INTRODUCTION,
        "## Needed and allowed\n",
        *_table(("role", "action", "resource", "when", "allowed by"), _needed_rows(judged)),
        "\n## Needed by people and functions, and allowed\n",
        *_table(
            ("role", "action", "resource", "when", "allowed by"), _needed_rows(judge(listed_calls(NEEDED)))
        ),
        "\n## Forbidden and denied\n",
        *_table(("role", "action", "resource", "when", "what would happen", "denied by"), _forbidden_rows()),
        "\n## Statements that nothing used\n",
        *_table(("role", "statement", "why it is there"), _unused_rows(judged)),
        "\n## Actions that nothing used, of statements that something used\n",
        *_table(("role", "statement", "action", "why it is there"), _unused_action_rows(judged)),
    ]
    return "\n".join(parts) + "\n"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _when(one: RoleCall) -> str:
    role_call_context = one.kind[3]
    return ", ".join(f"{key.partition(':')[2]} = {value or 'none'}" for key, value in role_call_context)


def _needed_rows(judged: Iterable[Judged]) -> Iterator[tuple[str, ...]]:
    for one in judged:
        call = one.role_call.call
        verdict = one.decision.statement if one.decision.is_allowed else "**NOT COVERED**"
        yield (
            one.role_call.role,
            f"`{call.action}`",
            f"`{general_resource(call.resource)}`",
            _when(one.role_call),
            str(verdict),
        )


def _forbidden_rows() -> Iterator[tuple[str, ...]]:
    for one in judge(listed_calls(FORBIDDEN)):
        call = one.role_call.call
        verdict = (
            "**ALLOWED**" if one.decision.is_allowed else one.decision.statement or "no statement allows it"
        )
        yield (
            one.role_call.role,
            f"`{call.action}`",
            f"`{general_resource(call.resource)}`",
            _when(one.role_call),
            call.reason,
            verdict,
        )


def _unused_rows(judged: list[Judged]) -> Iterator[tuple[str, ...]]:
    for role, sid in unused_statements(judged):
        yield role, sid, UNUSED_WITH_REASON.get((role, sid), "**NO REASON**")


def _unused_action_rows(judged: list[Judged]) -> Iterator[tuple[str, ...]]:
    for role, sid, action in unused_actions(judged):
        yield role, sid, f"`{action}`", UNUSED_ACTIONS_WITH_REASON.get((role, sid, action), "**NO REASON**")
