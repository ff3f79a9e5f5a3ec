"""A small HTTP server that speaks SageMaker's JSON protocol for jobs, with states and faults set by tests.

It is there for what a true stand-in cannot be told to do: stay running, lose an answer, throttle once.
"""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT = "123456789012"


@dataclass
class Fault:
    """What happens instead of an answer: an HTTP status with an error code, or a cut connection."""

    status: int = 0
    code: str = ""
    message: str = "injected"
    cut: bool = False
    after_work: bool = False  # the request is carried out, only its answer is lost


@dataclass
class SageMakerServer:
    """Jobs by name, every call received, and faults queued per operation."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    status_at_creation: str = "InProgress"
    completes_after_looks: int | None = None
    log_lines: dict[str, list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.handle(self)

            def log_message(self, *arguments: Any) -> None:
                """Keep pytest's output clean."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def count(self, operation: str) -> int:
        return sum(1 for name, _ in self.calls if name == operation)

    def end(self, name: str, status: str, **facts: Any) -> None:
        """Give a job its last state."""
        label = self.jobs[name]["label"]
        self.jobs[name].update({f"{label}JobStatus": status, f"{label}EndTime": time.time(), **facts})

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        operation = request.headers["X-Amz-Target"].split(".")[-1]
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])) or b"{}")
        with self.lock:
            self.calls.append((operation, body))
            self.headers.append(dict(request.headers))
            fault = self.faults[operation].pop(0) if self.faults[operation] else None
            if fault and not fault.after_work:
                self.fail(request, fault)
                return
            status, answer = self.work(operation, body)
        if fault:
            self.fail(request, fault)
            return
        self.answer(request, status, answer)

    def fail(self, request: BaseHTTPRequestHandler, fault: Fault) -> None:
        if fault.cut:
            request.close_connection = True
            request.connection.close()
            return
        self.answer(request, fault.status, {"__type": fault.code, "message": fault.message})

    def answer(self, request: BaseHTTPRequestHandler, status: int, answer: dict[str, Any]) -> None:
        content = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/x-amz-json-1.1")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def work(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if operation in {"DescribeLogStreams", "GetLogEvents"}:
            return self.logs(operation, body)
        label = "Processing" if "Processing" in operation else "Training"
        name = body[f"{label}JobName"]
        if operation.startswith("Create"):
            if name in self.jobs:
                return error("ResourceInUse", "Job names must be unique within an account and region")
            self.jobs[name] = new_job(label, name, body, self.status_at_creation)
            return 200, {f"{label}JobArn": self.jobs[name][f"{label}JobArn"]}
        if name not in self.jobs:
            return error("ValidationException", "Requested resource not found.")
        job = self.jobs[name]
        if operation.startswith("Describe") and self.completes_after_looks is not None:
            self.completes_after_looks -= 1
            if self.completes_after_looks < 0:
                self.end(name, "Completed")
        if operation.startswith("Stop"):
            status = job[f"{label}JobStatus"]
            if status not in {"InProgress", "Stopping"}:
                return error(
                    "ValidationException", f"The request was rejected because the job is in status {status}."
                )
            job[f"{label}JobStatus"] = "Stopping"
            return 200, {}
        return 200, {key: value for key, value in job.items() if key != "label"}

    def logs(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if operation == "DescribeLogStreams":
            prefix = body["logStreamNamePrefix"]
            return 200, {"logStreams": [{"logStreamName": n} for n in self.log_lines if n.startswith(prefix)]}
        lines = self.log_lines[body["logStreamName"]]
        return 200, {"events": [{"timestamp": i, "message": line} for i, line in enumerate(lines)]}


def error(code: str, message: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": code, "message": message}


def new_job(label: str, name: str, body: dict[str, Any], status: str) -> dict[str, Any]:
    job = {
        **body,
        "label": label,
        f"{label}JobStatus": status,
        f"{label}JobArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:{label.lower()}-job/{name}",
        "CreationTime": time.time(),
        f"{label}StartTime": time.time(),
        "LastModifiedTime": time.time(),
    }
    if label == "Training":
        job["ModelArtifacts"] = {
            "S3ModelArtifacts": f"{body['OutputDataConfig']['S3OutputPath']}/{name}/output/model.tar.gz"
        }
        job["SecondaryStatus"] = "Training"
    return job
