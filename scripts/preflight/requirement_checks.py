"""Checks of a requirements file against what an image holds: nothing that is pinned may move."""

import re
from collections.abc import Iterator, Mapping

from scripts.mwaa_images import constraint_of, normalized, requirement_lines, requirement_name
from scripts.preflight.findings import Finding, failed, passed

_EXACT = re.compile(r"^[A-Za-z0-9._-]+(\[[^\]]*\])?\s*===?\s*(?P<version>[A-Za-z0-9.!+_-]+)\s*(;.*)?$")
_IMAGE_IN_CONSTRAINT = re.compile(r"constraints-(\d+\.\d+\.\d+)")
# uv's lines of a dry run: " - name==1", " + name==2", " ~ name==3".
_CHANGE = re.compile(r"^ (?P<sign>[-+~]) (?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)


def check_requirements(file: str, text: str, image: str, pins: Mapping[str, str]) -> Iterator[Finding]:
    """Check constraint line and versions; `pins` are the image's, normalized name → version."""
    problems = [*_constraint_problems(text, image), *_version_problems(text, pins)]
    for problem in problems:
        yield failed("requirements", f"{file}{problem}", image)
    if not problems:
        count = len(requirement_lines(text))
        yield passed(
            "requirements",
            f"{file}: constraint of this image first, {count} packages, each at its version",
            image,
        )


def _constraint_problems(text: str, image: str) -> Iterator[str]:
    url = f"https://raw.githubusercontent.com/apache/airflow/constraints-{image}/constraints-3.12.txt"
    constraints = [
        (number, where)
        for number, line in enumerate(text.splitlines(), 1)
        if (where := constraint_of(line)) is not None
    ]
    if not constraints:
        yield f' has no constraint: pip may replace MWAA\'s own Airflow; begin with --constraint "{url}"'
        return
    number, where = constraints[0]
    first = min((number for number, _ in requirement_lines(text)), default=number + 1)
    if number > first:
        yield f", line {number}: the constraint comes after a package; put it first"
    named = _IMAGE_IN_CONSTRAINT.search(where)
    if named and named[1] != image:
        yield (
            f", line {number}: the constraint is of Airflow {named[1]}, the image is {image}; write "
            f'--constraint "{url}"'
        )


def _version_problems(text: str, pins: Mapping[str, str]) -> Iterator[str]:
    for number, line in requirement_lines(text):
        name, exact = requirement_name(line), _EXACT.match(line)
        if not name:
            yield f", line {number}: {line!r:.80} is not a package with a version; write name==version"
        elif name not in pins and exact is None:
            yield (
                f", line {number}: {line!r:.80} has no exact version and no constraint covers it, so every "
                f"start of a container may install another one; write {name}==VERSION, or take it out"
            )
        elif name in pins and exact is not None and exact["version"] != pins[name]:
            yield (
                f", line {number}: asks for {name} {exact['version']}, the image holds {pins[name]}; write "
                f"{name}=={pins[name]}, or leave the version out"
            )


def check_dry_run(
    file: str, output: str, succeeded: bool, image: str, pins: Mapping[str, str]
) -> Iterator[Finding]:
    """Read what uv would do in the image's environment: packages may come, none may change or go."""
    if not succeeded:
        reason = " ".join(output.split())[:300]
        yield failed(
            "resolve",
            f"{file} cannot be installed in this image: {reason}; change the version asked for",
            image,
        )
        return
    changes = [
        (match["sign"], normalized(match["name"]), match["version"]) for match in _CHANGE.finditer(output)
    ]
    gone = {name: version for sign, name, version in changes if sign == "-"}
    came = {name: version for sign, name, version in changes if sign == "+"}
    moved = sorted(set(gone) | {name for name in came if name in pins and pins[name] != came[name]})
    for name in moved:
        yield failed(
            "resolve",
            f"{file} would move {name} from {gone.get(name) or pins[name]} to {came.get(name, 'nothing')}, "
            "which MWAA pins; ask for a version that leaves it alone",
            image,
        )
    if not moved:
        new = ", ".join(f"{name} {version}" for name, version in sorted(came.items())) or "nothing"
        yield passed(
            "resolve", f"{file} resolves; moves none of {len(pins)} pinned packages, adds {new}", image
        )


def check_environment(
    image: str, installed: Mapping[str, str], locked: Mapping[str, str], constraints: Mapping[str, str] | None
) -> Iterator[Finding]:
    """Check that the environment is what lock and constraints say; else nothing here proves anything."""
    differing = sorted(name for name in locked if installed.get(name) != locked[name])
    foreign = sorted(set(installed) - set(locked))
    if differing or foreign:
        yield failed(
            "environment",
            f"{(differing + foreign)[0]} is not what requirements/preflight/{image}.lock says; remove "
            f".venvs/preflight-{image} and run make preflight again",
            image,
        )
        return
    if constraints is None:
        return
    off = sorted(name for name in locked if name in constraints and locked[name] != constraints[name])
    if off:
        yield failed(
            "environment",
            f"the lock has {off[0]} {locked[off[0]]}, MWAA's constraints {constraints[off[0]]}; make the "
            "lock anew (docs/deploying.md)",
            image,
        )
    else:
        covered = sum(name in constraints for name in locked)
        yield passed(
            "environment",
            f"{covered} of {len(locked)} packages at the version MWAA's constraints name",
            image,
        )
