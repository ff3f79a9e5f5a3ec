"""Which permissions a recorded request needs: the caller's own, and those of the SageMaker job it starts.

A deployment encrypts with its own key and runs jobs in its network, which a laptop does not: what that adds
to a request (KMS through S3, SNS and SageMaker, network interfaces of a job) is added here to every request.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from scripts.policy_coverage.iam_policies import Call
from scripts.policy_coverage.recorded_requests import RecordedRequest

# Anybody may make them; IAM knows no permission for them.
FREE_ACTIONS = frozenset({"GetCallerIdentity"})


class UnknownRequestError(ValueError):
    """Nobody has said yet which permission this request needs; the one-line message names it."""


def needed_permissions(request: RecordedRequest, values: Mapping[str, Any]) -> list[Call]:
    """Return what the caller needs; `values` are those that policies are rendered with.

    Raises UnknownRequestError.
    """
    if request.action in FREE_ACTIONS:
        return []
    if request.service == "s3":
        return list(_of_s3(request, values))
    known = _BY_ACTION.get(request.action)
    if known is None:
        raise UnknownRequestError(
            f"{request.service}:{request.action or request.method + ' ' + request.path} is in no table of "
            "scripts/policy_coverage/needed_permissions.py; say there which permission it needs"
        )
    return list(known(request, values))


def _of_s3(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    query = request.query
    if not bucket:
        yield Call("s3:ListAllMyBuckets", "*")
        return
    arn = f"arn:{values['partition']}:s3:::{bucket}"
    if not key:
        yield _of_bucket(request, arn)
        return
    action = _object_action(request.method, query)
    yield Call(action, f"{arn}/{key}")
    through_s3 = {"kms:ViaService": f"s3.{request.region}.amazonaws.com"}
    if action.startswith("s3:GetObject"):
        yield Call("kms:Decrypt", values["kms_key_arn"], through_s3, "objects are encrypted")
    if action == "s3:PutObject":
        yield Call("kms:GenerateDataKey", values["kms_key_arn"], through_s3, "objects are encrypted")
    if "uploadId" in query or "uploads" in query:
        yield Call("kms:Decrypt", values["kms_key_arn"], through_s3, "a multipart upload is encrypted")
    if request.copy_source:
        source = unquote(request.copy_source).lstrip("/").partition("?")[0]
        yield Call("s3:GetObject", f"arn:{values['partition']}:s3:::{source}", reason="source of a copy")


def _of_bucket(request: RecordedRequest, arn: str) -> Call:
    if request.method in {"GET", "HEAD"} and not set(request.query) - {
        "list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type",
        "fetch-owner", "marker",
    }:  # fmt: skip
        return Call("s3:ListBucket", arn, {"s3:prefix": request.query.get("prefix", "")})
    if request.method == "PUT" and not request.query:
        return Call("s3:CreateBucket", arn)
    if request.method == "POST" and "delete" in request.query:
        return Call("s3:DeleteObject", f"{arn}/*")
    raise UnknownRequestError(f"s3: {request.method} of a bucket with {sorted(request.query)} is in no table")


def _object_action(method: str, query: Mapping[str, str]) -> str:
    version = "Version" if "versionId" in query else ""
    if "tagging" in query:
        return {"GET": "s3:GetObjectTagging", "PUT": "s3:PutObjectTagging"}[method]
    if method in {"GET", "HEAD"}:
        return f"s3:GetObject{version}"
    if method in {"PUT", "POST"}:
        return "s3:PutObject"
    if method == "DELETE":
        return "s3:AbortMultipartUpload" if "uploadId" in query else f"s3:DeleteObject{version}"
    raise UnknownRequestError(f"s3: {method} of an object is in no table")


def _arn(request: RecordedRequest, values: Mapping[str, Any], service: str, resource: str) -> str:
    return f"arn:{values['partition']}:{service}:{request.region}:{values['account_id']}:{resource}"


def _job(kind: str, name_key: str, verb: str) -> Callable[..., Iterator[Call]]:
    def calls(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
        arn = _arn(request, values, "sagemaker", f"{kind}-job/{request.parameters[name_key]}")
        yield Call(f"sagemaker:{verb}{kind.capitalize()}Job", arn)
        if verb != "Create":
            return
        if request.parameters.get("Tags"):
            yield Call("sagemaker:AddTags", arn, reason="the job is made with tags")
        yield Call(
            "iam:PassRole",
            request.parameters["RoleArn"],
            {"iam:PassedToService": "sagemaker.amazonaws.com"},
            "the job gets its role",
        )
        through = {"kms:ViaService": f"sagemaker.{request.region}.amazonaws.com"}
        granted = {**through, "kms:GrantIsForAWSResource": "true"}
        yield Call("kms:CreateGrant", values["kms_key_arn"], granted, "the job's volume is encrypted")
        yield Call("kms:DescribeKey", values["kms_key_arn"], through, "the job's volume is encrypted")

    return calls


def _group(verb: str) -> Callable[..., Iterator[Call]]:
    def calls(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
        name = request.parameters["ModelPackageGroupName"]
        arn = _arn(request, values, "sagemaker", f"model-package-group/{name}")
        yield Call(f"sagemaker:{verb}ModelPackageGroup", arn)
        if request.parameters.get("Tags"):
            yield Call("sagemaker:AddTags", arn, reason="the group is made with tags")

    return calls


def _add_tags(request: RecordedRequest, _values: Mapping[str, Any]) -> Iterator[Call]:
    yield Call("sagemaker:AddTags", request.parameters["ResourceArn"], reason="a group keeps its mark")


def _create_package(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
    name = request.parameters["ModelPackageGroupName"]
    status = request.parameters.get("ModelApprovalStatus", "PendingManualApproval")
    for resource in (f"model-package/{name}/1", f"model-package-group/{name}"):
        yield Call(
            "sagemaker:CreateModelPackage",
            _arn(request, values, "sagemaker", resource),
            {"sagemaker:ModelApprovalStatus": status},
        )


def _describe_package(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
    name = request.parameters["ModelPackageName"]
    is_arn = name.startswith("arn:")
    arn = name if is_arn else _arn(request, values, "sagemaker", f"model-package/{name}")
    yield Call("sagemaker:DescribeModelPackage", arn)


def _update_package(request: RecordedRequest, _values: Mapping[str, Any]) -> Iterator[Call]:
    status = request.parameters.get("ModelApprovalStatus")
    context = {"sagemaker:ModelApprovalStatus": status} if status else {}
    yield Call("sagemaker:UpdateModelPackage", request.parameters["ModelPackageArn"], context)


def _anywhere(action: str) -> Callable[..., Iterator[Call]]:
    def calls(_request: RecordedRequest, _values: Mapping[str, Any]) -> Iterator[Call]:
        yield Call(action, "*")

    return calls


def _log_stream(verb: str) -> Callable[..., Iterator[Call]]:
    def calls(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
        group = request.parameters["logGroupName"]
        stream = request.parameters.get("logStreamName", "")
        yield Call(f"logs:{verb}", _arn(request, values, "logs", f"log-group:{group}:log-stream:{stream}"))

    return calls


def _publish(request: RecordedRequest, values: Mapping[str, Any]) -> Iterator[Call]:
    yield Call("sns:Publish", request.parameters["TopicArn"])
    through = {"kms:ViaService": f"sns.{request.region}.amazonaws.com"}
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        yield Call(action, values["kms_key_arn"], through, "the topic is encrypted")


def _put_metrics(request: RecordedRequest, _values: Mapping[str, Any]) -> Iterator[Call]:
    yield Call("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": request.parameters["Namespace"]})


_BY_ACTION: Mapping[str, Callable[..., Iterator[Call]]] = {
    **{
        f"{verb}{kind.capitalize()}Job": _job(kind, f"{kind.capitalize()}JobName", verb)
        for kind in ("processing", "training")
        for verb in ("Create", "Describe", "Stop")
    },
    "ListProcessingJobs": _anywhere("sagemaker:ListProcessingJobs"),
    "ListTrainingJobs": _anywhere("sagemaker:ListTrainingJobs"),
    "CreateModelPackageGroup": _group("Create"),
    "DescribeModelPackageGroup": _group("Describe"),
    "ListModelPackageGroups": _anywhere("sagemaker:ListModelPackageGroups"),
    "AddTags": _add_tags,
    "CreateModelPackage": _create_package,
    "DescribeModelPackage": _describe_package,
    "UpdateModelPackage": _update_package,
    "ListModelPackages": _anywhere("sagemaker:ListModelPackages"),
    "DescribeLogStreams": _log_stream("DescribeLogStreams"),
    "GetLogEvents": _log_stream("GetLogEvents"),
    "Publish": _publish,
    "PutMetricData": _put_metrics,
}
