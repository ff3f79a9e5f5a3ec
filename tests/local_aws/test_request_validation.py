"""Requests AWS would refuse are refused here too, with its code and wording."""

import copy
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import BUCKET, IMAGE, ROLE, Server

PROCESSING = {
    "ProcessingJobName": "valid-name",
    "RoleArn": ROLE,
    "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "x.py"]},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    },
}
TRAINING = {
    "TrainingJobName": "valid-name",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/x"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def channel(**source: Any) -> dict[str, Any]:
    s3 = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/none/", **source}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": s3}}


def s3_input(**changes: Any) -> dict[str, Any]:
    source = {
        "S3Uri": f"s3://{BUCKET}/x",
        "LocalPath": "/opt/ml/processing/input",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        **changes,
    }
    return {"InputName": "a", "S3Input": source}


def set_at(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(request)
    *parents, last = path.split(".")
    place = changed
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return changed


PROCESSING_CASES = [
    (
        "ProcessingJobName",
        "under_score",
        "at 'processingJobName' failed to satisfy constraint: Member must satisfy regular",
    ),
    ("ProcessingJobName", "x" * 64, "Member must have length less than or equal to 63"),
    ("RoleArn", "arn:aws:iam::12:role/x", "at 'roleArn' failed to satisfy constraint"),
    ("AppSpecification.ContainerArguments", [], "Member must have length greater than or equal to 1"),
    ("AppSpecification.ContainerArguments", ["x"] * 101, "Member must have length less than or equal to 100"),
    ("AppSpecification.ContainerArguments", ["x" * 257], "at 'appSpecification.containerArguments.1.member'"),
    ("AppSpecification.ContainerEntrypoint", None, "ContainerEntrypoint is needed"),
    (
        "ProcessingResources.ClusterConfig.InstanceType",
        "ml.m5.huge",
        "Member must satisfy enum value set: [ml.t3",
    ),
    (
        "ProcessingResources.ClusterConfig.VolumeSizeInGB",
        0,
        "Member must have value greater than or equal to 1",
    ),
    ("ProcessingResources.ClusterConfig.InstanceCount", 2, "use 1"),
    ("StoppingCondition.MaxRuntimeInSeconds", 10**9, "Member must have value less than or equal to"),
    ("Environment", {"1A": "x"}, "at 'environment.key' failed to satisfy constraint"),
    ("Environment", {"A": "x" * 257}, "at 'environment.A.value' failed to satisfy constraint"),
    ("ProcessingInputs", [s3_input(LocalPath="/tmp/x")], "must begin with /opt/ml/processing/"),
    ("ProcessingInputs", [s3_input(S3DataType="ManifestFile")], "only S3Prefix is available"),
    ("ProcessingInputs", [s3_input(), s3_input()], "Duplicate InputName in the request: a"),
    ("Tags", [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "Duplicate tag key in the request: a"),
    ("Tags", [{"Key": "a!", "Value": "1"}], "at 'tags.1.member.key' failed to satisfy constraint"),
]
TRAINING_CASES = [
    (
        "HyperParameters",
        {f"name_{n}": "x" for n in range(101)},
        "Member must have length less than or equal to 100",
    ),
    ("HyperParameters", {"name": "x" * 2501}, "at 'hyperParameters.name.value' failed to satisfy constraint"),
    ("InputDataConfig", [channel(S3DataType="ManifestFile")], "only S3Prefix is available"),
    ("InputDataConfig", [channel()], 'No S3 objects found under S3 URL "s3://test-bucket/none/"'),
    ("AlgorithmSpecification.TrainingInputMode", "Pipe", "use File or FastFile"),
    ("ResourceConfig.InstanceCount", 3, "use 1"),
    (
        "OutputDataConfig.S3OutputPath",
        "http://x",
        "at 'outputDataConfig.s3OutputPath' failed to satisfy constraint",
    ),
    ("EnableManagedSpotTraining", True, "MaxWaitTimeInSeconds is required"),
    (
        "StoppingCondition",
        {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9},
        "EnableManagedSpotTraining is false",
    ),
    ("RetryStrategy", {"MaximumRetryAttempts": 31}, "Member must have value less than or equal to 30"),
]


def refused(call: Callable[..., Any], request: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ClientError) as error:
        call(**{name: value for name, value in request.items() if value is not None})
    return error.value.response["Error"]


def without_nothing(request: dict[str, Any]) -> dict[str, Any]:
    return {
        name: without_nothing(value) if isinstance(value, dict) else value
        for name, value in request.items()
        if value is not None
    }


@pytest.mark.parametrize(
    ("path", "value", "message"), PROCESSING_CASES, ids=[c[0] + "-" + c[2][-20:] for c in PROCESSING_CASES]
)
def test_processing_request_when_aws_would_refuse_it_then_it_is_refused(
    server: Server, path: str, value: Any, message: str
):
    # The client's own checks are off: what is under test is the server's.
    client = server.client("sagemaker", parameter_validation=False)
    error = refused(client.create_processing_job, without_nothing(set_at(PROCESSING, path, value)))
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]


@pytest.mark.parametrize(("path", "value", "message"), TRAINING_CASES, ids=[c[0] for c in TRAINING_CASES])
def test_training_request_when_aws_would_refuse_it_then_it_is_refused(
    server: Server, path: str, value: Any, message: str
):
    client = server.client("sagemaker", parameter_validation=False)
    error = refused(client.create_training_job, set_at(TRAINING, path, value))
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]


def test_training_request_when_spot_waits_less_than_it_runs_then_it_is_refused(server: Server):
    request = {
        **TRAINING,
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
    }
    error = refused(server.client("sagemaker").create_training_job, request)
    assert "greater than or equal to MaxRuntimeInSeconds" in error["Message"]


def test_request_when_members_are_missing_or_unknown_then_all_are_named_at_once(server: Server):
    client = server.client("sagemaker", parameter_validation=False)
    error = refused(client.create_processing_job, {"ProcessingJobName": "x"})
    assert error["Message"].startswith("3 validation errors detected: ")
    assert "Value null at 'roleArn' failed to satisfy constraint: Member must not be null" in error["Message"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (json.dumps({**PROCESSING, "Environment": ["x"]}), "ValidationException", "is not a map"),
        (json.dumps({**PROCESSING, "RoleArn": 7}), "ValidationException", "is not a string"),
        (json.dumps({**PROCESSING, "Surprise": 7}), "ValidationException", "'surprise' is not a member"),
        ("[]", "SerializationException", "not a JSON object"),
        ("{", "SerializationException", "not JSON"),
    ],
)
def test_request_when_its_body_is_malformed_then_it_is_refused(
    server: Server, body: str, code: str, message: str
):
    # By hand: botocore would not even send it.
    scope = "Credential=a/20261124/eu-west-1/sagemaker/aws4_request"
    headers = {
        "X-Amz-Target": "SageMaker.CreateProcessingJob",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, x",
    }
    request = urllib.request.Request(server.url, data=body.encode(), headers=headers)
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    answer = json.loads(error.value.read())
    assert (error.value.code, answer["__type"]) == (400, code)
    assert message in answer["message"]


@pytest.mark.parametrize(
    "properties",
    [{"a": "x" * 257}, {f"k{n}": "v" for n in range(51)}, {"bad key!": "v"}],
    ids=["long", "many", "key"],
)
def test_package_request_when_customer_properties_break_limits_then_it_is_refused(
    server: Server, properties: dict
):
    client = server.client("sagemaker")
    request = {"ModelPackageName": "limits", "CustomerMetadataProperties": properties}
    assert refused(client.create_model_package, request)["Code"] == "ValidationException"


def test_training_describe_when_unknown_then_validation_says_so(server: Server):
    error = refused(server.client("sagemaker").describe_training_job, {"TrainingJobName": "nobody"})
    assert (error["Code"], error["Message"]) == ("ValidationException", "Requested resource not found.")
