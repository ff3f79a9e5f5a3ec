"""Make in the AWS stand-in what Terraform makes on AWS, and upload the job code of a bundle; safe to repeat.

    python -m scripts.prepare_local_aws BUNDLE_DIR

Two buckets, the topic of the drift alerts, and `job-bundles/current.json` pointing at the bundle's job code.
Names come from the variables the DAGs read: CHURN_ARTIFACT_BUCKET, CHURN_DATA_BUCKET, CHURN_ALERT_TOPIC_ARN.
It refuses to run without AWS_ENDPOINT_URL, so that it never reaches a real account.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.settings.s3_layout import PROCESSING_SOURCE_FILE, TRAINING_SOURCE_FILE
from scripts.build_job_bundle import BuiltBundle, upload_job_bundle
from scripts.build_mwaa_bundle import JOB_BUNDLE_FOLDER
from scripts.bundle_manifest import ManifestError, read_manifest

_NEEDED = ("AWS_ENDPOINT_URL", "CHURN_ARTIFACT_BUCKET", "CHURN_DATA_BUCKET", "CHURN_ALERT_TOPIC_ARN")


def prepare_local_aws(bundle_dir: Path, variables: Mapping[str, str], s3: Any, sns: Any) -> str:
    """Make buckets and topic, upload the job code; returns the address the pointer names.

    `s3` and `sns` are boto3 clients of the stand-in, whose errors pass through. Raises ManifestError.
    """
    manifest = read_manifest(bundle_dir)
    existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for name in ("CHURN_ARTIFACT_BUCKET", "CHURN_DATA_BUCKET"):
        if variables[name] not in existing:
            region = {"LocationConstraint": s3.meta.region_name}
            s3.create_bucket(Bucket=variables[name], CreateBucketConfiguration=region)
    sns.create_topic(Name=variables["CHURN_ALERT_TOPIC_ARN"].rpartition(":")[2])
    job_code = bundle_dir / JOB_BUNDLE_FOLDER
    built = BuiltBundle(
        training_source=job_code / TRAINING_SOURCE_FILE,
        processing_source=job_code / PROCESSING_SOURCE_FILE,
        sha256=manifest.job_bundle,
    )
    return upload_job_bundle(built, variables["CHURN_ARTIFACT_BUCKET"], manifest.git_revision, s3).uri


def main(arguments: list[str], variables: Mapping[str, str]) -> int:
    """Prepare the stand-in that AWS_ENDPOINT_URL names; returns the exit code."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    problem = _find_problem(arguments, variables)
    if problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    s3, sns = boto3.client("s3"), boto3.client("sns")
    try:
        print("job code in", prepare_local_aws(Path(arguments[0]), variables, s3, sns))
    except (ManifestError, BotoCoreError, ClientError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _find_problem(arguments: list[str], variables: Mapping[str, str]) -> str | None:
    if len(arguments) != 1:
        return "usage: python -m scripts.prepare_local_aws BUNDLE_DIR"
    missing = [name for name in _NEEDED if not variables.get(name)]
    return f"missing environment variables: {', '.join(missing)}" if missing else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
