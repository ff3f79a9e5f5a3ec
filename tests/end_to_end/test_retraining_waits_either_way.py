"""A task that ends while its job runs stops the job, whether it waits in the worker or deferred.

A job that stands still keeps its task waiting for as long as a test needs, and cannot end in the moment in
which the task defers.
"""

import signal
from types import SimpleNamespace

import pytest

from local_airflow.stack_settings import RETRAINING_DAG_ID
from tests.end_to_end.quick_run import QUICK

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

STAGE = "preprocess"
# What a task's try comes to an end by while its job runs.
ENDS = ("cleared", "marked failed", "run timed out")
ENDS_OF_A_DEFERRAL = ("deferral timed out",)


class Waiting:
    """One run whose preprocess job stands still again and again while something ends its task."""

    def __init__(self, laptop):
        self.laptop = laptop
        self.known, self.packages_before = set(laptop.jobs()), set(laptop.packages())
        self.run_id = laptop.trigger(QUICK)
        self.seen: set[str] = set()
        self.state = "deferred" if laptop.settings.deferrable else "running"

    def hold_next_job(self):
        job = self.laptop.hold_job(STAGE, self.known | self.seen)
        self.seen.add(job.job_name)
        self.laptop.wait_for(f"the {self.state} task", self.is_waiting)
        return job

    def is_waiting(self) -> bool:
        """Tell whether the task waits for its job; deferred, as soon as the triggerer does so for it."""
        task = self.laptop.task(self.run_id, STAGE)
        logs = self.laptop.settings.airflow_home / "task_logs"
        trigger_log = f"*/*{self.run_id}/*{STAGE}/attempt={task['try_number']}.log.trigger.*"
        return task["state"] == self.state and (self.state == "running" or any(logs.glob(trigger_log)))

    def end_by(self, what: str) -> str:
        """Let the task end in one way and its job notice; returns the status the job ended with."""
        job = self.hold_next_job()
        laptop, run_id = self.laptop, self.run_id
        if what == "cleared":
            laptop.api.clear_task(RETRAINING_DAG_ID, run_id, STAGE)
        elif what == "marked failed":
            laptop.api.set_task_state(RETRAINING_DAG_ID, run_id, STAGE, "failed")
        elif what == "run timed out":
            laptop.let_time_pass("run", run_id)
        else:
            laptop.let_time_pass("deferral", run_id, STAGE)
        laptop.wait_for(
            f"the stop of {job.job_name} after {what}", lambda: laptop.jobs()[job.job_name] == "Stopping"
        )
        job.go_on()
        laptop.wait_for("its end", lambda: laptop.jobs()[job.job_name] != "Stopping")
        if what in {"marked failed", "run timed out"}:
            assert laptop.finish(run_id)["dag_run_state"] == "failed"
            laptop.api.clear_task(RETRAINING_DAG_ID, run_id, STAGE)
        return laptop.jobs()[job.job_name]

    def kill_triggerer(self) -> None:
        """Airflow's parent process starts another one, which takes the waiting over."""
        job = self.hold_next_job()
        triggerer = self.laptop.processes_logging_to("triggerer")
        assert triggerer
        for process in triggerer:
            process.send_signal(signal.SIGKILL)
        job.go_on()


@pytest.fixture(scope="module")
def waited(waiting_laptop):
    """What became of the jobs of one run that ended and went on in every way; then of the whole run."""
    laptop, waiting = waiting_laptop, Waiting(waiting_laptop)
    ends = (*ENDS, *(ENDS_OF_A_DEFERRAL if laptop.settings.deferrable else ()))
    statuses = {what: waiting.end_by(what) for what in ends}
    if laptop.settings.deferrable:
        waiting.kill_triggerer()
    summary = laptop.finish(waiting.run_id)
    return SimpleNamespace(
        statuses=statuses,
        ends=ends,
        summary=summary,
        jobs={stage: laptop.jobs_of(stage, waiting.known) for stage in (STAGE, "train", "evaluate")},
        registered=set(laptop.packages()) - waiting.packages_before,
        job_processes=laptop.job_processes(),
    )


def test_task_when_it_ends_while_its_job_runs_then_the_job_is_stopped(waited):
    assert waited.statuses == dict.fromkeys(waited.ends, "Stopped")


def test_run_when_its_task_had_ended_while_the_job_ran_then_goes_on_and_ends_green(waited):
    assert waited.summary["dag_run_state"] == "success"


def test_jobs_when_the_run_is_over_then_each_stage_completed_once_and_no_process_is_left(waited):
    completed = {
        stage: [name for name, status in jobs.items() if status == "Completed"]
        for stage, jobs in waited.jobs.items()
    }
    assert {stage: len(names) for stage, names in completed.items()} == dict.fromkeys(waited.jobs, 1)
    assert len(waited.jobs[STAGE]) == len(waited.ends) + 1, "also when the triggerer was killed"
    assert waited.job_processes == []


def test_registration_when_the_run_is_over_then_is_there_exactly_once(waited):
    assert waited.registered == {waited.summary["model_package_arn"]}
