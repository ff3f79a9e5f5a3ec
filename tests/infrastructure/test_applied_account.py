"""What `terraform apply` makes, asked through boto3 (the stand-in and its aids: account_stand_in.py)."""

import json
import re

import pytest

from include.sagemaker_requests.request_parts import ENVIRONMENT_TAG, run_tags
from include.settings.environment import DEFAULT_SCHEDULE, MonitoringEnvironment
from tests.infrastructure.account_terraform import (
    ACCOUNT_ID,
    APPROVER,
    REGION,
    AppliedAccount,
    prepare_environment,
)
from tests.unit.sagemaker_requests.plans import plan

NAME = "telecom-churn-development"
BUCKETS = (f"{NAME}-artifacts-{ACCOUNT_ID}", f"{NAME}-data-{ACCOUNT_ID}")


def test_apply_when_run_then_makes_every_planned_resource(account):
    planned = [address for address in account.planned_values if ".data." not in address]
    made = int(re.search(r"(\d+) added", account.printed).group(1))
    assert made == len(planned)
    assert made > 100


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


def test_mwaa_when_made_then_has_the_roles_and_waits_for_its_code(account):
    airflow = account.client("mwaa").get_environment(Name=NAME)["Environment"]
    assert airflow["AirflowVersion"] == "3.3.1"
    assert airflow["ExecutionRoleArn"] == f"arn:aws:iam::{ACCOUNT_ID}:role/{NAME}-airflow"
    assert airflow["SourceBucketArn"] == f"arn:aws:s3:::{BUCKETS[0]}"
    assert airflow["DagS3Path"] == "dags"
    assert not [address for address in account.planned_values if "aws_s3_object" in address]


def test_settings_when_told_to_deployments_then_are_what_the_dags_read(account):
    environment = MonitoringEnvironment.from_mapping(
        {**account.deployment["settings"], "AWS_DEFAULT_REGION": REGION}
    )
    assert environment.artifact_bucket == BUCKETS[0]
    assert environment.data_bucket == BUCKETS[1]
    assert environment.sagemaker_role_arn == f"arn:aws:iam::{ACCOUNT_ID}:role/{NAME}-sagemaker-job"
    assert len(environment.subnet_ids) == 2
    assert environment.network_isolation
    assert environment.alert_topic_arn.endswith(f":{NAME}-drift")


def test_retraining_schedule_when_nobody_sets_it_then_is_the_dags_own_default(account):
    assert account.deployment["settings"]["CHURN_RETRAINING_SCHEDULE"] == DEFAULT_SCHEDULE
    assert account.deployment["settings"]["CHURN_DRIFT_SCHEDULE"] == DEFAULT_SCHEDULE


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


def test_delivery_when_it_arrives_then_waits_in_a_queue_for_the_function(account):
    (mapping,) = account.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionArn"].endswith(f":function:{NAME}-start-retraining")
    assert mapping["EventSourceArn"].endswith(f":{NAME}-start-retraining-deliveries")
    assert mapping["BatchSize"] == 1


@pytest.mark.parametrize(
    ("function", "goes_to"),
    [
        ("start-retraining", f":{NAME}-start-retraining-deliveries"),
        ("job-costs", f":function:{NAME}-job-costs"),
    ],
)
def test_function_when_made_then_its_rule_and_its_dead_letters_are_wired(account, function, goes_to):
    events, queues = account.client("events"), account.client("sqs")
    (target,) = events.list_targets_by_rule(Rule=f"{NAME}-{function}")["Targets"]
    assert target["Arn"].endswith(goes_to)
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


def test_budget_when_made_then_counts_by_a_tag_that_every_job_carries(account):
    values = account.planned_values["module.platform.module.monitoring.aws_budgets_budget.month"]
    (cost_filter,) = values["cost_filter"]
    name = account.deployment["settings"]["CHURN_ENVIRONMENT_NAME"]
    tags = {tag["Key"]: tag["Value"] for tag in run_tags(plan(environment_name=name), "train")}
    assert cost_filter["name"] == "TagKeyValue"
    assert cost_filter["values"] == [f"user:{ENVIRONMENT_TAG}${tags[ENVIRONMENT_TAG]}"]
    made = account.planned_values["module.platform.module.encryption.aws_kms_key.this"]
    assert made["tags_all"][ENVIRONMENT_TAG] == tags[ENVIRONMENT_TAG]


def test_production_when_planned_then_makes_the_same_things_kept_for_longer(account, tmp_path):
    folder = prepare_environment(account.terraform, tmp_path, account.port, "production")
    production = AppliedAccount(account.terraform, folder, account.port, "")
    changes = production.planned_changes("first.plan")
    assert set(map(tuple, changes.values())) == {("create",)}
    made = [address for address in account.planned_values if ".data." not in address]
    assert changes.keys() == {address.replace(NAME, "telecom-churn-production") for address in made}
    airflow = production.planned_values["module.platform.module.mwaa.aws_mwaa_environment.this"]
    assert (airflow["name"], airflow["webserver_access_mode"]) == ("telecom-churn-production", "PRIVATE_ONLY")
    trust = production.planned_values["module.platform.module.roles.aws_iam_role.approver"]
    assert "aws:MultiFactorAuthPresent" in trust["assume_role_policy"]
