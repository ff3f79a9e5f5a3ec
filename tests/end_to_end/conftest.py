"""One laptop stack for all end-to-end tests: real scheduler, real stand-in, own ports and folders."""

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from local_airflow.airflow_api import AirflowApi
from local_airflow.dag_run_watch import watch_run
from local_airflow.drift_run import DriftRequest, follow_drift, trigger_drift
from local_airflow.drift_summary import read_message
from local_airflow.processes import kill_stack, stack_processes, stop_stack
from local_airflow.retraining_run import RunRequest, trigger_run
from local_airflow.retraining_summary import collect_summary
from local_airflow.stack import open_aws_client, start_stack
from local_airflow.stack_settings import RETRAINING_DAG_ID, StackSettings

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120.0


@dataclass
class Laptop:
    """What a test does with the stack."""

    settings: StackSettings
    api: AirflowApi = field(init=False)

    def start(self) -> None:
        start_stack(self.settings, print)
        self.api = AirflowApi(self.settings)
        self.api.log_in()

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

    def set_outage(self, service: str, *, begins: bool) -> dict[str, Any]:
        """Let the stand-in refuse a service's requests, or answer them again."""
        url = f"{self.settings.aws_url}/_local_aws/faults/{service}"
        request = urllib.request.Request(url, b"{}", method="PUT" if begins else "DELETE")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def task_states(self, run_id: str, dag_id: str = RETRAINING_DAG_ID) -> dict[str, str | None]:
        return {task["task_id"]: task["state"] for task in self.api.get_task_instances(dag_id, run_id)}

    def task_log(
        self, run_id: str, task_id: str, try_number: int = 1, dag_id: str = RETRAINING_DAG_ID
    ) -> str:
        lines = self.api.get_log_lines(dag_id, run_id, task_id, try_number)
        return "\n".join(str(line) for line in lines)

    def jobs(self) -> dict[str, str]:
        """Job name → status of every job the stand-in knows."""
        sagemaker = open_aws_client(self.settings, "sagemaker")
        processing = sagemaker.list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
        training = sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
        return {job["ProcessingJobName"]: job["ProcessingJobStatus"] for job in processing} | {
            job["TrainingJobName"]: job["TrainingJobStatus"] for job in training
        }

    def packages(self) -> list[str]:
        sagemaker = open_aws_client(self.settings, "sagemaker")
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

    def kill_worker(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Kill a task's process and its supervisor, as when their machine is lost; both must be there."""
        tasks = self.api.get_task_instances(dag_id, run_id)
        (instance_id,) = (task["id"] for task in tasks if task["task_id"] == task_id)
        killed = self.wait_for(
            f"the worker and supervisor of {task_id}",
            lambda: len(found := self.processes(instance_id)) >= 2 and found,
        )
        for process in killed:
            process.send_signal(signal.SIGKILL)

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
    stop_stack(made.settings)
    assert stack_processes(made.settings) == []


@pytest.fixture
def laptop(started_laptop):
    """The running stack; started again when a test left it broken."""
    started_laptop.start()
    return started_laptop


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = Path(os.environ.get("CHURN_REAL_DATA") or ROOT.parent / "shared/data")
    folder = folder if folder.is_absolute() else (ROOT / folder).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name their folder in CHURN_REAL_DATA")
    return folder
