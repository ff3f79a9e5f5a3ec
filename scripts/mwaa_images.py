"""The MWAA images that a bundle is made for and proven on, and what each of them holds."""

import re
from pathlib import Path

# The first is the one that Terraform makes; an environment of the others can be deployed to as well.
AIRFLOW_VERSIONS = ("3.3.1", "3.2.1")
PYTHON_VERSION = "3.12"
# What an image holds and the constraints of its own release do not name.
AIRFLOW_ITSELF = frozenset({"apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk"})

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<rest>.*)$")
# pip takes `-c FILE`, `-cFILE`, `--constraint FILE` and `--constraint=FILE`.
_CONSTRAINT = re.compile(r"^(-c|--constraint(?=[ =]))[ =]*(?P<where>.*)$")
_IMAGE_IN_URL = re.compile(r"constraints-\d+\.\d+\.\d+/")


class ImageError(Exception):
    """An image or a package that is not known; the message is one line that says what to do."""


def lock_file(project_root: Path, airflow_version: str) -> Path:
    """Return the committed lock of the environment that stands for an image."""
    return project_root / "requirements" / "preflight" / f"{airflow_version}.lock"


def requirements_name(airflow_version: str) -> str:
    """Return the bundle's requirements file for an image; the newest image has the plain name."""
    if airflow_version not in AIRFLOW_VERSIONS:
        raise ImageError(
            f"no bundle is proven on Airflow {airflow_version} (proven: {', '.join(AIRFLOW_VERSIONS)}); "
            "add its lock to requirements/preflight and its number to scripts/mwaa_images.py, then run "
            "make preflight"
        )
    suffix = "" if airflow_version == AIRFLOW_VERSIONS[0] else f"-{airflow_version}"
    return f"requirements{suffix}.txt"


def normalized(name: str) -> str:
    """Return a package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(text: str) -> dict[str, str]:
    """Return normalized name → version of every `name==version` line of a lock or constraints file."""
    return {normalized(match["name"]): match["version"] for match in _PIN.finditer(text)}


def constraint_url(airflow_version: str) -> str:
    """Return the public constraints of an Airflow release, from which MWAA's own for its image are copied."""
    return (
        "https://raw.githubusercontent.com/apache/airflow/"
        f"constraints-{airflow_version}/constraints-{PYTHON_VERSION}.txt"
    )


def constraint_of(line: str) -> str | None:
    """Return the path or URL of a constraint line, or None for another line."""
    match = _CONSTRAINT.match(line.split(" #", maxsplit=1)[0].strip())
    return match["where"].strip().strip("\"'") if match else None


def requirement_lines(text: str) -> list[tuple[int, str]]:
    """Return line number and text of what a requirements file asks for, options and comments left out."""
    return [(number, line) for number, line in _meant_lines(text) if not line.startswith("-")]


def option_lines(text: str) -> list[tuple[int, str]]:
    """Return line number and text of a requirements file's options, constraints left out."""
    return [
        (number, line)
        for number, line in _meant_lines(text)
        if line.startswith("-") and constraint_of(line) is None
    ]


def _meant_lines(text: str) -> list[tuple[int, str]]:
    numbered = [(number, line.split(" #")[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, line) for number, line in numbered if line and not line.startswith("#")]


def requirement_name(line: str) -> str:
    """Return the normalized package name of a requirement, extras and version left out."""
    match = _REQUIREMENT.match(line)
    return normalized(match["name"]) if match else ""


def requirements_for_image(text: str, airflow_version: str, pins: dict[str, str]) -> str:
    """Return the project's requirements with one image's constraint and versions; raises ImageError."""
    lines = []
    asked = {number for number, _ in requirement_lines(text)}
    for number, line in enumerate(text.splitlines(), 1):
        if constraint_of(line) is not None:
            lines.append(_IMAGE_IN_URL.sub(f"constraints-{airflow_version}/", line))
        elif number in asked:
            name = requirement_name(line)
            if name not in pins:
                raise ImageError(
                    f"requirements.txt, line {number}: MWAA's image {airflow_version} has no {name}; "
                    "ship what needs it in a job image"
                )
            lines.append(f"{line.split('==')[0].strip()}=={pins[name]}")
        else:
            lines.append(line.replace(AIRFLOW_VERSIONS[0], airflow_version))
    return "\n".join(lines) + "\n"
