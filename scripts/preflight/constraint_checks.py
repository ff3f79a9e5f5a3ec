"""Comparison of an image's committed lock with the constraints that MWAA itself puts into that image.

MWAA's files are not part of this project. Where they are not at hand the comparison says so; nothing is
fetched.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.mwaa_images import AIRFLOW_ITSELF, read_pins
from scripts.preflight.findings import Finding, failed, passed, skipped

CONSTRAINTS_VARIABLE = "CHURN_MWAA_CONSTRAINTS"


def constraints_folder(project_root: Path) -> Path:
    """Return the folder of MWAA's constraints-VERSION.txt: the variable's, else one beside the checkout."""
    return Path(os.environ.get(CONSTRAINTS_VARIABLE) or project_root.parent / "shared" / "mwaa")


def read_constraints(folder: Path, image: str) -> dict[str, str] | None:
    """Return normalized name → version of MWAA's constraints for an image, or None when they are absent."""
    file = folder / f"constraints-{image}.txt"
    return read_pins(file.read_text()) if file.is_file() else None


def check_constraints(image: str, locked: Mapping[str, str], folder: Path) -> Iterator[Finding]:
    """Check that every locked package, Airflow itself aside, has the version that MWAA's constraints name."""
    lock = f"requirements/preflight/{image}.lock"
    named = read_constraints(folder, image)
    if named is None:
        yield skipped(
            "constraints",
            f"NOT compared: {lock} with MWAA's own constraints, because {folder}/constraints-{image}.txt is "
            f"not there; {CONSTRAINTS_VARIABLE} names the folder",
            image,
        )
        return
    compared = sorted(locked.keys() - AIRFLOW_ITSELF)
    off = [name for name in compared if named.get(name) != locked[name]]
    for name in off[:1]:
        fault = (
            f"the lock has {name} {locked[name]}, MWAA's constraints {named[name]}"
            if name in named
            else f"MWAA's constraints do not name {name}, which the lock has"
        )
        yield failed("constraints", f"{fault}; make the lock anew (docs/deploying.md)", image)
    if not off:
        yield passed(
            "constraints",
            f"{len(compared)} packages of {lock}, each at the version of MWAA's constraints",
            image,
        )
