"""What Terraform leaves for `make deploy`, and that it leaves alone what `make deploy` brought."""

import pytest

from scripts.deployment.airflow_environment import AirflowEnvironment, Waiting
from scripts.deployment.artifact_store import ArtifactStore
from scripts.deployment.target import DeploymentTarget

# What a plan after the apply wants to change on the stand-in, and why it is the stand-in's doing.
KNOWN_DIFFERENCES = {
    "module.platform.module.job_costs.aws_lambda_function.this": "moto forgets the dead-letter queue",
    "module.platform.module.trigger.aws_sqs_queue.deliveries": "moto writes a redrive policy with spaces",
    "module.platform.module.network.aws_vpc_security_group_egress_rule.self": "moto forgets descriptions",
    "module.platform.module.network.aws_vpc_security_group_ingress_rule.self": "moto forgets descriptions",
    "module.platform.module.storage.aws_s3_bucket_notification.data": "moto forgets the EventBridge switch",
}
CODE = {"plugins": "plugins.zip", "requirements": "requirements.txt", "startup": "startup.sh"}


@pytest.fixture(scope="module")
def target(account):
    return DeploymentTarget.from_mapping(account.deployment, "Terraform's output")


@pytest.fixture(scope="module")
def deployed(account, target):
    """Code in two versions, the environment pointed at the second: what deployments do between two plans."""
    store = ArtifactStore(account.client("s3"), target.artifact_bucket)
    environment = AirflowEnvironment(
        account.client("mwaa"), target.environment_name, Waiting(poll_seconds=0.0), print
    )
    for number in (1, 2):
        code = {
            kind: store.put(f"{target.bundle_path}/{name}", f"{kind} {number}".encode())
            for kind, name in CODE.items()
        }
        environment.update(code, environment.read())


def test_outputs_when_an_environment_is_applied_then_name_what_it_reads_from(account, target):
    environment = account.client("mwaa").get_environment(Name=target.environment_name)["Environment"]
    assert environment["DagS3Path"].strip("/") == target.dags_path
    assert environment["SourceBucketArn"].endswith(f":{target.artifact_bucket}")


def test_plan_when_code_was_deployed_then_differs_only_where_the_stand_in_forgets(account, deployed):
    # Nothing of a bundle lies in this checkout, as in that of a colleague: no dist/ but the functions.
    assert [path.name for path in (account.folder.parents[2] / "dist").iterdir()] == ["functions"]
    assert account.planned_changes("second.plan") == {address: ["update"] for address in KNOWN_DIFFERENCES}
