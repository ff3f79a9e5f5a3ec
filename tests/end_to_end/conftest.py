"""One laptop stack for all end-to-end tests: real scheduler, real stand-in, own ports and folders."""

import json
import os
import signal
import socket
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from local_airflow.airflow_api import AirflowApi
from local_airflow.dag_run_watch import watch_run
from local_airflow.drift_run import DriftRequest, follow_drift, trigger_drift
from local_airflow.drift_summary import read_message
from local_airflow.processes import kill_stack, running_components, stack_processes, stop_stack
from local_airflow.retraining_run import RunRequest, trigger_run
from local_airflow.retraining_summary import collect_summary
from local_airflow.stack import open_aws_client, start_stack
from local_airflow.stack_settings import JOBS_COMPONENT, RETRAINING_DAG_ID, STACK_MARK, StackSettings

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120.0
# Moments that Airflow waits for; in the past, what it waited for is there.
WAITS = {
    "heartbeat": "UPDATE task_instance SET last_heartbeat_at = :past WHERE run_id = :run AND task_id = :task",
    "deferral": "UPDATE task_instance SET trigger_timeout = :past WHERE run_id = :run AND task_id = :task",
    "run": "UPDATE dag_run SET start_date = :past WHERE run_id = :run",
}


@dataclass(frozen=True)
class JobProcess:
    """The process group of a running job."""

    job_name: str
    group: int

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self.group, number)

    def stand_still(self) -> None:
        """Stay in progress for as long as a test wants, at no cost."""
        self.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)


@dataclass
class Laptop:
    """What a test does with the stack."""

    settings: StackSettings
    api: AirflowApi = field(init=False)
    clients: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Start what does not run."""
        if {"aws", "airflow"} <= running_components(self.settings.state_dir) and hasattr(self, "api"):
            return
        start_stack(self.settings, print)
        self.api = AirflowApi(self.settings)
        self.api.log_in()

    def aws(self, service: str) -> Any:
        """A client of the stand-in; making one costs more than most requests, so they are kept."""
        if service not in self.clients:
            self.clients[service] = open_aws_client(self.settings, service)
        return self.clients[service]

    def crash(self) -> int:
        """End every process at once, as a power cut would; returns how many there were."""
        return kill_stack(self.settings)

    def trigger(self, conf: dict[str, Any], data: Path | None = None, schema: str | None = None) -> str:
        return trigger_run(self.api, self.settings, RunRequest(data=data, schema=schema, conf=conf), print)

    def finish(self, run_id: str) -> dict[str, Any]:
        run, tasks = watch_run(self.api, RETRAINING_DAG_ID, run_id, print)
        return collect_summary(self.api, self.settings, run, tasks, total_seconds=0.0, stack_seconds=0.0)

    def run(
        self, conf: dict[str, Any], data: Path | None = None, schema: str | None = None
    ) -> dict[str, Any]:
        return self.finish(self.trigger(conf, data, schema))

    def trigger_drift(self, conf: dict[str, Any], batch: Path | None = None) -> str:
        request = DriftRequest(data=batch, conf=conf)
        return trigger_drift(self.api, self.settings, request, None, print)

    def finish_drift(self, run_id: str) -> dict[str, Any]:
        return follow_drift(self.api, self.settings, run_id, None, print, began=time.monotonic())

    def run_drift(self, conf: dict[str, Any], batch: Path | None = None) -> dict[str, Any]:
        return self.finish_drift(self.trigger_drift(conf, batch))

    def messages(self) -> list[dict[str, Any]]:
        """What was published to SNS so far, oldest first."""
        return [read_message(path) for path in sorted(self.settings.outbox_dir.glob("*.json"))]

    def set_outage(self, service: str, *, begins: bool, **fault: Any) -> dict[str, Any]:
        """Let the stand-in refuse a service's requests, or answer them again; see its README."""
        url = f"{self.settings.aws_url}/_local_aws/faults/{service}"
        body, method = json.dumps(fault).encode(), "PUT" if begins else "DELETE"
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=10) as answer:
            return json.load(answer)

    def refusals(self, service: str) -> int:
        """How many requests the service's present outage has refused."""
        with urllib.request.urlopen(f"{self.settings.aws_url}/_local_aws/faults", timeout=10) as answer:
            return json.load(answer)[service]["refused"]

    def task(self, run_id: str, task_id: str, dag_id: str = RETRAINING_DAG_ID) -> dict[str, Any]:
        tasks = self.api.get_task_instances(dag_id, run_id)
        return next(task for task in tasks if task["task_id"] == task_id)

    def task_states(self, run_id: str, dag_id: str = RETRAINING_DAG_ID) -> dict[str, str | None]:
        return {task["task_id"]: task["state"] for task in self.api.get_task_instances(dag_id, run_id)}

    def task_log(
        self, run_id: str, task_id: str, try_number: int = 1, dag_id: str = RETRAINING_DAG_ID
    ) -> str:
        lines = self.api.get_log_lines(dag_id, run_id, task_id, try_number)
        return "\n".join(str(line) for line in lines)

    def jobs(self) -> dict[str, str]:
        """Job name → status of every job the stand-in knows."""
        sagemaker = self.aws("sagemaker")
        processing = sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
        training = sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
        return {job["ProcessingJobName"]: job["ProcessingJobStatus"] for job in processing} | {
            job["TrainingJobName"]: job["TrainingJobStatus"] for job in training
        }

    def jobs_of(self, stage: str, known: set[str]) -> dict[str, str]:
        """As `jobs`, those of one stage that were not known before."""
        return {
            name: status
            for name, status in self.jobs().items()
            if name not in known and name.startswith(f"churn-{stage}-")
        }

    def packages(self) -> list[str]:
        sagemaker = self.aws("sagemaker")
        return [
            package["ModelPackageArn"]
            for group in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
            for package in sagemaker.list_model_packages(
                ModelPackageGroupName=group["ModelPackageGroupName"], MaxResults=100
            )["ModelPackageSummaryList"]
        ]

    def processes(self, *words: str) -> list[psutil.Process]:
        """Stack processes whose title or command line holds all words."""
        found = []
        for process in stack_processes(self.settings):
            try:
                if all(word in " ".join(process.cmdline()) for word in words):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def processes_logging_to(self, component: str) -> list[psutil.Process]:
        """The processes of one of Airflow's components; they have no title, but a log of their own."""
        log = str(self.settings.log_dir / f"{component}.log")
        return [
            process
            for process in stack_processes(self.settings, "airflow")
            if any(opened.path == log for opened in process.open_files())
        ]

    def job_processes(self) -> list[JobProcess]:
        """Jobs that run now: whatever became of their records, these cost money."""
        found = {}
        for process in stack_processes(self.settings, JOBS_COMPONENT):
            try:
                environment = process.environ()
                # A job inherits nothing; between its start and its program a process has no environment yet.
                if STACK_MARK not in environment and "HOME" in environment:
                    group = os.getpgid(process.pid)
                    found[group] = JobProcess(Path(environment["HOME"]).parent.name, group)
            except (psutil.Error, OSError):
                continue
        return list(found.values())

    def job_process(self, stage: str, known: set[str]) -> JobProcess:
        """The process of a stage's job that was not known before, as soon as there is one."""

        def find() -> JobProcess | None:
            running = (job for job in self.job_processes() if job.job_name not in known)
            return next((job for job in running if job.job_name.startswith(f"churn-{stage}-")), None)

        return self.wait_for(f"a process of a new {stage} job", find)

    def hold_job(self, stage: str, known: set[str]) -> JobProcess:
        """As `job_process`, and the job makes no headway until the test lets it go on."""
        job = self.job_process(stage, known)
        job.stand_still()
        return job

    def kill_worker(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Kill a task's process and its supervisor, as when their machine is lost; both must be there.

        That no heartbeat comes for so long is not waited for: the last one is moved into the past.
        """

        def find() -> list[psutil.Process]:
            task = self.task(run_id, task_id, dag_id)
            found = self.processes(task["id"])
            return found if task["state"] == "running" and len(found) >= 2 else []

        for process in self.wait_for(f"the worker and supervisor of {task_id}", find):
            process.send_signal(signal.SIGKILL)
        instance_id = self.task(run_id, task_id, dag_id)["id"]
        self.wait_for("their end", lambda: not self.processes(instance_id))
        self.let_time_pass("heartbeat", run_id, task_id)

    def let_time_pass(self, what: str, run_id: str, task_id: str = "") -> None:
        """Move a moment that Airflow waits for into the past, instead of waiting; see WAITS."""
        values = {"past": "2026-01-01 00:00:00.000000", "run": run_id, "task": task_id}
        database = sqlite3.connect(self.settings.airflow_home / "airflow.db", timeout=60)
        with closing(database), database:
            assert database.execute(WAITS[what], values).rowcount == 1

    def wait_for(self, what: str, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (value := condition()):
            assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:.0f} s in vain for {what}"
            time.sleep(0.05)
        return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def started_laptop(tmp_path_factory):
    state_dir = tmp_path_factory.mktemp("laptop")
    made = Laptop(StackSettings(state_dir=state_dir, airflow_port=free_port(), aws_port=free_port()))
    made.start()
    yield made
    stop_stack(made.settings, grace_seconds=0.0)  # nothing of it is needed any more
    assert stack_processes(made.settings) == []


@pytest.fixture
def laptop(started_laptop):
    """The running stack; started again when a test left it broken."""
    started_laptop.start()
    return started_laptop


@pytest.fixture(scope="module", params=[False, True], ids=["in the worker", "deferred"])
def waiting_laptop(started_laptop, request):
    """The stack in both ways to wait for a job; with a triggerer it is another Airflow on the same state."""
    if not request.param:
        started_laptop.start()
        yield started_laptop
        return
    stop_stack(started_laptop.settings, "airflow", grace_seconds=0.0)
    made = Laptop(replace(started_laptop.settings, deferrable=True))
    made.start()
    yield made
    stop_stack(made.settings, "airflow", grace_seconds=0.0)


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = Path(os.environ.get("CHURN_REAL_DATA") or ROOT.parent / "shared/data")
    folder = folder if folder.is_absolute() else (ROOT / folder).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name their folder in CHURN_REAL_DATA")
    return folder
