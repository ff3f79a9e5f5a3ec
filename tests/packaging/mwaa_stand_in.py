"""MWAA for tests of deployments: an HTTP server that checks each request against botocore's model of MWAA.

moto does not know MWAA. Like MWAA it reads plugins, requirements and startup script from the very S3 versions
that an update names, and refuses an update while one is running; an update takes a few looks. Airflow's REST
API answers from the DAG files that lie in the bucket, which its DAG processor reads a look late.
"""

import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from local_aws.api_error import ApiError
from local_aws.request_validation import check_request

BUCKET = "churn-artifacts"
ENVIRONMENT = "telecom-churn-development"
# What Terraform's output `deployment` holds.
OUTPUT = {
    "region": "eu-west-1",
    "environment_name": ENVIRONMENT,
    "artifact_bucket": BUCKET,
    "data_bucket": "churn-data",
    "dags_path": "dags",
    "bundle_path": "mwaa",
    "settings": {
        "CHURN_ARTIFACT_BUCKET": BUCKET,
        "CHURN_DATA_BUCKET": "churn-data",
        "CHURN_SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/jobs",
        "CHURN_ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:drift",
        "CHURN_SUBNET_IDS": "",
    },
}
KINDS = ("Plugins", "Requirements", "StartupScript")
LOOKS_PER_UPDATE = 4
DOCUMENTS = frozenset({"Body", "QueryParameters"})


class MwaaStandIn:
    """One environment; `calls` lists what was asked, `fail_next_update` makes MWAA roll the next one back."""

    def __init__(self, s3: Any, bucket: str, name: str = ENVIRONMENT):
        self.s3, self.bucket = s3, bucket
        self.calls: list[str] = []
        self.fail_next_update = False
        self.import_errors: list[dict[str, str]] = []
        self.sick: dict[str, str] = {}
        self.paused: dict[str, bool] = {}
        self.runs: list[dict[str, Any]] = []
        self.on_update: Callable[[], None] = lambda: None
        self.environment: dict[str, Any] = {
            "Name": name,
            "Status": "AVAILABLE",
            "AirflowVersion": "3.3.1",
            "SourceBucketArn": f"arn:aws:s3:::{bucket}",
            "DagS3Path": "dags",
            "LastUpdate": {"Status": "SUCCESS", "CreatedAt": 1_700_000_000},
        }
        self._looks_left = 0
        self._wanted: dict[str, Any] = {}
        self._parsed: dict[str, str] = {}
        model = ServiceModel(Loader().load_service_model("mwaa", "service-2"), "mwaa")
        self._operations = [
            (name, operation.http["method"], path_pattern(operation.http["requestUri"]))
            for name in model.operation_names
            for operation in [model.operation_model(name)]
        ]

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        for operation, wanted, pattern in self._operations:
            match = pattern.fullmatch(path)
            if method == wanted and match:
                labels = {name: urllib.parse.unquote(text) for name, text in match.groupdict().items()}
                request = {**labels, **json.loads(body or b"{}")}
                # Documents are Airflow's own JSON: the model of MWAA says nothing about their members.
                modelled = {name: value for name, value in request.items() if name not in DOCUMENTS}
                check_request("mwaa", operation, modelled)
                if request["Name"] != self.environment["Name"]:
                    raise ApiError(
                        "ResourceNotFoundException", f"Environment {request['Name']} not found", 404
                    )
                return getattr(self, operation)(request)
        raise ApiError("UnknownOperationException", f"MWAA has no {method} {path}", 404)

    def GetEnvironment(self, _request: dict[str, Any]) -> dict[str, Any]:
        if self.environment["Status"] == "UPDATING":
            self._looks_left -= 1
            if self._looks_left <= 0:
                self._end_update()
        return {"Environment": self.environment}

    def _end_update(self) -> None:
        self.environment["Status"] = "AVAILABLE"
        update = self.environment["LastUpdate"]
        if self.fail_next_update:
            self.fail_next_update = False
            update |= {
                "Status": "FAILED",
                "Error": {"ErrorCode": "INCORRECT_CONFIGURATION", "ErrorMessage": "pip"},
            }
        else:
            self.environment |= self._wanted
            update["Status"] = "SUCCESS"

    def UpdateEnvironment(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.environment["Status"] != "AVAILABLE":
            raise ApiError("ValidationException", "Environment is being updated", 400)
        for kind in KINDS:
            key, version = request.get(f"{kind}S3Path"), request.get(f"{kind}S3ObjectVersion")
            if key is None:
                continue
            try:
                self.s3.head_object(Bucket=self.bucket, Key=key, VersionId=version)
            except ClientError:
                raise ApiError("ValidationException", f"{kind}: no version {version} of {key}", 400) from None
        self.calls.append("UpdateEnvironment")
        self.on_update()
        self._wanted = {name: value for name, value in request.items() if name != "Name"}
        created = self.environment["LastUpdate"]["CreatedAt"] + 60
        self.environment |= {"Status": "UPDATING", "LastUpdate": {"Status": "PENDING", "CreatedAt": created}}
        self._looks_left = LOOKS_PER_UPDATE
        return {"Arn": f"arn:aws:airflow:eu-west-1:123456789012:environment/{request['Name']}"}

    def InvokeRestApi(self, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(f"{request['Method']} {request['Path']}")
        if request["Method"] == "GET":
            status, answer = self._airflow(request["Path"])
        else:
            status, answer = self._airflow_change(request["Path"], request["Body"])
        if status >= 400:
            raise AirflowRefusalError(status, answer)
        return {"RestApiStatusCode": status, "RestApiResponse": answer}

    def _airflow(self, path: str) -> tuple[int, dict[str, Any]]:
        """Airflow's own answers (API version 2), as far as a deployment asks."""
        if path == "/version":
            self._read_dags()
            return 200, {"version": self.environment["AirflowVersion"], "git_version": None}
        if path == "/monitor/health":
            parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
            return 200, {part: {"status": self.sick.get(part, "healthy")} for part in parts}
        if path == "/plugins/importErrors":
            return 200, {"import_errors": [], "total_entries": 0}
        if path == "/importErrors":
            return 200, {"import_errors": self.import_errors, "total_entries": len(self.import_errors)}
        kind, dag_id, *rest = path.strip("/").split("/")
        if dag_id not in self._parsed:
            return 404, {"detail": f"The Dag with ID: `{dag_id}` was not found"}
        if rest == ["dagRuns"]:
            return 200, {"dag_runs": self.runs, "total_entries": len(self.runs)}
        if kind == "dags":
            return 200, {"dag_id": dag_id, "is_stale": False}
        return 200, {"dag_id": dag_id, "content": self._parsed[dag_id], "version_number": 1}

    def _airflow_change(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Unpausing a DAG and starting a run."""
        _, dag_id, *rest = path.strip("/").split("/")
        if dag_id not in self._parsed:
            return 404, {"detail": f"The Dag with ID: `{dag_id}` was not found"}
        if rest:
            run = {"dag_id": dag_id, "dag_run_id": "manual__stand_in", "state": "queued", **body}
            self.runs.append(run)
            return 200, run
        self.paused[dag_id] = body["is_paused"]
        return 200, {"dag_id": dag_id, **body}

    def _read_dags(self) -> None:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="dags/").get("Contents", [])
        bodies = {
            entry["Key"]: self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read().decode()
            for entry in listed
        }
        self._parsed = {key.rpartition("/")[2].removesuffix(".py"): body for key, body in bodies.items()}


class AirflowRefusalError(Exception):
    """What MWAA passes on when Airflow itself answers with an error."""

    def __init__(self, status: int, answer: dict[str, Any]):
        super().__init__(status)
        self.status, self.answer = status, answer


def path_pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri)))


class MwaaServer:
    """Serves a stand-in on the loopback."""

    def __init__(self, stand_in: MwaaStandIn):
        class Handler(BaseHTTPRequestHandler):
            def handle_request(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    status, content, code = (
                        200,
                        stand_in.answer(self.command, urllib.parse.urlsplit(self.path).path, body),
                        "",
                    )
                except AirflowRefusalError as error:
                    status, code = 400, "RestApiClientException"
                    content = {"RestApiStatusCode": error.status, "RestApiResponse": error.answer}
                except ApiError as error:
                    status, code, content = error.status, error.code, {"message": error.message}
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if code:
                    self.send_header("x-amzn-ErrorType", code)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_PUT = handle_request  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                """Tests read the stand-in's calls, not a log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
