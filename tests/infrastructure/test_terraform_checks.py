"""Format, validity and module tests of `infrastructure/`, and its policies as Terraform renders them."""

import subprocess
from pathlib import Path

import pytest

from scripts.check_infrastructure import check_format, check_tests, check_validity
from scripts.policy_coverage.policy_templates import ROLE_POLICIES, role_statements
from tests.infrastructure.account_terraform import ACCOUNT_ID, REGION

CHECKOUT = Path(__file__).resolve().parents[2]
POLICY_PYTHON = CHECKOUT / ".venvs/policy_check/bin/python"
NAME = "telecom-churn-development"
FIVE = {"main.tf", "variables.tf", "outputs.tf", "versions.tf"}


def test_terraform_files_when_checked_then_are_formatted(terraform, account_in_the_making):
    assert check_format(terraform) == []


def test_both_environments_when_validated_then_nothing_is_wrong(attached, copied, account_in_the_making):
    assert check_validity(attached, copied) == []


def test_modules_when_tested_with_mock_providers_then_pass(attached, copied, account_in_the_making):
    assert check_tests(attached, copied) == []


@pytest.mark.parametrize(
    "module", sorted((CHECKOUT / "infrastructure/modules").iterdir()), ids=lambda path: path.name
)
def test_module_when_laid_out_then_has_five_files(module):
    files = {path.name for path in module.glob("*.tf")}
    assert len(files) == 5
    assert files >= FIVE
    assert len(files & {"locals.tf", "data.tf"}) == 1


def test_policy_actions_when_compared_with_aws_list_then_all_are_known():
    if not POLICY_PYTHON.exists():
        pytest.skip("the environment .venvs/policy_check is missing: make environment-policies")
    done = subprocess.run(
        [POLICY_PYTHON, "scripts/check_policy_actions.py"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("role", "role_name"),
    [
        ("airflow", f"{NAME}-airflow"),
        ("job", f"{NAME}-sagemaker-job"),
        ("approver", f"{NAME}-approver"),
        ("start_retraining", f"{NAME}-start-retraining"),
        ("job_costs", f"{NAME}-job-costs"),
    ],
)
def test_policies_when_rendered_here_then_are_those_that_terraform_made(account, role, role_name):
    iam = account.client("iam")
    made = []
    for policy in iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
        made += iam.get_role_policy(RoleName=role_name, PolicyName=policy)["PolicyDocument"]["Statement"]
    rendered = role_statements(role, values_of(account, role, role_name))
    assert {one["Sid"]: one for one in made} == {one["Sid"]: one for one in rendered}
    assert len(ROLE_POLICIES[role]) == len(iam.list_role_policies(RoleName=role_name)["PolicyNames"])


# The queue that a function's role may use.
QUEUES = {"start_retraining": "deliveries", "job_costs": "dead-letters"}


def values_of(account, role, role_name):
    deployment = account.deployment
    sagemaker = f"arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}"
    return {
        "partition": "aws",
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "artifact_bucket": deployment["artifact_bucket"],
        "data_bucket": deployment["data_bucket"],
        "kms_key_arn": deployment["settings"]["CHURN_KMS_KEY_ID"],
        "airflow_environment_name": deployment["environment_name"],
        "dags_path": deployment["dags_path"],
        "bundle_path": deployment["bundle_path"],
        "registry_arns": [
            f"{sagemaker}:{kind}"
            for group in ("telecom-churn", "telecom-churn-synthetic")
            for kind in (f"model-package-group/{group}", f"model-package/{group}/*")
        ],
        "approvable_arns": [f"{sagemaker}:model-package/telecom-churn/*"],
        "metric_namespace": deployment["settings"]["CHURN_METRIC_NAMESPACE"],
        "drift_topic_arn": deployment["settings"]["CHURN_ALERT_TOPIC_ARN"],
        "job_role_arn": deployment["settings"]["CHURN_SAGEMAKER_ROLE_ARN"],
        "function_name": role_name,
        "queue_arn": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{role_name}-{QUEUES.get(role, 'none')}",
    }
