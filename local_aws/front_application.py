"""The WSGI application in front: hands each request to the part that answers it."""

import io
import json
import traceback
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local_aws.api_error import ApiError
from local_aws.logs_service import LogsService
from local_aws.moto_services import MotoServices
from local_aws.request_details import Target, action_of, target_of
from local_aws.request_log import RequestLog
from local_aws.s3_requests import parse_request
from local_aws.s3_responses import error_response
from local_aws.s3_service import S3Service
from local_aws.sagemaker_service import SageMakerService
from local_aws.server_log import say
from local_aws.service_faults import PATH as FAULTS_PATH
from local_aws.service_faults import Fault, ServiceFaults

StartResponse = Callable[..., Any]
JSON_TYPE = "application/x-amz-json-1.1"
LARGEST_JSON_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class FrontApplication:
    """Routes by the service name in the request's signature."""

    s3: S3Service
    sagemaker: SageMakerService
    logs: LogsService
    moto: MotoServices
    faults: ServiceFaults
    request_log: RequestLog | None = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; a defect becomes an InternalError with its traceback in the stand-in's log."""
        target = target_of(environ)
        if self.request_log is not None:
            self.request_log.note(environ, target)
        path = environ["PATH_INFO"]
        if path == "/health":
            return _json(start_response, 200, {"status": "ok"})
        if path.startswith(FAULTS_PATH):
            return _json(
                start_response, *self.faults.answer(environ["REQUEST_METHOD"], path, _short_body(environ))
            )
        fault = self.faults.fault_of(target.service, lambda: _operation(environ))
        try:
            if fault is not None:
                return self._refuse(environ, start_response, target, fault)
            return self._answer(environ, start_response, target)
        except NotImplementedError as error:
            return _json(start_response, 501, {"__type": "NotImplemented", "message": str(error)})
        except Exception as error:  # noqa: BLE001 - one broken request must not end the server
            say(traceback.format_exc())
            return _json(start_response, 500, {"__type": "InternalError", "message": f"local_aws: {error}"})

    def _refuse(
        self, environ: dict[str, Any], start_response: StartResponse, target: Target, fault: Fault
    ) -> Iterable[bytes]:
        if fault.carried_out:
            _drain(self._answer(environ, _tell_nobody, target))
        else:
            _short_body(environ)
        start_response(f"{fault.status} Service Unavailable", [("Content-Length", "0")])
        return []  # without a body every AWS protocol reads it the same way

    def _answer(
        self, environ: dict[str, Any], start_response: StartResponse, target: Target
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if target.service == "s3" or (
            not target.service and not path.startswith("/moto-api") and path != "/"
        ):
            return self._answer_s3(environ, start_response, target)
        if target.service in {"sagemaker", "logs"} and "HTTP_X_AMZ_TARGET" in environ:
            return self._answer_json(environ, start_response, target)
        return self.moto.handle(environ, start_response)

    def _answer_s3(
        self, environ: dict[str, Any], start_response: StartResponse, target: Target
    ) -> Iterable[bytes]:
        request = parse_request(environ)
        try:
            response = self.s3.handle(request, target.region)
        except Exception as error:  # noqa: BLE001 - as above, in S3's own form
            say(traceback.format_exc())
            response = error_response(request, ApiError("InternalError", f"local_aws: {error}", 500))
        request.body.drain()
        identifiers = [("x-amz-request-id", uuid.uuid4().hex[:16].upper())]
        start_response(f"{response.status} S3", [*response.headers.items(), *identifiers])
        return response.body

    def _answer_json(
        self, environ: dict[str, Any], start_response: StartResponse, target: Target
    ) -> Iterable[bytes]:
        body = _short_body(environ)
        operation = action_of(environ, body)
        try:
            if target.service == "sagemaker" and self.sagemaker.answers(operation, body):
                return _json(start_response, 200, self.sagemaker.handle(operation, target.region, body))
            if target.service == "logs" and self.logs.answers(operation, body):
                return _json(start_response, 200, self.logs.handle(operation, target.region, body))
        except ApiError as error:
            return _json(start_response, error.status, {"__type": error.code, "message": error.message})
        environ["wsgi.input"] = io.BytesIO(body)
        if target.service == "logs" and operation == "DescribeLogGroups":
            return self._describe_log_groups(environ, start_response, target, body)
        return self.moto.handle(environ, start_response)

    def _describe_log_groups(
        self, environ: dict[str, Any], start_response: StartResponse, target: Target, body: bytes
    ) -> Iterable[bytes]:
        """Add the job log groups to the first page of moto's."""
        parameters = json.loads(body or b"{}")
        answer: dict[str, Any] = {}

        def keep(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            answer.update(status=int(status.split(maxsplit=1)[0]), headers=headers)

        content = json.loads(b"".join(self.moto.handle(environ, keep)) or b"{}")
        if answer["status"] == 200 and "nextToken" not in parameters:
            own = self.logs.groups(target.region, parameters.get("logGroupNamePrefix", ""))
            merged = {group["logGroupName"]: group for group in [*content.get("logGroups", []), *own]}
            content["logGroups"] = [merged[name] for name in sorted(merged)]
        return _json(start_response, answer["status"], content)


def _operation(environ: dict[str, Any]) -> str:
    """Read which operation a request names; its body can be read again afterwards."""
    body = _short_body(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    return action_of(environ, body)


def _tell_nobody(_status: str, _headers: list[tuple[str, str]], _error: Any = None) -> None:
    """Start an answer that is lost on its way."""


def _drain(answer: Iterable[bytes]) -> None:
    """Read an answer to its end: a body may come from a file that is closed there."""
    for _ in answer:
        pass


def _short_body(environ: dict[str, Any]) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return environ["wsgi.input"].read(length) if length <= LARGEST_JSON_BYTES else b""


def _json(start_response: StartResponse, status: int, content: dict[str, Any]) -> list[bytes]:
    body = json.dumps(content).encode()
    headers = [("Content-Type", JSON_TYPE), ("Content-Length", str(len(body)))]
    if status >= 400:
        headers.append(("x-amzn-ErrorType", content.get("__type", "InternalError")))
    headers.append(("x-amzn-RequestId", str(uuid.uuid4())))
    start_response(f"{status} {'OK' if status < 400 else 'ERROR'}", headers)
    return [body]
