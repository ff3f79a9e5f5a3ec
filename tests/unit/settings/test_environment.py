import dataclasses

import pytest

from include.settings.environment import (
    Environment,
    EnvironmentSettingsError,
    MonitoringEnvironment,
    OperatorSettings,
    read_environment,
    read_monitoring_environment,
    read_operator_settings,
)

REQUIRED = {
    "CHURN_ARTIFACT_BUCKET": "churn-artifacts",
    "CHURN_DATA_BUCKET": "churn-data",
    "CHURN_SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/service-role/churn-job",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
OPTIONAL = {
    "CHURN_KMS_KEY_ID": "arn:aws:kms:eu-west-1:123456789012:key/0f0f0f0f-0000-4000-8000-000000000000",
    "CHURN_SUBNET_IDS": "subnet-0a1b2c3d, subnet-1a2b3c4d5e6f70819",
    "CHURN_SECURITY_GROUP_IDS": "sg-0a1b2c3d",
    "CHURN_NETWORK_ISOLATION": "TRUE",
    "CHURN_ENVIRONMENT_NAME": "telecom-churn-production",
}


def test_environment_when_required_variables_are_set_then_the_rest_has_safe_defaults():
    assert Environment.from_mapping(REQUIRED) == Environment(
        artifact_bucket="churn-artifacts",
        data_bucket="churn-data",
        sagemaker_role_arn="arn:aws:iam::123456789012:role/service-role/churn-job",
        region="eu-west-1",
    )


def test_environment_when_everything_is_set_then_lists_and_flags_are_read():
    environment = Environment.from_mapping(REQUIRED | OPTIONAL)
    assert environment.subnet_ids == ("subnet-0a1b2c3d", "subnet-1a2b3c4d5e6f70819")
    assert environment.security_group_ids == ("sg-0a1b2c3d",)
    assert environment.network_isolation is True
    assert environment.environment_name == "telecom-churn-production"
    assert environment.kms_key_id == OPTIONAL["CHURN_KMS_KEY_ID"]


def test_environment_when_nothing_is_set_then_one_error_lists_every_missing_name():
    with pytest.raises(EnvironmentSettingsError) as caught:
        Environment.from_mapping({})
    assert all(name in str(caught.value) for name in REQUIRED)
    assert "\n" not in str(caught.value)


def test_environment_when_some_are_missing_and_some_wrong_then_one_error_names_all_of_them():
    with pytest.raises(EnvironmentSettingsError) as caught:
        Environment.from_mapping(
            {"CHURN_ARTIFACT_BUCKET": "Not_A_Bucket", "CHURN_NETWORK_ISOLATION": "maybe"}
        )
    for part in (
        "Not_A_Bucket",
        "CHURN_NETWORK_ISOLATION",
        "maybe",
        "CHURN_DATA_BUCKET",
        "CHURN_SAGEMAKER_ROLE_ARN",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHURN_ARTIFACT_BUCKET", "s3://bucket"),
        ("CHURN_ARTIFACT_BUCKET", "ab"),
        ("CHURN_DATA_BUCKET", "bucket/prefix"),
        ("CHURN_SAGEMAKER_ROLE_ARN", "churn-job"),
        ("CHURN_SAGEMAKER_ROLE_ARN", "arn:aws:iam::12345:role/churn-job"),
        ("CHURN_SAGEMAKER_ROLE_ARN", "arn:aws:iam::123456789012:user/churn-job"),
        ("AWS_DEFAULT_REGION", "Ireland"),
        ("CHURN_KMS_KEY_ID", "my key"),
        ("CHURN_SUBNET_IDS", "vpc-1"),
        ("CHURN_SUBNET_IDS", ",".join(f"subnet-{n}" for n in range(17))),
        ("CHURN_SECURITY_GROUP_IDS", ",".join(f"sg-{n}" for n in range(6))),
        ("CHURN_SECURITY_GROUP_IDS", ""),
        ("CHURN_SUBNET_IDS", ""),
        ("CHURN_NETWORK_ISOLATION", "2"),
        ("CHURN_ENVIRONMENT_NAME", "two words"),
    ],
)
def test_environment_when_one_variable_is_wrong_then_it_is_named(name, value):
    with pytest.raises(EnvironmentSettingsError, match=name):
        Environment.from_mapping({**REQUIRED, **OPTIONAL, name: value})


def test_environment_when_only_aws_region_is_set_then_it_is_the_region():
    variables = {name: value for name, value in REQUIRED.items() if name != "AWS_DEFAULT_REGION"}
    assert Environment.from_mapping({**variables, "AWS_REGION": "us-gov-west-1"}).region == "us-gov-west-1"


def test_environment_when_written_and_read_then_is_equal():
    environment = Environment.from_mapping(REQUIRED | OPTIONAL)
    assert Environment.from_json_mapping(environment.to_mapping()) == environment


def test_environment_when_changed_then_refuses():
    environment = Environment.from_mapping(REQUIRED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        environment.region = "us-east-1"


def test_read_environment_when_process_variables_are_set_then_reads_them(monkeypatch):
    monkeypatch.delenv("AWS_REGION", raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    assert read_environment().data_bucket == "churn-data"


def test_operator_settings_when_nothing_is_set_then_has_defaults_and_does_not_fail():
    assert read_operator_settings({}) == OperatorSettings(
        deferrable=True,
        poll_interval_seconds=30,
        aws_conn_id="aws_default",
        region=None,
        retry_delay_seconds=300,
        retraining_schedule="@daily",
        drift_schedule="@daily",
        retraining_parameters="",
        drift_parameters="",
        batch_poll_interval_seconds=300,
    )


@pytest.mark.parametrize(
    ("variables", "attribute", "expected"),
    [
        ({"CHURN_DEFERRABLE": "false"}, "deferrable", False),
        ({"CHURN_DEFERRABLE": "nonsense"}, "deferrable", True),
        ({"CHURN_POLL_INTERVAL_SECONDS": "1"}, "poll_interval_seconds", 1),
        ({"CHURN_POLL_INTERVAL_SECONDS": "often"}, "poll_interval_seconds", 30),
        ({"CHURN_POLL_INTERVAL_SECONDS": "0"}, "poll_interval_seconds", 30),
        ({"CHURN_POLL_INTERVAL_SECONDS": "nan"}, "poll_interval_seconds", 30),
        ({"CHURN_RETRY_DELAY_SECONDS": "2"}, "retry_delay_seconds", 2),
        ({"CHURN_AWS_CONN_ID": "other"}, "aws_conn_id", "other"),
        ({"AWS_REGION": "eu-north-1"}, "region", "eu-north-1"),
        ({"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "region", "eu-west-1"),
        ({"CHURN_RETRAINING_SCHEDULE": "none"}, "retraining_schedule", None),
        ({"CHURN_RETRAINING_SCHEDULE": "0 3 * * 1"}, "retraining_schedule", "0 3 * * 1"),
        ({"CHURN_DRIFT_SCHEDULE": "None"}, "drift_schedule", None),
        ({"CHURN_DRIFT_SCHEDULE": "@hourly"}, "drift_schedule", "@hourly"),
        ({"CHURN_DRIFT_PARAMETERS": ' {"alpha": 0.1}'}, "drift_parameters", '{"alpha": 0.1}'),
        ({"CHURN_RETRAINING_PARAMETERS": "{}"}, "retraining_parameters", "{}"),
        ({"CHURN_BATCH_POLL_INTERVAL_SECONDS": "0.2"}, "batch_poll_interval_seconds", 0.2),
        ({"CHURN_BATCH_POLL_INTERVAL_SECONDS": "soon"}, "batch_poll_interval_seconds", 300),
    ],
)
def test_operator_settings_when_a_variable_is_set_then_is_read_or_falls_back(variables, attribute, expected):
    assert getattr(read_operator_settings(variables), attribute) == expected


TOPIC = "arn:aws:sns:eu-west-1:123456789012:churn-alerts"


def test_monitoring_environment_when_complete_then_holds_the_topic_and_a_namespace():
    environment = MonitoringEnvironment.from_mapping({**REQUIRED, "CHURN_ALERT_TOPIC_ARN": TOPIC})
    assert environment.alert_topic_arn == TOPIC
    assert environment.metric_namespace == "TelecomChurn"
    assert environment.data_bucket == "churn-data"
    assert MonitoringEnvironment.from_json_mapping(environment.to_mapping()) == environment


def test_monitoring_environment_when_everything_is_missing_then_all_names_are_told_at_once():
    with pytest.raises(EnvironmentSettingsError) as refused:
        MonitoringEnvironment.from_mapping({})
    assert all(name in str(refused.value) for name in (*REQUIRED, "CHURN_ALERT_TOPIC_ARN"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHURN_ALERT_TOPIC_ARN", "churn-alerts"),
        ("CHURN_ALERT_TOPIC_ARN", "arn:aws:sqs:eu-west-1:123456789012:churn-alerts"),
        ("CHURN_METRIC_NAMESPACE", "AWS/SageMaker"),
        ("CHURN_METRIC_NAMESPACE", "two words"),
    ],
)
def test_monitoring_environment_when_one_variable_is_wrong_then_it_is_named(name, value):
    with pytest.raises(EnvironmentSettingsError, match=name):
        MonitoringEnvironment.from_mapping({**REQUIRED, "CHURN_ALERT_TOPIC_ARN": TOPIC, name: value})


def test_environment_when_the_alert_topic_is_missing_then_retraining_does_not_ask_for_it():
    assert Environment.from_mapping(REQUIRED).artifact_bucket


def test_read_monitoring_environment_when_process_variables_are_set_then_reads_them(monkeypatch):
    for name, value in {
        **REQUIRED,
        "CHURN_ALERT_TOPIC_ARN": TOPIC,
        "CHURN_METRIC_NAMESPACE": "Own/Name",
    }.items():
        monkeypatch.setenv(name, value)
    assert read_monitoring_environment().metric_namespace == "Own/Name"
