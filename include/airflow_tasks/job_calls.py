"""The AWS calls on one job that survive a bad network: describe, create once, stop, read the log's tail.

Everything here takes a ready boto3 client, so tests give it a real one that talks to a real server.
"""

import time
from collections.abc import Callable, Mapping
from logging import Logger
from typing import Any

from include.airflow_tasks.aws_errors import code_and_message, is_transient, one_line
from include.airflow_tasks.job_kinds import (
    FINAL_STATUSES,
    STOPPING,
    Description,
    JobKind,
    is_missing_job_error,
    is_name_taken_error,
    is_no_longer_stoppable_error,
)

LOG_TAIL_LINES = 40
_PAUSE_AFTER_ERROR_SECONDS = 1.0


def describe_job(client: Any, kind: JobKind, job_name: str) -> dict[str, Any] | None:
    """Return the job's description, or None where no such job exists; other errors are the caller's."""
    try:
        description: dict[str, Any] = getattr(client, kind.describe_call)(**{kind.name_key: job_name})
    except Exception as error:
        if is_missing_job_error(*code_and_message(error)):
            return None
        raise
    return description


def with_patience[T](call: Callable[[], T], *, patience_seconds: float, logger: Logger) -> T:
    """Repeat a harmless call while it fails for a reason that passes, for at most `patience_seconds`."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            return call()
        except Exception as error:
            if not is_transient(error) or time.monotonic() >= give_up_at:
                raise
            logger.warning("AWS did not answer, trying again: %s", one_line(error))
            time.sleep(_PAUSE_AFTER_ERROR_SECONDS)


def create_job_once(
    client: Any, kind: JobKind, request: Mapping[str, Any], *, patience_seconds: float, logger: Logger
) -> Description:
    """Create a job and return its description; if its name turns out to be taken, that job is ours.

    Names are made from the run, so whoever holds the name did the same work: a lost worker, or this very
    call when its answer was lost on the way. Asking first and creating after an unclear error is therefore
    safe: SageMaker refuses the second job of a name.
    """
    job_name = request[kind.name_key]

    def create() -> None:
        try:
            getattr(client, kind.create_call)(**request)
        except Exception as error:
            if not is_name_taken_error(*code_and_message(error)):
                raise
            logger.info("The %s job %s exists already; following it.", kind.name, job_name)

    def describe() -> Description:
        description = describe_job(client, kind, job_name)
        if description is None:
            raise TimeoutError(f"the {kind.name} job {job_name} was created but cannot be seen yet")
        return description

    with_patience(create, patience_seconds=patience_seconds, logger=logger)
    return with_patience(describe, patience_seconds=patience_seconds, logger=logger)


def request_stop(
    client: Any, kind: JobKind, job_name: str, *, patience_seconds: float, logger: Logger
) -> bool:
    """Ask SageMaker to stop a job, until it accepts; do not wait for the job's end.

    Returns whether nothing is left running: accepted, already ended, or never existed. Never raises: it is
    called while another problem is being reported, and that problem must stay the one that people see.
    """
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            getattr(client, kind.stop_call)(**{kind.name_key: job_name})
        except Exception as error:  # noqa: BLE001 - see the docstring
            if nothing_to_stop(error):
                logger.info("The %s job %s needs no stop: %s", kind.name, job_name, one_line(error))
                return True
            if not is_transient(error) or time.monotonic() >= give_up_at:
                logger.warning(stop_refused_sentence(kind, job_name, error))
                return False
            time.sleep(min(_PAUSE_AFTER_ERROR_SECONDS, patience_seconds / 4))
        else:
            logger.info("SageMaker accepted the request to stop the %s job %s.", kind.name, job_name)
            return True


def nothing_to_stop(error: BaseException) -> bool:
    """Tell whether a Stop call failed because the job has ended, is stopping, or never existed."""
    code, message = code_and_message(error)
    return is_missing_job_error(code, message) or is_no_longer_stoppable_error(code, message)


def stop_refused_sentence(kind: JobKind, job_name: str, error: BaseException) -> str:
    """Say that a job may go on running, and how a person stops it."""
    return (
        f"The {kind.name} job {job_name} could not be stopped ({one_line(error)}); it may still run and cost "
        f"money: aws sagemaker stop-{kind.name}-job --{kind.name}-job-name {job_name}"
    )


def is_following_worthwhile(kind: JobKind, description: Description) -> bool:
    """Tell whether a job found under our name is to be followed: running or completed, not ended in vain."""
    status = kind.status(description)
    return status not in (FINAL_STATUSES - {"Completed"}) | {STOPPING}


def log_tail(logs_client: Any, kind: JobKind, job_name: str, *, lines: int = LOG_TAIL_LINES) -> list[str]:
    """Return the last lines of a job's CloudWatch log, oldest first; empty where there is no log.

    Never raises: a log that cannot be read must not hide why the job failed.
    """
    try:
        streams = logs_client.describe_log_streams(
            logGroupName=kind.log_group, logStreamNamePrefix=f"{job_name}/", limit=5
        )["logStreams"]
        events: list[dict[str, Any]] = []
        for stream in streams:
            answer = logs_client.get_log_events(
                logGroupName=kind.log_group,
                logStreamName=stream["logStreamName"],
                limit=lines,
                startFromHead=False,
            )
            events.extend(answer["events"])
    except Exception as error:  # noqa: BLE001 - see the docstring
        return [f"(the job's log could not be read: {one_line(error)})"]
    events.sort(key=lambda event: event["timestamp"])
    return [str(event["message"]).rstrip("\n") for event in events[-lines:]]
