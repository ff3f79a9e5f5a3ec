"""What the tasks of all DAGs share: limits, retries, how jobs are awaited, and their way to AWS."""

from datetime import timedelta
from typing import Any

from include.settings.environment import OperatorSettings, read_operator_settings

# Tasks that read and write small objects only. A job has no such limit here: its own maximum run time
# bounds the waiting (job_kinds.time_limit_seconds).
SMALL_TASK_LIMIT = timedelta(minutes=10)
# 5, 10, 20, 40 and then 60 minutes between tries make a day.
PUBLISHING_RETRIES = 27
# What a task leaves under this key becomes the note of its run (plugins/run_notes.py).
NOTE_KEY = "run_note"


def default_arguments(settings: OperatorSettings) -> dict[str, Any]:
    """Return the default arguments of every task: who owns it, how often and how soon it is tried again."""
    return {
        "owner": "churn",
        "depends_on_past": False,
        "retries": 2,
        "retry_delay": timedelta(seconds=settings.retry_delay_seconds),
    }


def publishing_retries(settings: OperatorSettings) -> dict[str, Any]:
    """Return the arguments of a task that tells the outside: it tries again for a day of an outage.

    The delay doubles from the usual one to twelve times that (an hour, by default); a person's mistake fails
    at once all the same. Whatever has not been told by then is told by the next run.
    """
    return {
        "retries": PUBLISHING_RETRIES,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(seconds=12 * settings.retry_delay_seconds),
    }


def job_waiting(settings: OperatorSettings) -> dict[str, Any]:
    """Return the arguments of a job operator that say how it waits and reaches AWS."""
    return {
        "deferrable": settings.deferrable,
        "poll_interval_seconds": settings.poll_interval_seconds,
        "aws_conn_id": settings.aws_conn_id,
        "region_name": settings.region,
    }


def s3_hook() -> Any:
    """Return a hook for S3 with the deployment's connection; for running tasks, never at parse time."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    settings = read_operator_settings()
    return S3Hook(aws_conn_id=settings.aws_conn_id, region_name=settings.region)


def aws_client(service: str) -> Any:
    """Return a boto3 client of another service with the deployment's connection, as `s3_hook`."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    settings = read_operator_settings()
    hook = AwsBaseHook(aws_conn_id=settings.aws_conn_id, region_name=settings.region, client_type=service)
    return hook.get_conn()
