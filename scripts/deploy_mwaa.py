"""Bring the bundle to an MWAA environment, or take it back.

    python -m scripts.deploy_mwaa --environment NAME [--dry-run] [--rollback]

Job code, plugins.zip, requirements and startup script, an update of the environment when one of them changed,
DAG files last; then Airflow itself is asked whether it runs them. Run again after a failure or a kill, it
goes on where it stopped. Exit code 2: nothing was begun; 1: it stopped on the way.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from scripts.build_mwaa_bundle import DEFAULT_OUTPUT_DIR, PREFLIGHT_RECORD, PROJECT_ROOT
from scripts.bundle_manifest import BundleManifest, ManifestError, read_manifest
from scripts.deployment.airflow_environment import AirflowEnvironment, Waiting
from scripts.deployment.artifact_store import ArtifactStore
from scripts.deployment.deployment import Deployer, deploy, roll_back
from scripts.deployment.errors import DeploymentError, TargetError
from scripts.deployment.target import DeploymentTarget, read_target
from scripts.mwaa_images import ImageError, requirements_name
from scripts.preflight.file_checks import check_manifest
from scripts.preflight.findings import Verdict


def read_proven_bundle(bundle: Path, airflow_version: str) -> BundleManifest:
    """Return the manifest of a bundle that passed the preflight as it lies here; raises TargetError."""
    try:
        manifest = read_manifest(bundle)
        requirements_name(airflow_version)
    except (ManifestError, ImageError) as error:
        raise TargetError(str(error)) from None
    for finding in check_manifest(bundle, manifest):
        if finding.verdict is Verdict.FAILED:
            raise TargetError(f"{bundle}: {finding.sentence}")
    try:
        proven = json.loads((bundle / PREFLIGHT_RECORD).read_text())
        is_proven = (
            proven["bundle_id"] == manifest.bundle_id and airflow_version in proven["airflow_versions"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        is_proven = False
    if not is_proven:
        raise TargetError(
            f"bundle {manifest.bundle_id} in {bundle} has not passed the preflight for Airflow "
            f"{airflow_version}; run make preflight"
        )
    return manifest


def make_clients(region: str) -> tuple[Any, Any]:
    """Return boto3's S3 and MWAA clients; AWS_ENDPOINT_URL leads them to a stand-in."""
    import boto3
    from botocore.config import Config

    has_stand_in = bool(os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_MWAA"))
    # MWAA's host names begin with api. and env.; an address on a stand-in has no such hosts.
    config = Config(inject_host_prefix=not has_stand_in, retries={"mode": "standard", "max_attempts": 5})
    return boto3.client("s3", region_name=region), boto3.client("mwaa", region_name=region, config=config)


def run(options: argparse.Namespace, target: DeploymentTarget, waiting: Waiting) -> None:
    """Deploy or roll back; raises DeploymentError and botocore's errors."""
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:7.1f} s] {text}", flush=True)

    s3, mwaa = make_clients(target.region)
    deployer = Deployer(target, ArtifactStore(s3, target.artifact_bucket), mwaa, waiting, tell)
    tell(f"environment {target.environment_name} in {target.region}, bucket {target.artifact_bucket}")
    if options.rollback:
        roll_back(deployer, is_dry_run=options.dry_run)
        return
    state = AirflowEnvironment(mwaa, target.environment_name, waiting, tell).read()
    manifest = read_proven_bundle(options.bundle, state.airflow_version)
    tell(
        f"bundle {manifest.bundle_id}, revision {manifest.git_revision}, for Airflow {state.airflow_version}"
    )
    deploy(deployer, options.bundle, manifest, is_dry_run=options.dry_run)


def main(arguments: list[str] | None = None) -> int:
    """Read the options and deploy; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--environment", required=True, help="folder under infrastructure/environments")
    parser.add_argument("--outputs", type=Path, help="JSON of `terraform output -json deployment`")
    parser.add_argument("--bundle", type=Path, default=DEFAULT_OUTPUT_DIR, help="default: dist")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--rollback", action="store_true", help="go back to the deployment before")
    parser.add_argument("--poll-seconds", type=float, default=Waiting.poll_seconds)
    options = parser.parse_args(arguments)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        target = read_target(options.environment, options.outputs, PROJECT_ROOT)
        run(options, target, Waiting(poll_seconds=options.poll_seconds))
    except DeploymentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, TargetError) else 1
    except (BotoCoreError, ClientError, OSError) as error:
        advice = "; run the same command again to go on" if isinstance(error, ClientError) else ""
        print(f"error: {' '.join(str(error).split())}{advice}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
