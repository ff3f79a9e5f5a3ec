"""What the tests do with a compose stack: its command, its containers, its Airflow and its AWS stand-in."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_airflow.airflow_api import AirflowApi
from local_airflow.stack import open_aws_client
from local_airflow.stack_settings import RETRAINING_DAG_ID, StackSettings

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 300.0
PROJECT_LABEL = "com.docker.compose.project"


@dataclass(frozen=True)
class Stack:
    """What a test does with the stack; it is one compose project."""

    project: str
    env_file: Path
    settings: StackSettings

    def compose(self, *arguments: str) -> str:
        """Run scripts/stack; its messages are shown, its answer is returned."""
        environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "STACK_ENV_FILE": str(self.env_file),
            "STACK_AIRFLOW_PORT": str(self.settings.airflow_port),
            "STACK_AWS_PORT": str(self.settings.aws_port),
        }
        command = [ROOT / "scripts/stack", *arguments]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0, f"scripts/stack {' '.join(arguments)} failed: {done.stdout}"
        return done.stdout

    def states(self) -> dict[str, str]:
        """Service → health, or how it ended."""
        return dict(line.split() for line in self.compose("status").splitlines())

    def container(self, service: str) -> str:
        """Id of a service's container, running or not."""
        return docker(
            "ps", "--all", "--quiet", "--filter", f"label={PROJECT_LABEL}={self.project}",
            "--filter", f"label=com.docker.compose.service={service}",
        ).strip()  # fmt: skip

    def services(self) -> list[str]:
        """Services that have a container, running or not."""
        label = '{{.Label "com.docker.compose.service"}}'
        return docker(
            "ps", "--all", "--format", label, "--filter", f"label={PROJECT_LABEL}={self.project}"
        ).split()  # fmt: skip

    def inspect(self) -> dict[str, dict[str, Any]]:
        """Service → what the engine knows about its container."""
        ids = docker("ps", "--all", "--quiet", "--filter", f"label={PROJECT_LABEL}={self.project}").split()
        found = json.loads(docker("inspect", *ids))
        return {entry["Config"]["Labels"]["com.docker.compose.service"]: entry for entry in found}

    def ended_for_memory(self, service: str) -> int:
        """Processes that the kernel ended in a running container, because its limit was met."""
        # The kernel's file on cgroup v2, and on v1.
        command = "cd /sys/fs/cgroup; cat memory.events 2>/dev/null || cat memory/memory.oom_control"
        lines = docker("exec", self.container(service), "sh", "-c", command).splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])

    def remains(self) -> list[str]:
        """Everything the engine still has of this project, images aside."""
        label = f"label={PROJECT_LABEL}={self.project}"
        return [
            f"{kind} {name}"
            for kind, command in {
                "container": ("ps", "--all", "--quiet"),
                "volume": ("volume", "ls", "--quiet"),
                "network": ("network", "ls", "--quiet"),
            }.items()
            for name in docker(*command, "--filter", label).split()
        ]

    def remove(self) -> None:
        """Remove the stack; its containers' output stays where a person looks after a failure."""
        folder = ROOT / ".local/stack-logs"
        folder.mkdir(parents=True, exist_ok=True)
        for service in self.services():
            log = docker("logs", self.container(service), with_errors=True)
            (folder / f"{service}.log").write_text(log)
        self.compose("down")

    def open_api(self) -> AirflowApi:
        api = AirflowApi(self.settings)
        api.log_in()
        return api

    def aws(self, service: str) -> Any:
        return open_aws_client(self.settings, service)

    def training_jobs(self) -> dict[str, str]:
        jobs = self.aws("sagemaker").list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
        return {job["TrainingJobName"]: job["TrainingJobStatus"] for job in jobs}

    def processing_jobs(self, stage: str) -> dict[str, str]:
        jobs = self.aws("sagemaker").list_processing_jobs(MaxResults=100)["ProcessingJobSummaries"]
        return {
            job["ProcessingJobName"]: job["ProcessingJobStatus"]
            for job in jobs
            if f"-{stage}-" in job["ProcessingJobName"]
        }

    def packages(self) -> list[str]:
        sagemaker = self.aws("sagemaker")
        groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        return [
            package["ModelPackageArn"]
            for group in groups
            for package in sagemaker.list_model_packages(
                ModelPackageGroupName=group["ModelPackageGroupName"], MaxResults=100
            )["ModelPackageSummaryList"]
        ]

    def task_states(self, api: AirflowApi, run_id: str, dag_id: str = RETRAINING_DAG_ID) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in api.get_task_instances(dag_id, run_id)}

    def finish(self, api: AirflowApi, dag_id: str, run_id: str) -> dict[str, Any]:
        """Wait for a run's end; says where the tasks stand when it does not come."""
        try:
            wait_for(
                f"the end of {run_id}",
                lambda: api.get_run(dag_id, run_id)["state"] in {"success", "failed"},
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; tasks: {self.task_states(api, run_id, dag_id)}") from error
        return api.get_run(dag_id, run_id)


def docker(*arguments: str, with_errors: bool = False) -> str:
    """Return what the command writes; with its standard error when asked."""
    errors = subprocess.STDOUT if with_errors else subprocess.PIPE
    command = ["docker", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, check=True).stdout


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS:.0f} s in vain for {what}"
        time.sleep(0.1)
    return value
