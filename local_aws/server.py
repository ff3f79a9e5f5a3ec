"""Puts the parts together and serves them on one port."""

import fcntl
import os
import signal
import socket
import threading
import types
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local_aws.front_application import FrontApplication
from local_aws.job_api import JobApi
from local_aws.job_environments import JobEnvironment
from local_aws.job_run import RunSettings
from local_aws.job_runner import JobRunner, log_directory
from local_aws.logs_service import LogsService
from local_aws.message_outbox import MessageOutbox
from local_aws.model_registry import ModelRegistry
from local_aws.moto_services import MotoServices
from local_aws.multipart_uploads import MultipartUploads
from local_aws.object_store import ObjectStore
from local_aws.request_log import RequestLog
from local_aws.request_validation import service_model
from local_aws.resource_tags import ResourceTags
from local_aws.s3_requests import HEADERS
from local_aws.s3_service import S3Service
from local_aws.sagemaker_service import SageMakerService
from local_aws.server_log import say
from local_aws.service_faults import ServiceFaults
from local_aws.state_store import StateStore

SHUTDOWN_CHECK_SECONDS = 0.1


class StartError(Exception):
    """The stand-in cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class ServerSettings:
    """Where to listen, where to keep the state, how to run jobs."""

    host: str
    port: int
    state_directory: Path
    outbox_directory: Path
    environments: list[JobEnvironment]
    concurrent_jobs: int = 2
    stop_grace_seconds: float = 120.0
    request_log: Path | None = None


class _RequestHandler(WSGIRequestHandler):
    """Quiet for what went well; passes header names on as they came: WSGI makes `_` and `-` one."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - inherited
        if isinstance(code, int) and code >= 500:
            say(f"{code} {self.command} {self.path} {self.headers.get('X-Amz-Target', '')}")

    def make_environ(self) -> dict[str, Any]:
        environ = super().make_environ()
        environ[HEADERS] = {name.lower(): value for name, value in self.headers.items()}
        return environ


def serve(settings: ServerSettings) -> None:
    """Serve until SIGTERM or SIGINT, then end the running jobs and return; raises StartError."""
    listener = _listen(settings.host, settings.port)
    lock = _lock(settings.state_directory)
    port = listener.getsockname()[1]
    state = StateStore(settings.state_directory / "state.sqlite3")
    application, runner = _assemble(settings, state, f"http://{_address(settings.host)}:{port}")
    server = make_server(
        settings.host, port, application, threaded=True, request_handler=_RequestHandler, fd=listener.fileno()
    )
    _stop_on_signal(server)
    for line in runner.start():
        say(line)
    threading.Thread(target=_warm_up, daemon=True, name="warm-up").start()
    say(f"ready on http://{_address(settings.host)}:{port}, state in {settings.state_directory}")
    try:
        server.serve_forever(poll_interval=SHUTDOWN_CHECK_SECONDS)
    finally:
        runner.shut_down()
        server.server_close()
        state.close()
        lock.close()
        say("stopped")


def _assemble(
    settings: ServerSettings, state: StateStore, endpoint: str
) -> tuple[FrontApplication, JobRunner]:
    store = ObjectStore(state, settings.state_directory / "objects")
    store.discard_orphans()
    logs = log_directory(settings.state_directory)
    tags = ResourceTags(state)
    run_settings = RunSettings(
        state=state,
        store=store,
        logs=logs,
        environments=settings.environments,
        directory=settings.state_directory / "jobs",
        endpoint=endpoint,
        stop_grace_seconds=settings.stop_grace_seconds,
    )
    runner = JobRunner(run_settings, settings.concurrent_jobs)
    operations = {
        **JobApi(state, store, runner, tags).operations(),
        **ModelRegistry(state, tags).operations(),
        **tags.operations(),
    }
    application = FrontApplication(
        s3=S3Service(store, MultipartUploads(state, store)),
        sagemaker=SageMakerService(operations),
        logs=LogsService(state, logs),
        moto=MotoServices(state, MessageOutbox(settings.outbox_directory)),
        faults=ServiceFaults(),
        request_log=RequestLog(settings.request_log) if settings.request_log else None,
    )
    return application, runner


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else, so that a second stand-in never touches the first one's state."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise StartError(
            f"cannot listen on {host} port {port}: {error.strerror}; stop the program that uses it, "
            "or pass another --port"
        ) from error
    return listener


def _lock(directory: Path) -> IO[str]:
    """Hold the state directory; the lock ends with this process, however it ends."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / "lock").open("a+")
    except OSError as error:
        raise StartError(f"cannot use the state directory {directory}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        raise StartError(
            f"the state directory {directory} is in use by process {file.read().strip()}"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _address(host: str) -> str:
    """Return the address jobs and people reach the stand-in under."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - not bound here, only read
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _stop_on_signal(server: BaseWSGIServer) -> None:
    def stop(_number: int, _frame: types.FrameType | None) -> None:
        # shutdown() waits for serve_forever to return, so not from the thread that serves.
        threading.Thread(target=server.shutdown, daemon=True, name="shutdown").start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _warm_up() -> None:
    """Load what the first SageMaker request will need while nobody waits for it.

    Not moto: a retraining run never asks it anything, and its second of loading would slow the run's start.
    """
    service_model("sagemaker")
