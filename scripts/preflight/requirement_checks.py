"""Checks of a requirements file against what an image holds: nothing that is pinned may move."""

import re
from collections.abc import Iterator, Mapping

from scripts.mwaa_images import (
    AIRFLOW_ITSELF,
    PYTHON_VERSION,
    constraint_of,
    constraint_url,
    normalized,
    option_lines,
    read_pins,
    requirement_lines,
    requirement_name,
)
from scripts.preflight.findings import Finding, failed, passed

# Where MWAA puts the folders of a bundle: a constraint may name a file that ships in one of them.
AIRFLOW_HOME = "/usr/local/airflow"

_EXACT = re.compile(r"^[A-Za-z0-9._-]+(\[[^\]]*\])?\s*===?\s*(?P<version>[A-Za-z0-9.!+_-]+)\s*(;.*)?$")
_RELEASE = re.compile(r"/constraints-(?P<airflow>\d+\.\d+\.\d+)/constraints-(?P<python>\d+\.\d+)\.txt$")
# uv's lines of a dry run: " - name==1", " + name==2", " ~ name==3".
_CHANGE = re.compile(r"^ (?P<sign>[-+~]) (?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
# Option → why it has no place in a bundle's requirements.
_OPTIONS = (
    (
        ("-r", "--requirement"),
        "reads another file, which MWAA's containers lack; write its lines here",
    ),
    (
        ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host"),
        "lets packages come from elsewhere than the constraint was made for; take the line out",
    ),
    (("-e", "--editable"), "installs a folder; ship own code in plugins/ or include/ and take the line out"),
)


def check_requirements(
    file: str, text: str, image: str, pins: Mapping[str, str], shipped: Mapping[str, str]
) -> Iterator[Finding]:
    """Check constraint, options and versions.

    `pins` are the image's, normalized name → version; `shipped` maps where MWAA puts a text file of the
    bundle (/usr/local/airflow/plugins/..., /usr/local/airflow/dags/...) → its text.
    """
    problems = [
        *_constraint_problems(text, image, pins, shipped),
        *_option_problems(text),
        *_version_problems(text, pins),
    ]
    for problem in problems:
        yield failed("requirements", f"{file}{problem}", image)
    if not problems:
        count = len(requirement_lines(text))
        yield passed(
            "requirements",
            f"{file}: one constraint, of this image, comes first; {count} packages, each at its version",
            image,
        )


def _constraint_problems(
    text: str, image: str, pins: Mapping[str, str], shipped: Mapping[str, str]
) -> Iterator[str]:
    wanted = f'--constraint "{constraint_url(image)}"'
    constraints = [
        (number, where)
        for number, line in enumerate(text.splitlines(), 1)
        if (where := constraint_of(line)) is not None
    ]
    if not constraints:
        yield f" has no constraint: pip may replace MWAA's own Airflow; begin with {wanted}"
        return
    number, where = constraints[0]
    for another, _ in constraints[1:]:
        yield f", line {another}: a second constraint beside that of line {number}; keep one, {wanted}"
    first = min((number for number, _ in requirement_lines(text)), default=number + 1)
    if number > first:
        yield f", line {number}: the constraint comes after a package; put it first"
    if where in shipped:
        fault = _shipped_fault(read_pins(shipped[where]), pins)
        if fault:
            yield f", line {number}: {where} {fault}; ship a copy of {constraint_url(image)}"
    elif where != constraint_url(image):
        yield f", line {number}: {_constraint_fault(where, image)}write {wanted}"


def _shipped_fault(constraints: Mapping[str, str], pins: Mapping[str, str]) -> str | None:
    for name, version in sorted(pins.items()):
        if name not in constraints and name not in AIRFLOW_ITSELF:
            return f"does not name {name}, which the image holds"
        if constraints.get(name, version) != version:
            return f"has {name} {constraints[name]}, the image holds {version}"
    return None


def _constraint_fault(where: str, image: str) -> str:
    release = _RELEASE.search(where)
    if where.startswith(f"{AIRFLOW_HOME}/"):
        return f"the bundle has no {where.removeprefix(AIRFLOW_HOME + '/')}; ship it there, or "
    if release and release["airflow"] != image:
        return f"the constraint is of Airflow {release['airflow']}, the image is {image}; "
    if release and release["python"] != PYTHON_VERSION:
        return f"the constraint is of Python {release['python']}, the image has {PYTHON_VERSION}; "
    return f"{where!r:.120} is no constraint file that MWAA's containers can read; "


def _option_problems(text: str) -> Iterator[str]:
    for number, line in option_lines(text):
        option = re.split(r"[ =]", line, maxsplit=1)[0]
        reason = next(
            (
                why
                for names, why in _OPTIONS
                # A short option may be written together with its value.
                if option in names or (option[1] != "-" and option[:2] in names)
            ),
            "is an option that nothing here needs; take the line out",
        )
        yield f", line {number}: {line!r:.80} {reason}"


def _version_problems(text: str, pins: Mapping[str, str]) -> Iterator[str]:
    for number, line in requirement_lines(text):
        name, exact = requirement_name(line), _EXACT.match(line)
        if not name or re.search(r"[/@\\]", line.split(";")[0]):
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
    image: str, installed: Mapping[str, str], locked: Mapping[str, str]
) -> Iterator[Finding]:
    """Check that the environment is what the lock says; else nothing here proves anything."""
    differing = sorted(name for name in locked if installed.get(name) != locked[name])
    foreign = sorted(set(installed) - set(locked))
    if differing or foreign:
        yield failed(
            "environment",
            f"{(differing + foreign)[0]} is not what requirements/preflight/{image}.lock says; remove "
            f".venvs/preflight-{image} and run make preflight again",
            image,
        )
    else:
        yield passed(
            "environment", f"{len(locked)} packages, as requirements/preflight/{image}.lock says", image
        )
