"""The limit of a retraining run, held against its real tasks and the largest requests they can make."""

from datetime import timedelta

import pytest

from include.airflow_tasks.job_kinds import time_limit_seconds
from include.airflow_tasks.sagemaker_job_mixin import TRIGGER_SLACK
from include.sagemaker_requests.job_names import job_name
from include.settings.retraining_table import PARAMETERS
from tests.unit.airflow_tasks.plans import make_plan, make_result

LONGEST = next(row.schema["maximum"] for row in PARAMETERS if row.name == "max_runtime_seconds")


def longest_try(task) -> timedelta:
    if task.execution_timeout:
        return task.execution_timeout
    plan = make_plan(max_runtime_seconds=LONGEST, use_spot_instances=True)
    earlier = {"preprocess": make_result("preprocess"), "training": make_result("train")}
    results = {name: earlier[name] for name in task.upstream_results}
    request = task.build_request(plan, job_name(task.stage, plan, 0, 0), **results)
    return timedelta(seconds=time_limit_seconds(request)) + TRIGGER_SLACK


@pytest.fixture
def retraining(dags):
    return dags["churn_retraining"]


def test_retraining_when_every_task_uses_all_its_tries_then_the_run_is_not_ended_before(retraining):
    needed = sum(
        (
            (1 + task.retries) * longest_try(task) + task.retries * task.retry_delay
            for task in retraining.tasks
        ),
        timedelta(),
    )
    assert len(retraining.tasks) == 6
    assert needed <= retraining.dagrun_timeout <= needed + timedelta(days=1)
