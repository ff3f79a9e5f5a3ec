"""Whatever is killed, a run ends green, with no orphan job and exactly one registration."""

import signal

import pytest

from local_airflow.stack import DAG_ID, open_aws_client

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

CONF = {"on_missing_data": "synthetic", "synthetic_rows": 3000}
TASKS = {"prepare_run", "preprocess", "train", "evaluate", "accuracy_gate", "register_model_package"}


def is_running(laptop, run_id, task_id):
    return laptop.task_states(run_id).get(task_id) == "running"


def jobs_of(laptop, before, stage):
    return {
        name: status for name, status in laptop.jobs().items() if name not in before and f"-{stage}-" in name
    }


def test_run_when_workers_jobs_and_the_whole_machine_are_killed_then_registers_once(laptop):
    jobs_before, packages_before = set(laptop.jobs()), laptop.packages()
    run_id = laptop.trigger(CONF)

    laptop.wait_for("a preprocess job", lambda: jobs_of(laptop, jobs_before, "preprocess"))
    for process in laptop.processes("task runner", "preprocess"):
        process.send_signal(signal.SIGKILL)

    laptop.wait_for("a train job", lambda: jobs_of(laptop, jobs_before, "train"))
    laptop.wait_for("the train process", lambda: laptop.processes("train.py"))
    for process in laptop.processes("train.py"):
        process.send_signal(signal.SIGKILL)

    laptop.wait_for("an evaluate job", lambda: jobs_of(laptop, jobs_before, "evaluate"))
    assert laptop.crash() > 3
    laptop.start()

    summary = laptop.finish(run_id)
    assert summary["dag_run_state"] == "success"
    states = laptop.task_states(run_id)
    assert {name for name, state in states.items() if state == "success"} == TASKS
    assert sorted(jobs_of(laptop, jobs_before, "preprocess").values()) == ["Completed"], "re-attached"
    assert sorted(jobs_of(laptop, jobs_before, "train").values()) == ["Completed", "Failed"], "tried again"
    assert sorted(jobs_of(laptop, jobs_before, "evaluate").values()) == ["Completed"], "survived the crash"
    assert len(laptop.packages()) == len(packages_before) + 1


def test_task_when_a_person_marks_it_failed_while_it_runs_then_its_job_is_stopped(laptop):
    jobs_before = set(laptop.jobs())
    run_id = laptop.trigger({**CONF, "synthetic_rows": 400_000})
    laptop.wait_for("a preprocess job", lambda: jobs_of(laptop, jobs_before, "preprocess"))
    laptop.api.set_task_state(DAG_ID, run_id, "preprocess", "failed")
    laptop.wait_for(
        "the job to be stopped",
        lambda: set(jobs_of(laptop, jobs_before, "preprocess").values()) == {"Stopped"},
    )
    assert laptop.finish(run_id)["dag_run_state"] == "failed"


def test_task_when_a_person_clears_it_after_it_finished_then_runs_anew(laptop):
    jobs_before = set(laptop.jobs())
    run_id = laptop.trigger({**CONF, "accuracy_threshold": 0.99})
    laptop.finish(run_id)
    laptop.api.clear_task(DAG_ID, run_id, "evaluate")
    laptop.wait_for("the run to go on", lambda: laptop.api.get_run(DAG_ID, run_id)["state"] != "success")
    assert laptop.finish(run_id)["dag_run_state"] == "success"
    assert list(jobs_of(laptop, jobs_before, "evaluate").values()) == ["Completed", "Completed"]
    assert list(jobs_of(laptop, jobs_before, "train").values()) == ["Completed"]


def test_synthetic_package_when_a_person_approves_it_then_is_refused(laptop):
    summary = laptop.run(CONF)
    sagemaker = open_aws_client(laptop.settings, "sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="AccessDenied"):
        sagemaker.update_model_package(
            ModelPackageArn=summary["model_package_arn"], ModelApprovalStatus="Approved"
        )
