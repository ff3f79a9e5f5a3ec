"""A job that fails at every try ends the run with its reason, and with nothing registered."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from local_airflow.dag_run_watch import describe_failure
from local_airflow.stack_settings import RETRAINING_DAG_ID
from tests.end_to_end.quick_run import QUICK

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

TRIES = 3


@pytest.fixture(scope="module")
def failures(started_laptop):
    """One run that fails at train, is cleared, fails at evaluate, is cleared, and ends green."""
    laptop = started_laptop
    laptop.start()
    known, packages_before = set(laptop.jobs()), set(laptop.packages())
    run_id = laptop.trigger(QUICK)

    def end_every_try(stage: str, end: Callable) -> SimpleNamespace:
        ended: set[str] = set()
        for _ in range(TRIES):
            job = laptop.job_process(stage, known | ended)
            end(job)
            ended.add(job.job_name)
        summary = laptop.finish(run_id)
        run = laptop.api.get_run(RETRAINING_DAG_ID, run_id)
        tasks = laptop.api.get_task_instances(RETRAINING_DAG_ID, run_id)
        return SimpleNamespace(
            summary=summary,
            states=laptop.task_states(run_id),
            errors=describe_failure(laptop.api, run, tasks),
            jobs=laptop.jobs_of(stage, known),
            job_processes=laptop.job_processes(),
            registered=set(laptop.packages()) - packages_before,
        )

    def clear(task_id: str) -> None:
        laptop.api.clear_task(RETRAINING_DAG_ID, run_id, task_id)
        laptop.wait_for(
            "the run to go on", lambda: laptop.api.get_run(RETRAINING_DAG_ID, run_id)["state"] != "failed"
        )

    at_train = end_every_try("train", lambda job: job.kill())
    clear("train")
    at_evaluate = end_every_try(
        "evaluate",
        lambda job: laptop.aws("sagemaker").stop_processing_job(ProcessingJobName=job.job_name),
    )
    laptop.set_outage("sagemaker", begins=True, operation="CreateModelPackage", carried_out=True, requests=1)
    clear("evaluate")
    summary = laptop.finish(run_id)
    answers_lost = laptop.set_outage("sagemaker", begins=False)["refused"]
    registered = set(laptop.packages()) - packages_before
    return SimpleNamespace(
        run_id=run_id,
        at={"train": at_train, "evaluate": at_evaluate},
        summary=summary,
        answers_lost=answers_lost,
        registered=registered,
    )


@pytest.mark.parametrize(
    ("stage", "status", "reason"),
    [
        ("train", "Failed", "train: the training job {job} failed: AlgorithmError: "),
        (
            "evaluate",
            "Stopped",
            "evaluate: the processing job {job} was stopped: a person or another program",
        ),
    ],
)
def test_run_when_a_job_fails_at_every_try_then_fails_with_the_reason_of_the_last_one(
    failures, stage, status, reason
):
    failed = failures.at[stage]
    assert failed.summary["dag_run_state"] == "failed"
    assert failed.states[stage] == "failed"
    assert list(failed.jobs.values()) == [status] * TRIES
    (error,) = failed.errors
    assert any(reason.format(job=job) in error for job in failed.jobs), error


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_run_when_a_job_fails_then_nothing_is_registered_and_no_job_is_left(failures, stage):
    failed = failures.at[stage]
    assert failed.states["register_model_package"] == "upstream_failed"
    assert failed.registered == set()
    assert failed.job_processes == []


def test_run_when_the_failed_task_is_cleared_then_ends_green(failures):
    assert failures.summary["dag_run_state"] == "success"


def test_registration_when_its_answer_is_lost_then_the_repeated_request_makes_no_second_version(
    laptop, failures
):
    assert failures.answers_lost == 1
    assert laptop.task(failures.run_id, "register_model_package")["try_number"] == 1
    assert failures.registered == {failures.summary["model_package_arn"]}
