"""Which permissions a SageMaker job needs of its own role, read from the request that starts it.

A job's inputs, outputs, image and log are in its request; SageMaker moves them in the job's role. The
stand-in moves them itself, so they cannot be recorded: this is derived, not observed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from include.settings.s3_layout import split_s3_uri
from scripts.policy_coverage.iam_policies import Call
from scripts.policy_coverage.recorded_requests import RecordedRequest

_NETWORK_LOOKS = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def job_permissions(request: RecordedRequest, values: Mapping[str, Any]) -> list[Call]:
    """Return what the job of a Create...Job request needs; nothing for any other request."""
    if request.action == "CreateProcessingJob":
        return list(_of_processing(request.parameters, request.region, values))
    if request.action == "CreateTrainingJob":
        return list(_of_training(request.parameters, request.region, values))
    return []


def _of_processing(job: Mapping[str, Any], region: str, values: Mapping[str, Any]) -> Iterator[Call]:
    for entry in job.get("ProcessingInputs", []):
        yield from _reads(entry["S3Input"]["S3Uri"], values)
    for entry in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
        yield from _writes(f"{entry['S3Output']['S3Uri']}/file", values)
    yield from _platform("ProcessingJobs", job["AppSpecification"]["ImageUri"], region, values)


def _of_training(job: Mapping[str, Any], region: str, values: Mapping[str, Any]) -> Iterator[Call]:
    for channel in job.get("InputDataConfig", []):
        yield from _reads(channel["DataSource"]["S3DataSource"]["S3Uri"], values)
    output = job["OutputDataConfig"]["S3OutputPath"]
    yield from _writes(f"{output}/{job['TrainingJobName']}/output/model.tar.gz", values)
    if checkpoints := job.get("CheckpointConfig", {}).get("S3Uri"):
        yield from _reads(f"{checkpoints}/", values)
        yield from _writes(f"{checkpoints}/file", values)
    yield from _platform("TrainingJobs", job["AlgorithmSpecification"]["TrainingImage"], region, values)


def _reads(uri: str, values: Mapping[str, Any]) -> Iterator[Call]:
    bucket, key = split_s3_uri(uri)
    arn = f"arn:{values['partition']}:s3:::{bucket}"
    yield Call("s3:ListBucket", arn, {"s3:prefix": key}, "the job lists an input")
    yield Call("s3:GetObject", f"{arn}/{key}", reason="the job reads an input")
    yield Call("kms:Decrypt", values["kms_key_arn"], reason="inputs are encrypted")


def _writes(uri: str, values: Mapping[str, Any]) -> Iterator[Call]:
    bucket, key = split_s3_uri(uri)
    arn = f"arn:{values['partition']}:s3:::{bucket}/{key}"
    yield Call("s3:PutObject", arn, reason="the job writes an output")
    yield Call("s3:AbortMultipartUpload", arn, reason="an upload of the job may break off")
    yield Call("kms:GenerateDataKey", values["kms_key_arn"], reason="outputs are encrypted")


def _platform(kind: str, image: str, region: str, values: Mapping[str, Any]) -> Iterator[Call]:
    """What every job needs before its first line of code runs: log, metrics, image, volume, network."""
    partition, account = values["partition"], values["account_id"]
    group = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/sagemaker/{kind}"
    yield Call("logs:CreateLogGroup", group, reason="the job's log")
    for action in ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"):
        yield Call(action, f"{group}:log-stream:job/1", reason="the job's log")
    namespace = {"cloudwatch:namespace": f"/aws/sagemaker/{kind}"}
    yield Call("cloudwatch:PutMetricData", "*", namespace, "the job's own metrics")
    registry, _, repository = image.partition("/")
    repository_arn = (
        f"arn:{partition}:ecr:{region}:{registry.partition('.')[0]}:repository/{repository.partition(':')[0]}"
    )
    yield Call("ecr:GetAuthorizationToken", "*", reason="the job's image")
    for action in ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        yield Call(action, repository_arn, reason="the job's image")
    key = values["kms_key_arn"]
    yield Call("kms:DescribeKey", key, reason="the job's volume is encrypted")
    granted = {"kms:GrantIsForAWSResource": "true"}
    yield Call("kms:CreateGrant", key, granted, "the job's volume is encrypted")
    for action in _NETWORK_LOOKS:
        yield Call(action, "*", reason="the job joins the network")
    for resource in ("network-interface/eni-0a", "subnet/subnet-0a", "security-group/sg-0a"):
        arn = f"arn:{partition}:ec2:{region}:{account}:{resource}"
        yield Call("ec2:CreateNetworkInterface", arn, reason="the job joins the network")
    interface = f"arn:{partition}:ec2:{region}:{account}:network-interface/eni-0a"
    for action in (
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
    ):
        yield Call(action, interface, reason="the job joins the network")
