"""Whatever is killed at whichever task, a run ends green, with no orphan job and exactly one registration."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from local_airflow.stack_settings import RETRAINING_DAG_ID
from tests.end_to_end.quick_run import QUICK

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

TASKS = ("prepare_run", "preprocess", "train", "evaluate", "accuracy_gate", "register_model_package")


@pytest.fixture(scope="module")
def survivor(started_laptop):
    """One run in which every task's worker, a job, and once everything is killed; what it left behind."""
    laptop = started_laptop
    laptop.start()
    known, packages_before = set(laptop.jobs()), set(laptop.packages())

    laptop.set_outage("s3", begins=True)  # keeps the task at work until it is killed
    run_id = laptop.trigger(QUICK)
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "prepare_run")
    laptop.set_outage("s3", begins=False)

    job = laptop.hold_job("preprocess", known)
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "preprocess")
    job.go_on()  # and ends before the next try looks at it

    job = laptop.job_process("train", known)
    job.kill()
    job = laptop.hold_job("train", known | {job.job_name})
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "train")
    laptop.wait_for("the third try", lambda: is_running(laptop, run_id, "train", try_number=3))
    job.go_on()

    laptop.hold_job("evaluate", known)
    assert laptop.crash() > 3
    with ThreadPoolExecutor() as pool:  # the stand-in runs the job again before Airflow is up
        held = pool.submit(laptop.hold_job, "evaluate", known)
        laptop.start()
        job = held.result()
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "evaluate")

    laptop.set_outage("s3", begins=True)
    job.go_on()
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "accuracy_gate")
    # From here on the registry takes every registration and its answer never arrives.
    laptop.set_outage("sagemaker", begins=True, operation="CreateModelPackage", carried_out=True)
    laptop.set_outage("s3", begins=False)
    laptop.wait_for("a version that nobody heard of", lambda: laptop.refusals("sagemaker"))
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "register_model_package")
    laptop.set_outage("sagemaker", begins=False)

    summary = laptop.finish(run_id)
    return SimpleNamespace(
        run_id=run_id,
        known=known,
        packages_before=packages_before,
        summary=summary,
        job_processes=laptop.job_processes(),
        tries={task: laptop.task(run_id, task)["try_number"] for task in TASKS},
    )


def is_running(laptop, run_id, task_id, *, try_number):
    task = laptop.task(run_id, task_id)
    return (task["state"], task["try_number"]) == ("running", try_number)


def test_run_when_workers_jobs_and_the_whole_machine_are_killed_then_ends_green(laptop, survivor):
    assert survivor.summary["dag_run_state"] == "success"
    states = laptop.task_states(survivor.run_id)
    assert {name for name, state in states.items() if state == "success"} == set(TASKS)


@pytest.mark.parametrize("task_id", TASKS)
def test_task_when_its_worker_was_killed_then_is_tried_again(survivor, task_id):
    assert survivor.tries[task_id] > 1


@pytest.mark.parametrize(
    ("stage", "statuses"),
    [
        pytest.param("preprocess", ["Completed"], id="worker killed: the finished job is found again"),
        pytest.param(
            "train", ["Completed", "Failed"], id="job killed: a new attempt; worker killed: it is followed"
        ),
        pytest.param("evaluate", ["Completed"], id="everything, then the worker killed: the job survives"),
    ],
)
def test_jobs_when_something_was_killed_then_none_is_started_twice(laptop, survivor, stage, statuses):
    assert sorted(laptop.jobs_of(stage, survivor.known).values()) == statuses


def test_job_processes_when_everything_was_killed_then_none_is_left(survivor):
    assert survivor.job_processes == []


def test_registration_when_the_worker_died_before_the_answer_came_then_is_there_exactly_once(
    laptop, survivor
):
    assert set(laptop.packages()) - survivor.packages_before == {survivor.summary["model_package_arn"]}
    last_try = survivor.tries["register_model_package"]
    log = laptop.task_log(survivor.run_id, "register_model_package", last_try)
    assert "Registered by an earlier try" in log


def test_synthetic_package_when_a_person_approves_it_then_is_refused(laptop, survivor):
    sagemaker = laptop.aws("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="AccessDenied"):
        sagemaker.update_model_package(
            ModelPackageArn=survivor.summary["model_package_arn"], ModelApprovalStatus="Approved"
        )


def test_task_when_a_person_clears_it_after_it_finished_then_runs_anew_and_registers_once(laptop, survivor):
    laptop.api.clear_task(RETRAINING_DAG_ID, survivor.run_id, "evaluate")
    laptop.wait_for(
        "the run to go on",
        lambda: laptop.api.get_run(RETRAINING_DAG_ID, survivor.run_id)["state"] != "success",
    )
    assert laptop.finish(survivor.run_id)["dag_run_state"] == "success"
    jobs = laptop.jobs_of("evaluate", survivor.known)
    assert sorted(jobs.values()) == ["Completed", "Completed"]
    assert any("-g0-" not in name for name in jobs)
    assert len(set(laptop.packages()) - survivor.packages_before) == 1
