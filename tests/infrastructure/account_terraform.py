"""Apply an environment of `infrastructure/` on the account stand-in, and look at what was made."""

import json
import subprocess
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from scripts.terraform_runs import Terraform, copy_infrastructure

CHECKOUT = Path(__file__).resolve().parents[2]
STAND_IN_PYTHON = CHECKOUT / ".venvs/local_aws/bin/python"
ACCOUNT_ID = "123456789012"
REGION = "eu-west-1"
APPROVER = f"arn:aws:iam::{ACCOUNT_ID}:role/ml-lead"
START_TIMEOUT_SECONDS = 60.0

# Terraform's name of a service → the first part of its host name.
_HOSTS = {
    "budgets": "budgets",
    "cloudwatch": "monitoring",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "ec2": "ec2",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "mwaa": "airflow",
    "s3": "s3",
    "s3control": "s3-control",
    "sagemaker": "api.sagemaker",
    "sns": "sns",
    "sqs": "sqs",
    "sts": "sts",
}
# What a person looks up before Terraform takes the example.
_PRICES = '{ "ml.m5.large" = 0.115, "ml.m5.xlarge" = 0.23 }'


@dataclass(frozen=True)
class AppliedAccount:
    """An environment that was applied: its folder, the stand-in's port, and what Terraform printed."""

    terraform: Terraform
    folder: Path
    port: int
    printed: str

    def planned_changes(self, plan: str) -> dict[str, list[str]]:
        """Plan anew and return address → actions of everything that Terraform wants to change."""
        planned = self.terraform.run(self.folder, "plan", "-input=false", "-no-color", f"-out={plan}")
        if planned.returncode:
            raise RuntimeError(f"terraform plan: {planned.stderr[-4000:]}")
        shown = json.loads(self.terraform.run(self.folder, "show", "-json", plan).stdout)
        return {
            change["address"]: change["change"]["actions"]
            for change in shown["resource_changes"]
            if change["change"]["actions"] not in (["no-op"], ["read"])
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client for the stand-in."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id="stand-in",
            aws_secret_access_key="stand-in",
            config=Config(inject_host_prefix=False, s3={"addressing_style": "path"}),
        )

    @cached_property
    def deployment(self) -> dict[str, Any]:
        """What `make deploy` is told."""
        deployment: dict[str, Any] = json.loads(
            self.terraform.run(self.folder, "output", "-json", "deployment").stdout
        )
        return deployment

    @cached_property
    def planned_values(self) -> dict[str, Any]:
        """Address → values of every resource, from a plan as JSON."""
        shown = self.terraform.run(self.folder, "show", "-json", "first.plan")
        return resource_values(json.loads(shown.stdout)["planned_values"]["root_module"])


def resource_values(module: dict[str, Any]) -> dict[str, Any]:
    """Return address → values of a module's resources and of those of its modules."""
    values = {resource["address"]: resource.get("values", {}) for resource in module.get("resources", [])}
    for child in module.get("child_modules", []):
        values |= resource_values(child)
    return values


def start_stand_in(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the account stand-in; returns its process and port."""
    folder.mkdir(parents=True, exist_ok=True)
    port_file = folder / "port"
    with (folder / "stand_in.log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(STAND_IN_PYTHON),
                str(CHECKOUT / "tests/infrastructure/account_stand_in.py"),
                str(port_file),
                str(folder / "refused.log"),
            ],
            cwd=CHECKOUT,
            env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
    while not (port_file.exists() and port_file.read_text()):
        if process.poll() is not None or time.monotonic() > give_up_at:
            process.kill()
            raise RuntimeError(f"the stand-in did not start: {(folder / 'stand_in.log').read_text()}")
        time.sleep(0.1)
    return process, int(port_file.read_text())


def prepare_environment(terraform: Terraform, target: Path, port: int, environment: str) -> Path:
    """Copy the code, point its provider at the stand-in, fill in what a person would; returns the folder."""
    folder = copy_infrastructure(target) / "environments" / environment
    (folder / "stand_in_override.tf").write_text(_override(port))
    example = (folder / "terraform.tfvars.example").read_text()
    named = example.replace("approver_principal_arns = []", f'approver_principal_arns = ["{APPROVER}"]')
    priced = named.replace("instance_hour_prices = {}", f"instance_hour_prices = {_PRICES}")
    (folder / "terraform.tfvars").write_text(priced)
    done = terraform.run(folder, "init", "-input=false", "-no-color")
    if done.returncode:
        raise RuntimeError(f"terraform init: {done.stderr}")
    return folder


def plan_and_apply(terraform: Terraform, folder: Path) -> str:
    """Plan, keep the plan, apply it; returns what was printed, raises RuntimeError with the errors."""
    printed = ""
    for arguments in (
        ("plan", "-input=false", "-no-color", "-out=first.plan"),
        ("apply", "-input=false", "-no-color", "-parallelism=30", "first.plan"),
    ):
        done = terraform.run(folder, *arguments)
        printed += done.stdout
        if done.returncode:
            raise RuntimeError(f"terraform {arguments[0]}: {done.stderr[-4000:]}")
    return printed


def _override(port: int) -> str:
    """Return the override file: plain HTTP through the stand-in as proxy, a local state."""
    endpoints = "\n".join(
        f'    {service} = "http://{host}.{REGION}.amazonaws.com"' for service, host in _HOSTS.items()
    )
    return f"""
terraform {{
  backend "local" {{}}
}}

provider "aws" {{
  access_key              = "stand-in"
  secret_key              = "stand-in"
  http_proxy              = "http://127.0.0.1:{port}"
  https_proxy             = "http://127.0.0.1:{port}"
  max_retries             = 2
  skip_metadata_api_check = true
  skip_region_validation  = true
  s3_use_path_style       = true

  endpoints {{
{endpoints}
  }}
}}
"""
