"""Whatever is killed, a run ends green, with no orphan job and exactly one registration."""

import signal
from types import SimpleNamespace

import pytest

from local_airflow.stack import open_aws_client
from local_airflow.stack_settings import RETRAINING_DAG_ID

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CONF = {"on_missing_data": "synthetic", "synthetic_rows": 3000}
BIG = {**CONF, "synthetic_rows": 8_000_000}  # still at work when the worker hears of the mark
TASKS = {"prepare_run", "preprocess", "train", "evaluate", "accuracy_gate", "register_model_package"}


def jobs_of(laptop, before, stage):
    return {
        name: status for name, status in laptop.jobs().items() if name not in before and f"-{stage}-" in name
    }


def kill(processes):
    for process in processes:
        process.send_signal(signal.SIGKILL)


@pytest.fixture(scope="module")
def survivor(started_laptop):
    """One run in which a worker, a job, and then everything at once is killed; what it left behind."""
    laptop = started_laptop
    laptop.start()
    jobs_before, packages_before = set(laptop.jobs()), set(laptop.packages())
    run_id = laptop.trigger(CONF)

    laptop.wait_for("a preprocess job", lambda: jobs_of(laptop, jobs_before, "preprocess"))
    laptop.kill_worker(RETRAINING_DAG_ID, run_id, "preprocess")

    laptop.wait_for("a train job", lambda: jobs_of(laptop, jobs_before, "train"))
    kill(laptop.wait_for("the train process", lambda: laptop.processes("train.py")))

    laptop.wait_for("an evaluate job", lambda: jobs_of(laptop, jobs_before, "evaluate"))
    assert laptop.crash() > 3
    laptop.start()

    summary = laptop.finish(run_id)
    return SimpleNamespace(
        run_id=run_id, jobs_before=jobs_before, packages_before=packages_before, summary=summary
    )


def test_run_when_workers_jobs_and_the_whole_machine_are_killed_then_ends_green(laptop, survivor):
    assert survivor.summary["dag_run_state"] == "success"
    states = laptop.task_states(survivor.run_id)
    assert {name for name, state in states.items() if state == "success"} == TASKS


@pytest.mark.parametrize(
    ("stage", "statuses"),
    [
        pytest.param("preprocess", ["Completed"], id="worker killed: the same job is found again"),
        pytest.param("train", ["Completed", "Failed"], id="job killed: a new attempt"),
        pytest.param("evaluate", ["Completed"], id="everything killed: the job survives"),
    ],
)
def test_jobs_when_something_was_killed_then_none_is_started_twice(laptop, survivor, stage, statuses):
    assert sorted(jobs_of(laptop, survivor.jobs_before, stage).values()) == statuses


def test_registration_when_everything_was_killed_then_is_there_exactly_once(laptop, survivor):
    assert set(laptop.packages()) - survivor.packages_before == {survivor.summary["model_package_arn"]}


def test_synthetic_package_when_a_person_approves_it_then_is_refused(laptop, survivor):
    sagemaker = open_aws_client(laptop.settings, "sagemaker")
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
    jobs = jobs_of(laptop, survivor.jobs_before, "evaluate")
    assert sorted(jobs.values()) == ["Completed", "Completed"]
    assert any("-g0-" not in name for name in jobs)
    assert len(set(laptop.packages()) - survivor.packages_before) == 1


def test_task_when_a_person_marks_it_failed_while_it_runs_then_its_job_is_stopped(laptop):
    jobs_before = set(laptop.jobs())
    run_id = laptop.trigger(BIG)
    laptop.wait_for("a preprocess job", lambda: jobs_of(laptop, jobs_before, "preprocess"))
    laptop.api.set_task_state(RETRAINING_DAG_ID, run_id, "preprocess", "failed")
    laptop.wait_for(
        "the job to be stopped",
        lambda: set(jobs_of(laptop, jobs_before, "preprocess").values()) == {"Stopped"},
    )
    assert laptop.finish(run_id)["dag_run_state"] == "failed"
