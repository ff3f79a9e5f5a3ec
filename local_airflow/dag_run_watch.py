"""Follow a run of any DAG: report what its tasks do until it is over, and why it failed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local_airflow.airflow_api import AirflowApi
from local_airflow.stack_settings import StackError

_FINISHED = {"success", "failed", "skipped", "upstream_failed", "removed"}
_POLL_SECONDS = 0.1

Report = Callable[[str], None]


def new_run_id() -> str:
    """Return a run id that tells where and when the run was asked for."""
    return f"laptop__{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"


def watch_run(
    api: AirflowApi, dag_id: str, run_id: str, report: Report
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Report each task's start and end until the run is over; returns the run and its tasks."""
    seen: dict[str, tuple[str | None, int]] = {}
    while True:
        run = api.get_run(dag_id, run_id)
        tasks = api.get_task_instances(dag_id, run_id)
        not_run = []
        for task in sorted(tasks, key=lambda entry: entry["start_date"] or "9"):
            name, state = task["task_id"], task["state"]
            now = (state, task["try_number"])
            if seen.get(name) == now:
                continue
            if state == "upstream_failed":
                not_run.append(name)
            else:
                _report_change(task, seen.get(name), report)
            seen[name] = now
        if not_run:
            report(f"  - not run: {', '.join(not_run)}")
        if run["state"] in {"success", "failed"}:
            return run, tasks
        time.sleep(_POLL_SECONDS)


def describe_failure(api: AirflowApi, run: dict[str, Any], tasks: list[dict[str, Any]]) -> list[str]:
    """One line per failed task: the last error its log holds."""
    lines = []
    for task in tasks:
        if task["state"] != "failed":
            continue
        try:
            log = api.get_log_lines(run["dag_id"], run["dag_run_id"], task["task_id"], task["try_number"])
            name = task["task_id"]
            lines.append(f"error     {name}: {_last_error(log).removeprefix(f'{name}: ')}")
        except StackError as error:
            lines.append(f"error     {task['task_id']}: its log cannot be read: {error}")
    return lines or ["error     the run failed without a failed task; see the Airflow log"]


def _last_error(log: list[dict[str, Any]]) -> str:
    for line in reversed(log):
        for detail in reversed(line.get("error_detail") or []):
            if detail.get("exc_value"):
                return " ".join(str(detail["exc_value"]).split())
    errors = [line for line in log if line.get("level") in {"error", "critical"}]
    return (
        " ".join(str(errors[-1].get("event")).split()) if errors else "see the task's log in the Airflow UI"
    )


def _report_change(task: dict[str, Any], before: tuple[str | None, int] | None, report: Report) -> None:
    name, state = task["task_id"], task["state"]
    if state == "running" and (before is None or before[0] not in {"running", "deferred"}):
        again = f" (try {task['try_number']})" if task["try_number"] > 1 else ""
        report(f"  > {name} started{again}")
    elif state == "success":
        report(f"  + {name} done in {task['duration'] or 0:.1f} s")
    elif state in _FINISHED:
        report(f"  - {name} {state}")
    elif state == "up_for_retry":
        report(f"  ! {name} failed in try {task['try_number']}, will be tried again")
