"""Twenty runs in a row, then runs whose processes are all killed at a random moment and restarted.

`.venvs/airflow/bin/python benchmarks/retraining/soak.py [RUNS] [KILLED_RUNS] [SEED]` writes soak.md beside
itself and ends with an error as soon as a run is not green or registers other than once.
"""

import os
import random
import sys
import tempfile
import time
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
LONGEST_MOMENT_SECONDS = 16.0


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


def run_once(settings: StackSettings, kill_after_seconds: float | None) -> float:
    """Run the DAG, killed at a moment or not; returns its seconds, raises SystemExit when it is not green."""
    api = log_in(settings)
    packages = count_packages(settings)
    began = time.monotonic()
    run_id = trigger_run(api, settings, REQUEST, print)
    if kill_after_seconds is not None:
        time.sleep(kill_after_seconds)
        killed = kill_stack(settings)
        print(f"killed {killed} processes {kill_after_seconds:.2f} s after the trigger")
        api = log_in(settings)
    run, tasks = watch_run(api, RETRAINING_DAG_ID, run_id, print)
    states = {task["task_id"]: task["state"] for task in tasks}
    registered = count_packages(settings) - packages
    if run["state"] != "success" or registered != 1 or count_unfinished_jobs(settings):
        raise SystemExit(f"not green: {run['state']}, {states}, {registered} registrations")
    return time.monotonic() - began


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:]] + [20, 10, 20261124][len(sys.argv) - 1 :]
    runs, killed_runs, seed = numbers
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory() as folder:
        settings = StackSettings(state_dir=Path(folder).resolve(), airflow_port=8191, aws_port=5677)
        try:
            calm = [run_once(settings, None) for _ in range(runs)]
            moments = [chance.uniform(0.0, LONGEST_MOMENT_SECONDS) for _ in range(killed_runs)]
            hurt = [(moment, run_once(settings, moment)) for moment in moments]
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
        "  moments, then restarted: all green, one registration each, no job left running.",
        "",
        "| killed, seconds after the trigger | green after, seconds |",
        "|---|---|",
        *(f"| {moment:.2f} | {seconds:.1f} |" for moment, seconds in hurt),
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
