"""How long a run of `churn_retraining` may take: what follows from the limits of its tasks.

Each task ends by itself: a job at its own maximum run time, a small task at its limit. The run's limit must
leave all of them all their tries, or it would end a run that does what it was asked to do.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from include.airflow_tasks.job_kinds import START_UP_MARGIN_SECONDS
from include.airflow_tasks.sagemaker_job_mixin import TRIGGER_SLACK
from include.airflow_tasks.task_settings import SMALL_TASK_LIMIT
from include.sagemaker_requests.job_requests import SPOT_WAIT_SECONDS
from include.settings.parameter_table import RUNTIME

_JOBS = 3  # preprocess, train, evaluate
_SMALL_TASKS = 3  # prepare_run, accuracy_gate, register_model_package
# Tasks wait for a free worker as well; a day over the whole run is more than a working environment needs.
_QUEUEING = timedelta(days=1)


def longest_run(task_arguments: Mapping[str, Any]) -> timedelta:
    """Return the limit for the default arguments `retries` and `retry_delay` of the run's tasks.

    Reckoned with the largest max_runtime_seconds that can be asked for: Airflow takes one limit for all runs.
    """
    job_try = timedelta(seconds=RUNTIME.schema["maximum"] + START_UP_MARGIN_SECONDS) + TRIGGER_SLACK
    one_try_each = _JOBS * job_try + timedelta(seconds=SPOT_WAIT_SECONDS) + _SMALL_TASKS * SMALL_TASK_LIMIT
    retries: int = task_arguments["retries"]
    retry_delay: timedelta = task_arguments["retry_delay"]
    delays = (_JOBS + _SMALL_TASKS) * retries * retry_delay
    return (1 + retries) * one_try_each + delays + _QUEUEING
