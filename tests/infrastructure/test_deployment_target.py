"""What Terraform leaves for `make deploy`: outputs it can read, and the startup script it would write."""

import json

import pytest

from scripts.deployment.target import DeploymentTarget


@pytest.fixture(scope="module")
def target(account):
    shown = account.terraform.run(account.folder, "output", "-json", "deployment")
    return DeploymentTarget.from_mapping(json.loads(shown.stdout), "Terraform's output")


def test_outputs_when_an_environment_is_applied_then_name_what_it_reads_from(account, target):
    environment = account.client("mwaa").get_environment(Name=target.environment_name)["Environment"]
    assert environment["DagS3Path"].strip("/") == target.dags_path
    assert environment["SourceBucketArn"].endswith(f":{target.artifact_bucket}")


def test_startup_script_when_terraform_wrote_it_then_a_deployment_would_write_the_same_bytes(account, target):
    # Otherwise the first deployment would update an environment that has just come up.
    s3 = account.client("s3")
    key = f"{target.bundle_path}/startup.sh"
    stored = s3.get_object(Bucket=target.artifact_bucket, Key=key)["Body"].read()
    script = (account.folder.parents[2] / "bundle" / "startup.sh").read_bytes()
    assert stored == target.render_startup(script)
