"""Judge the calls of the end-to-end tests by the policies of infrastructure/, and keep the documented table.

python -m scripts.policy_coverage judge [LOG]    the request log of a run, or the committed recording
python -m scripts.policy_coverage record LOG     replace the committed recording by a log's calls
python -m scripts.policy_coverage document [--check]   write (or compare) docs/policy-coverage.md
"""

import argparse
import sys
from pathlib import Path

from scripts.policy_coverage.coverage import (
    RoleCall,
    calls_of,
    judge,
    listed_calls,
    permitted_forbidden,
    read_recording,
    uncovered,
    unrecorded,
    unused_actions,
    unused_statements,
    write_recording,
)
from scripts.policy_coverage.coverage_page import coverage_page
from scripts.policy_coverage.iam_policies import PolicyError
from scripts.policy_coverage.listed_calls import NEEDED, UNUSED_ACTIONS_WITH_REASON, UNUSED_WITH_REASON
from scripts.policy_coverage.needed_permissions import UnknownRequestError
from scripts.policy_coverage.policy_templates import MODULES, PROJECT_ROOT, TemplateError
from scripts.policy_coverage.recorded_requests import RecordingError, read_requests

RECORDING = PROJECT_ROOT / "infrastructure" / "recorded_calls.json"
PAGE = PROJECT_ROOT / "docs" / "policy-coverage.md"


def problems_of(calls: list[RoleCall], *, is_complete: bool, modules: Path = MODULES) -> list[str]:
    """Return one line per call that is denied but needed, or allowed but forbidden.

    With `is_complete` calls also one per statement or action that nothing uses and that has no reason.
    """
    judged = judge(calls, modules=modules)
    lines = [
        f"not covered: role {one.role_call.role} needs {one.role_call.call.action} "
        f"on {one.role_call.call.resource}"
        + (f" with {dict(one.role_call.call.context)}" if one.role_call.call.context else "")
        + (f": denied by {one.decision.statement}" if one.decision.statement else ": no statement allows it")
        for one in uncovered([*judged, *judge(listed_calls(NEEDED), modules=modules)])
    ]
    lines += [
        f"forbidden but allowed: role {one.role_call.role}, {one.role_call.call.action} on "
        f"{one.role_call.call.resource} by {one.decision.statement} ({one.role_call.call.reason})"
        for one in permitted_forbidden(modules=modules)
    ]
    lines += [
        f"unused: no call needs statement {sid} of role {role}; remove it, or say in listed_calls.py why it "
        "stays"
        for role, sid in unused_statements(judged, modules)
        if is_complete and (role, sid) not in UNUSED_WITH_REASON
    ]
    lines += [
        f"unused: no call needs {action} of statement {sid} of role {role}; remove it, or say in "
        "listed_calls.py why it stays"
        for role, sid, action in unused_actions(judged, modules)
        if is_complete and (role, sid, action) not in UNUSED_ACTIONS_WITH_REASON
    ]
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked; returns 1 for anything uncovered, permitted, unused or outdated, 2 for a bad log."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("judge").add_argument("log", type=Path, nargs="?")
    commands.add_parser("record").add_argument("log", type=Path)
    commands.add_parser("document").add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    try:
        return {"judge": _judge, "record": _record, "document": _document}[options.command](options)
    except (RecordingError, UnknownRequestError, PolicyError, TemplateError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _judge(options: argparse.Namespace) -> int:
    recording = read_recording(RECORDING)
    calls = calls_of(read_requests(options.log)) if options.log else recording
    problems = problems_of(calls, is_complete=not options.log)
    problems += [
        f"not recorded: role {one.role}, {one.call.action} on {one.call.resource}; renew the recording: "
        f"python -m scripts.policy_coverage record {options.log}, then document"
        for one in unrecorded(calls, recording)
    ]
    for line in problems:
        print(line)
    source = options.log.name if options.log else f"committed recording {RECORDING.name}"
    print(f"{len(calls)} kinds of calls from {source} judged, {len(problems)} problems")
    return 1 if problems or not calls else 0


def _record(options: argparse.Namespace) -> int:
    calls = calls_of(read_requests(options.log))
    if not calls:
        print(f"error: {options.log} holds no call of any role; nothing was written", file=sys.stderr)
        return 2
    write_recording(calls, RECORDING)
    print(f"{len(calls)} kinds of calls in {RECORDING.relative_to(PROJECT_ROOT)}")
    return 0


def _document(options: argparse.Namespace) -> int:
    page = coverage_page(read_recording(RECORDING))
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"{PAGE.relative_to(PROJECT_ROOT)} is outdated: python -m scripts.policy_coverage document")
    return 1


if __name__ == "__main__":
    sys.exit(main())
