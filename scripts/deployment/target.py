"""Where a bundle goes: read from Terraform's outputs, or from a JSON file of the same form."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from include.settings.deployment_parameters import (
    DRIFT_PARAMETERS,
    RETRAINING_PARAMETERS,
    check_deployed_parameters,
)
from include.settings.environment import EnvironmentSettingsError, MonitoringEnvironment
from include.settings.monitoring_table import PARAMETERS as DRIFT_TABLE
from include.settings.retraining_table import PARAMETERS as RETRAINING_TABLE
from include.settings.run_parameters import ParameterError
from scripts.deployment.errors import TargetError

_OUTPUT = "deployment"
_TEXTS = ("region", "environment_name", "artifact_bucket", "data_bucket", "dags_path", "bundle_path")
_SETTING = re.compile(r"CHURN_[A-Z_]+")
_TERRAFORM_SECONDS = 300


@dataclass(frozen=True)
class DeploymentTarget:
    """One MWAA environment, its buckets and folders, and the CHURN_ settings of its processes."""

    region: str
    environment_name: str
    artifact_bucket: str
    data_bucket: str
    dags_path: str
    bundle_path: str
    settings: Mapping[str, str]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], source: str) -> Self:
        """Read Terraform's output; raises TargetError that names what is missing or wrong."""
        missing = [name for name in (*_TEXTS, "settings") if not mapping.get(name)]
        if missing:
            raise TargetError(
                f"{source} has no {', '.join(missing)}; give the output of `terraform output -json {_OUTPUT}`"
            )
        settings = mapping["settings"]
        if not isinstance(settings, Mapping):
            raise TargetError(f"{source}: settings is not an object of variable names and values")
        target = cls(**{name: str(mapping[name]).strip("/") for name in _TEXTS}, settings=dict(settings))
        target.refuse_unusable_settings(source)
        return target

    def refuse_unusable_settings(self, source: str) -> None:
        """Hold the settings to what a run will ask of them; raises TargetError."""
        for name, value in self.settings.items():
            if not isinstance(value, str) or not _SETTING.fullmatch(name) or "'" in value or "\n" in value:
                raise TargetError(
                    f"{source}: setting {name!r:.60} must be a CHURN_ variable whose value is text without "
                    "a quote or a line break"
                )
        try:
            environment = MonitoringEnvironment.from_mapping(
                {"AWS_DEFAULT_REGION": self.region, **self.settings}
            )
            for table, variable in (
                (DRIFT_TABLE, DRIFT_PARAMETERS),
                (RETRAINING_TABLE, RETRAINING_PARAMETERS),
            ):
                check_deployed_parameters(table, self.settings.get(variable, ""), variable)
        except (EnvironmentSettingsError, ParameterError) as error:
            raise TargetError(f"{source}: {error}") from None
        if environment.artifact_bucket != self.artifact_bucket:
            raise TargetError(
                f"{source}: artifact_bucket is {self.artifact_bucket}, but CHURN_ARTIFACT_BUCKET "
                f"{environment.artifact_bucket}; both name the bucket that jobs and Airflow share"
            )

    def render_startup(self, script: bytes) -> bytes:
        """Return the startup script with the settings in front."""
        exports = "".join(f"export {name}='{value}'\n" for name, value in sorted(self.settings.items()))
        return f"#!/bin/sh\n{exports}".encode() + script


def read_target(environment: str, outputs: Path | None, project_root: Path) -> DeploymentTarget:
    """Read the outputs file, or ask Terraform in the environment's folder; raises TargetError."""
    if outputs is not None:
        try:
            text, source = outputs.read_text(), str(outputs)
        except OSError as error:
            raise TargetError(f"outputs file {outputs}: {error.strerror}") from None
    else:
        text, source = _ask_terraform(environment, project_root), f"Terraform's output of {environment}"
    try:
        mapping = json.loads(text)
        if isinstance(mapping.get(_OUTPUT), Mapping):  # all outputs, not this one only
            mapping = mapping[_OUTPUT]["value"]
    except (ValueError, AttributeError, KeyError) as error:
        raise TargetError(
            f"{source} is not the JSON of `terraform output -json {_OUTPUT}`: {error}"
        ) from None
    return DeploymentTarget.from_mapping(mapping, source)


def _ask_terraform(environment: str, project_root: Path) -> str:
    folder = project_root / "infrastructure" / "environments" / environment
    if not folder.is_dir():
        known = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
        raise TargetError(f"no environment {environment!r}; there are: {', '.join(known) or 'none'}")
    advice = (
        f"apply infrastructure/environments/{environment} first, or name a file with OUTPUTS=path "
        "(docs/deploying.md)"
    )
    try:
        done = subprocess.run(
            ["terraform", f"-chdir={folder}", "output", "-json", "-no-color", _OUTPUT],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TERRAFORM_SECONDS,
        )
    except FileNotFoundError:
        raise TargetError(f"terraform is not installed here; {advice}") from None
    if done.returncode != 0:
        raise TargetError(f"terraform output: {' '.join(done.stderr.split())[:300]}; {advice}")
    return done.stdout
