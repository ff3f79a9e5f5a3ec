"""What `terraform apply` makes, asked through boto3 (the stand-in and its aids: account_stand_in.py)."""

import json
import re

import pytest

from include.settings.environment import MonitoringEnvironment
from tests.infrastructure.account_terraform import ACCOUNT_ID, APPROVER, REGION

NAME = "telecom-churn-development"
BUCKETS = (f"{NAME}-artifacts-{ACCOUNT_ID}", f"{NAME}-data-{ACCOUNT_ID}")
# What a second plan wants to change on the stand-in, and why it is the stand-in's doing.
KNOWN_DIFFERENCES = {
    "module.platform.module.job_costs.aws_lambda_function.this": "moto forgets the dead-letter queue",
    "module.platform.module.trigger.aws_lambda_function.this": "moto forgets the dead-letter queue",
    "module.platform.module.network.aws_vpc_security_group_egress_rule.self": "moto forgets descriptions",
    "module.platform.module.network.aws_vpc_security_group_ingress_rule.self": "moto forgets descriptions",
    "module.platform.module.storage.aws_s3_bucket_notification.data": "moto forgets the EventBridge switch",
}


def test_apply_when_run_then_makes_every_planned_resource(account):
    planned = [address for address in account.planned_values if ".data." not in address]
    made = int(re.search(r"(\d+) added", account.printed).group(1))
    assert made == len(planned)
    assert made > 100


def test_plan_when_run_again_then_differs_only_where_the_stand_in_forgets(account):
    planned = account.terraform.run(account.folder, "plan", "-input=false", "-no-color", "-out=second.plan")
    assert planned.returncode == 0, planned.stderr
    shown = json.loads(account.terraform.run(account.folder, "show", "-json", "second.plan").stdout)
    changed = {
        change["address"]: change["change"]["actions"]
        for change in shown["resource_changes"]
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }
    assert changed == {address: ["update"] for address in KNOWN_DIFFERENCES}


def test_s3_to_eventbridge_switch_when_planned_then_is_on_for_the_data_bucket(account):
    values = account.planned_values["module.platform.module.storage.aws_s3_bucket_notification.data"]
    assert values["eventbridge"] is True


@pytest.mark.parametrize("bucket", BUCKETS)
def test_bucket_when_made_then_is_closed_versioned_and_encrypted(account, bucket):
    s3 = account.client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [statement["Condition"] for statement in statements]


def test_mwaa_when_made_then_has_the_bundle_by_version_and_the_roles(account):
    airflow = account.client("mwaa").get_environment(Name=NAME)["Environment"]
    assert airflow["AirflowVersion"] == "3.3.1"
    assert airflow["ExecutionRoleArn"] == f"arn:aws:iam::{ACCOUNT_ID}:role/{NAME}-airflow"
    assert airflow["SourceBucketArn"] == f"arn:aws:s3:::{BUCKETS[0]}"
    assert airflow["DagS3Path"] == "dags"
    s3 = account.client("s3")
    for kind, key in (
        ("Plugins", "mwaa/plugins.zip"),
        ("Requirements", "mwaa/requirements.txt"),
        ("StartupScript", "mwaa/startup.sh"),
    ):
        assert airflow[f"{kind}S3Path"] == key
        version = airflow[f"{kind}S3ObjectVersion"]
        assert s3.head_object(Bucket=BUCKETS[0], Key=key, VersionId=version)["VersionId"] == version


def test_startup_script_when_made_then_exports_what_the_dags_read(account):
    script = account.client("s3").get_object(Bucket=BUCKETS[0], Key="mwaa/startup.sh")["Body"].read().decode()
    exported = dict(re.findall(r"^export (CHURN_\w+)='([^']*)'$", script, re.MULTILINE))
    environment = MonitoringEnvironment.from_mapping({**exported, "AWS_DEFAULT_REGION": REGION})
    assert environment.artifact_bucket == BUCKETS[0]
    assert environment.data_bucket == BUCKETS[1]
    assert environment.sagemaker_role_arn == f"arn:aws:iam::{ACCOUNT_ID}:role/{NAME}-sagemaker-job"
    assert len(environment.subnet_ids) == 2
    assert environment.network_isolation
    assert environment.alert_topic_arn.endswith(f":{NAME}-drift")


def test_approver_role_when_made_then_only_the_named_person_takes_it(account):
    role = account.client("iam").get_role(RoleName=f"{NAME}-approver")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"]["AWS"] in (APPROVER, [APPROVER])


def test_synthetic_group_when_made_then_its_own_policy_denies_approval_to_everybody(account):
    policy = account.client("sagemaker").get_model_package_group_policy(
        ModelPackageGroupName="telecom-churn-synthetic"
    )["ResourcePolicy"]
    (statement,) = json.loads(policy)["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")


def test_alarms_when_made_then_all_tell_the_operations_topic(account):
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{NAME}-operations"
    assert len(alarms) == 9
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {topic}
    (silence,) = [alarm for alarm in alarms if alarm["AlarmName"].endswith("drift-metrics-missing")]
    assert silence["TreatMissingData"] == "breaching"


def test_dashboard_when_made_then_names_only_alarms_that_exist(account):
    cloudwatch = account.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName=NAME)["DashboardBody"])
    (alarm_widget,) = [widget for widget in body["widgets"] if widget["type"] == "alarm"]
    existing = {alarm["AlarmArn"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert set(alarm_widget["properties"]["alarms"]) == existing


def test_log_groups_when_made_then_none_is_kept_for_ever(account):
    groups = account.client("logs").describe_log_groups()["logGroups"]
    assert len(groups) == 9
    assert {group["retentionInDays"] for group in groups} == {30}


@pytest.mark.parametrize("function", ["start-retraining", "job-costs"])
def test_function_when_made_then_its_rule_and_its_dead_letters_are_wired(account, function):
    events, queues = account.client("events"), account.client("sqs")
    (target,) = events.list_targets_by_rule(Rule=f"{NAME}-{function}")["Targets"]
    assert target["Arn"].endswith(f":function:{NAME}-{function}")
    assert target["DeadLetterConfig"]["Arn"].endswith(f":{NAME}-{function}-dead-letters")
    url = queues.get_queue_url(QueueName=f"{NAME}-{function}-dead-letters")["QueueUrl"]
    policy = json.loads(
        queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    )
    rule = events.describe_rule(Name=f"{NAME}-{function}")["Arn"]
    assert [
        statement["Condition"] for statement in policy["Statement"] if statement["Effect"] == "Allow"
    ] == [{"ArnEquals": {"aws:SourceArn": rule}}]


@pytest.mark.parametrize("rule", ["model-package-state", "processing-job-failed", "training-job-failed"])
def test_sagemaker_events_when_matched_then_reach_the_operations_topic(account, rule):
    (target,) = account.client("events").list_targets_by_rule(Rule=f"{NAME}-{rule}")["Targets"]
    assert target["Arn"] == f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{NAME}-operations"


def test_budget_when_made_then_tells_the_operations_topic(account):
    budgets = account.client("budgets")
    notifications = budgets.describe_notifications_for_budget(
        AccountId=ACCOUNT_ID, BudgetName=f"{NAME}-month"
    )["Notifications"]
    assert {entry["NotificationType"] for entry in notifications} == {"ACTUAL", "FORECASTED"}
