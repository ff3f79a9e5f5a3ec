"""An AWS account for `terraform apply`: moto with three named aids, one process, one port, no state on disk.

Run with the stand-in's Python: `account_stand_in.py PORT_FILE REQUEST_LOG`. The aids:

1. moto reads a bucket policy's Deny without its Condition, so that a TLS-only policy locks everybody out: a
   Deny with a condition is skipped here.
2. The provider is sent here by an override file (account_terraform.py): a proxy for plain HTTP, so that host
   names, prefixes included, stay AWS's own.
3. MWAA, a model package group's resource policy and a budget's subscribers and tags, unknown to moto, are
   answered here. Requests for them are checked against botocore's model, limits included, before anything
   is kept.

It shows well-formed requests, not that AWS would accept them.
"""

import io
import json
import re
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket
from werkzeug.serving import WSGIRequestHandler, make_server

from local_aws.api_error import ApiError
from local_aws.request_details import target_of
from local_aws.request_validation import check_request

ACCOUNT_ID = "123456789012"
Answer = tuple[int, dict[str, Any]]


def skip_conditional_denials() -> None:
    """Aid 1: take statements that deny under a condition out of what moto judges requests by."""

    def get_permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
        document = json.loads(bucket.policy or b'{"Statement": []}')
        judged = [s for s in document["Statement"] if s["Effect"] != "Deny" or not s.get("Condition")]
        if not judged:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps({**document, "Statement": judged})).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission


class Airflow:
    """Aid 3: MWAA's environments, with requests read and checked by botocore's model of them."""

    def __init__(self) -> None:
        self.environments: dict[str, dict[str, Any]] = {}
        model = ServiceModel(Loader().load_service_model("mwaa", "service-2"), "mwaa")
        self._operations = [
            (name, operation.http["method"], _path_pattern(operation.http["requestUri"]))
            for name in model.operation_names
            for operation in [model.operation_model(name)]
        ]

    def answer(self, method: str, path: str, region: str, body: bytes) -> Answer:
        for name, wanted, pattern in self._operations:
            match = pattern.fullmatch(path)
            if method == wanted and match:
                labels = {label: urllib.parse.unquote(value) for label, value in match.groupdict().items()}
                request = {**labels, **json.loads(body or b"{}")}
                check_request("mwaa", name, request)
                return self._act(name, region, request)
        raise ApiError("UnknownOperationException", f"MWAA has no {method} {path}", 404)

    def _act(self, operation: str, region: str, request: dict[str, Any]) -> Answer:
        if operation in {"TagResource", "UntagResource", "ListTagsForResource"}:
            return 200, {"Tags": {}}
        name = request["Name"]
        if operation == "CreateEnvironment":
            self._refuse_what_mwaa_refuses(request)
            arn = f"arn:aws:airflow:{region}:{ACCOUNT_ID}:environment/{name}"
            made = {"Arn": arn, "Status": "AVAILABLE", "CreatedAt": int(time.time()), "LastUpdate": {}}
            made["WebserverUrl"] = f"{name}.airflow.{region}.on.aws"
            made["ServiceRoleArn"] = (
                f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/airflow.amazonaws.com/x"
            )
            self.environments[name] = {**request, **made}
            return 200, {"Arn": arn}
        if name not in self.environments:
            raise ApiError("ResourceNotFoundException", f"no environment {name}", 404)
        if operation == "UpdateEnvironment":
            self.environments[name].update(request)
            return 200, {"Arn": self.environments[name]["Arn"]}
        if operation == "DeleteEnvironment":
            del self.environments[name]
            return 200, {}
        return 200, {"Environment": self.environments[name]}

    def _refuse_what_mwaa_refuses(self, request: dict[str, Any]) -> None:
        """Rules of MWAA's documentation that its model does not hold."""
        if len(set(request["NetworkConfiguration"]["SubnetIds"])) != 2:
            raise ApiError("ValidationException", "SubnetIds: two different subnets are needed", 400)
        for kind in ("Plugins", "Requirements", "StartupScript"):
            has_path, has_version = (
                bool(request.get(f"{kind}S3{part}")) for part in ("Path", "ObjectVersion")
            )
            if has_path != has_version:
                raise ApiError("ValidationException", f"{kind}: path and version come together", 400)
        if request["DagS3Path"].startswith("/"):
            raise ApiError("ValidationException", "DagS3Path is relative to the bucket", 400)


def _path_pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri)))


class GroupPolicies:
    """Aid 3: resource policies of model package groups."""

    def __init__(self) -> None:
        self.policies: dict[str, str] = {}

    def answer(self, action: str, body: bytes) -> Answer:
        request = json.loads(body)
        check_request("sagemaker", action, request)
        name = request["ModelPackageGroupName"]
        if action == "PutModelPackageGroupPolicy":
            json.loads(request["ResourcePolicy"])
            self.policies[name] = request["ResourcePolicy"]
            return 200, {
                "ModelPackageGroupArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT_ID}:model-package-group/{name}"
            }
        if name not in self.policies:
            raise ApiError("ValidationException", f"Cannot find resource policy for: {name}", 400)
        if action == "DeleteModelPackageGroupPolicy":
            del self.policies[name]
            return 200, {}
        return 200, {"ResourcePolicy": self.policies[name]}


class BudgetDetails:
    """Aid 3: a budget's tags and who is told by its notifications; moto keeps the rest."""

    ANSWERED = ("DescribeSubscribersForNotification", "ListTagsForResource")
    NOTED = ("CreateBudget", "CreateNotification")

    def __init__(self) -> None:
        self._subscribers: dict[str, list[dict[str, Any]]] = {}
        self._tags: dict[str, list[dict[str, str]]] = {}

    def note(self, action: str, body: bytes) -> None:
        """Keep the subscribers of a notification that moto is about to make."""
        request = json.loads(body or b"{}")
        check_request("budgets", action, request)
        if action == "CreateBudget":
            self._tags[request["Budget"]["BudgetName"]] = request.get("ResourceTags", [])
        made = request.get("NotificationsWithSubscribers", []) if action == "CreateBudget" else [request]
        for entry in made:
            self._subscribers[self._name(request, entry)] = entry["Subscribers"]

    def answer(self, action: str, body: bytes) -> Answer:
        request = json.loads(body)
        check_request("budgets", action, request)
        if action == "ListTagsForResource":
            return 200, {"ResourceTags": self._tags[request["ResourceARN"].rpartition("/")[2]]}
        return 200, {"Subscribers": self._subscribers[self._name(request, request)]}

    @staticmethod
    def _name(request: dict[str, Any], entry: dict[str, Any]) -> str:
        budget = request.get("BudgetName") or request["Budget"]["BudgetName"]
        notification = entry["Notification"]
        return f"{budget} {notification['NotificationType']} {float(notification['Threshold'])}"


class Account:
    """The WSGI application: the aids first, moto for everything else."""

    def __init__(self, request_log: Path) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.airflow = Airflow()
        self.group_policies = GroupPolicies()
        self.budgets = BudgetDetails()
        self.request_log = request_log

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        target = target_of(environ)
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        if target.service == "airflow":
            path = environ["PATH_INFO"]
            return self._own(
                environ,
                start_response,
                lambda body: self.airflow.answer(environ["REQUEST_METHOD"], path, target.region, body),
            )
        if target.service == "sagemaker" and action.endswith("ModelPackageGroupPolicy"):
            return self._own(
                environ,
                start_response,
                lambda body: self.group_policies.answer(action, body),
            )
        if target.service == "budgets" and action in self.budgets.ANSWERED:
            return self._own(environ, start_response, lambda body: self.budgets.answer(action, body))
        if target.service == "budgets" and action in self.budgets.NOTED:
            body = _read(environ)
            self.budgets.note(action, body)
            environ["wsgi.input"] = io.BytesIO(body)
        return self._noted(environ, start_response)

    def _noted(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let moto answer; what it refuses or does not know is a line in the log of this process."""

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            if int(status[:3]) >= 400:
                target = environ.get("HTTP_X_AMZ_TARGET", "")
                with self.request_log.open("a") as log:
                    log.write(f"{status} {environ['REQUEST_METHOD']} {environ['PATH_INFO']} {target}\n")
            return start_response(status, headers, error) if error else start_response(status, headers)

        return self.moto(environ, start)

    def _own(
        self, environ: dict[str, Any], start_response: Callable[..., Any], answer: Callable[[bytes], Answer]
    ) -> Iterable[bytes]:
        body = _read(environ)
        try:
            status, content = answer(body)
        except ApiError as error:
            status, content = error.status, {"__type": error.code, "message": error.message}
        text = json.dumps(content).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(text)))]
        if status >= 400:
            headers.append(("x-amzn-ErrorType", content["__type"]))
        start_response(f"{status} {'OK' if status < 400 else 'ERROR'}", headers)
        return [text]


def _read(environ: dict[str, Any]) -> bytes:
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: Terraform makes thousands of requests."""


def main() -> None:
    skip_conditional_denials()
    port_file, request_log = Path(sys.argv[1]), Path(sys.argv[2])
    server = make_server("127.0.0.1", 0, Account(request_log), threaded=True, request_handler=_Quiet)
    port_file.write_text(str(server.port))
    server.serve_forever()


if __name__ == "__main__":
    main()
