"""Run Terraform with what is on this machine: its binary, a copy of the AWS provider, no network, no account.

Everything happens in a copy of `infrastructure/`, so that neither providers nor states land in the checkout.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.build_function_archives import build_function_archives

PROJECT_ROOT = Path(__file__).resolve().parent.parent
INFRASTRUCTURE = PROJECT_ROOT / "infrastructure"
ENVIRONMENTS = ("development", "production")
MIRROR_VARIABLE = "CHURN_TERRAFORM_MIRROR"
_PROVIDER = "registry.terraform.io/hashicorp/aws"
_MIRROR_PLACES = (
    "~/.terraform.d/plugins",
    "~/.terraform.d/plugin-cache",
    "/usr/share/*",
    "/usr/share/terraform/plugins",
    "/usr/local/share/*",
    "/usr/local/share/terraform/plugins",
    "/opt/*",
    "/opt/terraform/*",
)
_REATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")
_NOT_COPIED = shutil.ignore_patterns(
    ".terraform", ".terraform.lock.hcl", "*.tfstate*", "*.tfvars", "backend.hcl"
)


class TerraformAbsentError(Exception):
    """Terraform or its AWS provider is not on this machine; the one-line message says which."""


@dataclass(frozen=True)
class Terraform:
    """Terraform with a command-line configuration of its own; attached to a running provider, or to none."""

    binary: Path
    cli_config: Path
    attached_provider: str = ""

    def run(
        self, directory: Path, *arguments: str, timeout_seconds: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run one command in a directory; nothing of the caller's AWS or Terraform settings leaks in."""
        environment = {
            **_inherited_variables(),
            "TF_CLI_CONFIG_FILE": str(self.cli_config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if self.attached_provider:
            environment["TF_REATTACH_PROVIDERS"] = self.attached_provider
        return subprocess.run(
            [str(self.binary), f"-chdir={directory}", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
        )

    def initialise(self, directory: Path) -> None:
        """Make a folder ready, without its backend; raises RuntimeError with Terraform's words."""
        done = self.run(directory, "init", "-backend=false", "-input=false", "-no-color")
        if done.returncode:
            raise RuntimeError(f"terraform init in {directory.name}: {done.stderr.strip()}")

    def validate(self, directory: Path) -> list[dict[str, Any]]:
        """Return what `terraform validate` finds wrong, one mapping per finding."""
        done = self.run(directory, "validate", "-json")
        findings: list[dict[str, Any]] = json.loads(done.stdout)["diagnostics"]
        return findings


def _inherited_variables() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_")) and not name.lower().endswith("_proxy")
    }


@contextmanager
def running_provider(terraform: Terraform, initialised: Path) -> Iterator[Terraform]:
    """Run the provider that `terraform init` chose for a folder; yields Terraform attached to it.

    Terraform otherwise starts it several times per command, which is most of what a short command costs.
    The provider keeps one configuration: let one process at a time plan or apply with it. Raises RuntimeError
    when it does not start.
    """
    binary = next((initialised / ".terraform" / "providers" / _PROVIDER).glob("*/*/terraform-provider-aws*"))
    environment = {**_inherited_variables(), "AWS_EC2_METADATA_DISABLED": "true"}
    with subprocess.Popen(
        [str(binary), "-debug"],
        cwd=initialised,  # it reads files by the paths that it is given
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            lines = iter(process.stdout or ())
            found = next(filter(None, (_REATTACH.search(line) for line in lines)), None)
            if found is None:
                raise RuntimeError(f"the provider {binary} ended before it could be attached to")
            yield replace(terraform, attached_provider=found[1])
        finally:
            process.terminate()


def find_terraform(work_directory: Path) -> Terraform:
    """Return Terraform, configured with a provider found on this machine; raises TerraformAbsentError."""
    binary = shutil.which("terraform")
    if binary is None:
        raise TerraformAbsentError("terraform is not installed: install Terraform 1.10 or later")
    mirror = next(_mirrors(), None)
    if mirror is None:
        raise TerraformAbsentError(
            f"no copy of the provider {_PROVIDER} is on this machine: run `terraform providers mirror DIR` "
            f"in infrastructure/environments/development where there is a network, and set "
            f"{MIRROR_VARIABLE}=DIR"
        )
    work_directory.mkdir(parents=True, exist_ok=True)
    config = work_directory / "terraform.rc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return Terraform(binary=Path(binary), cli_config=config)


def _mirrors() -> Iterator[Path]:
    """Yield the folders that hold the provider, the one that was named first."""
    named = os.environ.get(MIRROR_VARIABLE)
    places = (named, *_MIRROR_PLACES) if named else _MIRROR_PLACES
    for place in places:
        path = Path(place).expanduser()
        for found in path.parent.glob(path.name):
            if any((found / _PROVIDER).glob("*/*_*/terraform-provider-aws*")) or any(
                (found / _PROVIDER).glob("terraform-provider-aws*.zip")
            ):
                yield found


def copy_infrastructure(target: Path) -> Path:
    """Copy infrastructure/ and build the functions beside it, where the configuration looks for them."""
    copied = target / "infrastructure"
    shutil.copytree(INFRASTRUCTURE, copied, ignore=_NOT_COPIED)
    build_function_archives(target / "dist" / "functions")
    return copied
