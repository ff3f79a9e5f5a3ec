"""Check the Terraform code without an account: format, validity of both environments, tests of every module.

    python -m scripts.check_infrastructure

Exit status 0 also when Terraform or its provider is absent; the last line then begins with SKIPPED.
"""

import sys
import tempfile
import time
from pathlib import Path

from scripts.terraform_runs import (
    ENVIRONMENTS,
    INFRASTRUCTURE,
    Terraform,
    TerraformAbsentError,
    copy_infrastructure,
    find_terraform,
    running_provider,
)


def check_format(terraform: Terraform) -> list[str]:
    """Return the files that `terraform fmt` would change."""
    done = terraform.run(INFRASTRUCTURE, "fmt", "-check", "-recursive", "-no-color")
    return [f"terraform fmt would change {line}" for line in (done.stdout + done.stderr).splitlines()]


def check_validity(terraform: Terraform, copied: Path) -> list[str]:
    """Return what is wrong in either environment or any module they use."""
    problems = []
    for environment in ENVIRONMENTS:
        folder = copied / "environments" / environment
        terraform.initialise(folder)
        for finding in terraform.validate(folder):
            place = finding.get("range") or {}
            line = place.get("start", {}).get("line", "?")
            problems.append(f"{environment}: {place.get('filename', '?')}:{line}: {finding['summary']}")
    return problems


def check_tests(terraform: Terraform, copied: Path) -> list[str]:
    """Run `terraform test` with mock providers; returns its output when something failed."""
    folder = copied / "modules" / "platform"
    terraform.initialise(folder)
    done = terraform.run(folder, "test", "-no-color")
    lines = done.stdout.strip().splitlines()
    print(f"   {lines[-1] if lines else 'no output'}")
    return [done.stdout + done.stderr] if done.returncode else []


def main() -> int:
    """Run all checks, each with its time; returns 1 when one of them found something."""
    with tempfile.TemporaryDirectory(prefix="infrastructure-") as temporary:
        try:
            terraform = find_terraform(Path(temporary))
        except TerraformAbsentError as absence:
            print(f"SKIPPED: {absence}")
            return 0
        copied = copy_infrastructure(Path(temporary))
        first = copied / "environments" / ENVIRONMENTS[0]
        terraform.initialise(first)
        problems: list[str] = []
        with running_provider(terraform, first) as attached:
            steps = (
                ("format", lambda: check_format(attached)),
                ("validity of both environments", lambda: check_validity(attached, copied)),
                ("tests with mock providers", lambda: check_tests(attached, copied)),
            )
            for name, step in steps:
                started = time.monotonic()
                found = step()
                problems += found
                print(f"{name}: {'FAILED' if found else 'ok'} ({time.monotonic() - started:.0f} s)")
        for problem in problems:
            print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
