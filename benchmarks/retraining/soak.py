"""Twenty runs in a row, then runs whose processes are all killed at a random moment and restarted.

`.venvs/airflow/bin/python benchmarks/retraining/soak.py [RUNS] [KILLED_RUNS] [SEED]` writes soak.md beside
itself and ends with an error as soon as a run is not green or registers other than once.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from local_airflow.airflow_api import AirflowApi  # noqa: E402 - the project is not installed
from local_airflow.dag_run_watch import watch_run  # noqa: E402
from local_airflow.processes import kill_stack, stop_stack  # noqa: E402
from local_airflow.retraining_run import RunRequest, trigger_run  # noqa: E402
from local_airflow.stack import open_aws_client, start_stack  # noqa: E402
from local_airflow.stack_settings import RETRAINING_DAG_ID, StackSettings  # noqa: E402

REQUEST = RunRequest(data=None, schema=None, conf={"synthetic_rows": 7043})


@dataclass(frozen=True)
class Killed:
    """A run whose processes were all ended at a moment: what it was at, when it was green all the same."""

    moment_seconds: float
    tasks: tuple[str, ...]
    seconds: float


def count_packages(settings: StackSettings) -> int:
    sagemaker = open_aws_client(settings, "sagemaker")
    groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    names = [group["ModelPackageGroupName"] for group in groups]
    return sum(
        len(page["ModelPackageSummaryList"])
        for name in names
        for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name)
    )


def count_unfinished_jobs(settings: StackSettings) -> int:
    sagemaker = open_aws_client(settings, "sagemaker")
    return len(sagemaker.list_processing_jobs(StatusEquals="InProgress")["ProcessingJobSummaries"]) + len(
        sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
    )


def log_in(settings: StackSettings) -> AirflowApi:
    start_stack(settings, print)
    api = AirflowApi(settings)
    api.log_in()
    return api


def begin(settings: StackSettings) -> tuple[AirflowApi, str, int]:
    """Trigger a run; returns its id, and how many packages there were before."""
    api = log_in(settings)
    packages = count_packages(settings)
    return api, trigger_run(api, settings, REQUEST, print), packages


def finish(settings: StackSettings, api: AirflowApi, run_id: str, packages: int) -> None:
    """Follow a run to its end; raises SystemExit when it is not green or did not register exactly once."""
    run, tasks = watch_run(api, RETRAINING_DAG_ID, run_id, print)
    states = {task["task_id"]: task["state"] for task in tasks}
    registered = count_packages(settings) - packages
    if run["state"] != "success" or registered != 1 or count_unfinished_jobs(settings):
        raise SystemExit(f"not green: {run['state']}, {states}, {registered} registrations")


def run_calmly(settings: StackSettings) -> float:
    """Run the DAG; returns its seconds."""
    api, run_id, packages = begin(settings)
    began = time.monotonic()
    finish(settings, api, run_id, packages)
    return time.monotonic() - began


def run_killed(settings: StackSettings, moment_seconds: float) -> Killed | None:
    """Run the DAG and kill everything at a moment; None when the run had ended by then."""
    api, run_id, packages = begin(settings)
    began = time.monotonic()
    time.sleep(moment_seconds)
    unfinished = api.get_run(RETRAINING_DAG_ID, run_id)["state"] in {"queued", "running"}
    tasks = api.get_task_instances(RETRAINING_DAG_ID, run_id)
    at_work = tuple(task["task_id"] for task in tasks if task["state"] in {"queued", "running"})
    killed = kill_stack(settings)
    print(f"killed {killed} processes {moment_seconds:.2f} s after the trigger, at {at_work}")
    finish(settings, log_in(settings), run_id, packages)
    return Killed(moment_seconds, at_work, time.monotonic() - began) if unfinished else None


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:]] + [20, 10, 20261124][len(sys.argv) - 1 :]
    runs, killed_runs, seed = numbers
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory() as folder:
        settings = StackSettings(state_dir=Path(folder).resolve(), airflow_port=8191, aws_port=5677)
        try:
            calm = [run_calmly(settings) for _ in range(runs)]
            hurt: list[Killed] = []
            while len(hurt) < killed_runs:
                if killed := run_killed(settings, chance.uniform(0.0, statistics.median(calm))):
                    hurt.append(killed)
        finally:
            stop_stack(settings)
    lines = [
        "# Runs in a row, and runs that are killed",
        "",
        f"{os.cpu_count()} cores; synthetic data, 7,043 rows; deferrable off; seed {seed}.",
        "",
        f"- {len(calm)} runs in a row, all green, one registration each;",
        f"  {min(calm):.1f} to {max(calm):.1f} s from trigger to end.",
        f"- {len(hurt)} runs whose every process (Airflow, stand-in, jobs) was ended with SIGKILL at random",
        "  moments before their end, then restarted: all green, one registration each, no job left running.",
        "",
        "| killed, seconds after the trigger | at work | green after, seconds |",
        "|---|---|---|",
        *(
            f"| {run.moment_seconds:.2f} | {', '.join(run.tasks) or 'between tasks'} | {run.seconds:.1f} |"
            for run in hurt
        ),
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
