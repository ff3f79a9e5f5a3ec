"""`make run`: take one data set through `churn_retraining` on the laptop and show what came of it."""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_airflow import idle_end
from local_airflow.airflow_api import AirflowApi
from local_airflow.run_summary import collect_summary, describe_failure, render_summary
from local_airflow.stack import DAG_ID, describe_stay, open_aws_client, start_stack
from local_airflow.stack_settings import DATA_BUCKET, PROJECT_ROOT, StackError, StackSettings

_FINISHED = {"success", "failed", "skipped", "upstream_failed", "removed"}
_DATA_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_POLL_SECONDS = 0.1

Report = Callable[[str], None]


@dataclass(frozen=True)
class RunRequest:
    """What the person asked for on the command line."""

    data: Path | None
    schema: str | None
    conf: dict[str, Any]


def read_run_request() -> RunRequest:
    """Read DATA, SCHEMA and CONF from the environment; raises StackError naming the one that is wrong."""
    data_text, schema, conf_text = (os.environ.get(name, "").strip() for name in ("DATA", "SCHEMA", "CONF"))
    data = (Path(os.environ.get("CHURN_CALLER_DIR", "."), data_text)).resolve() if data_text else None
    if data is not None and not data.exists():
        raise StackError(f"DATA={data_text}: no such file or directory")
    try:
        conf = json.loads(conf_text) if conf_text else {}
    except json.JSONDecodeError as error:
        raise StackError(
            f"CONF is not JSON ({error}); write it like CONF='{{\"accuracy_threshold\": 0.78}}'"
        ) from None
    if not isinstance(conf, dict):
        raise StackError("CONF must be a JSON object of DAG parameters, like CONF='{\"seed\": 7}'")
    return RunRequest(data=data, schema=schema or None, conf=conf)


def run_retraining(settings: StackSettings, request: RunRequest, report: Report) -> int:
    """Start the stack if needed, run the DAG, write `retraining_run.json`; returns the exit code."""
    began = time.monotonic()
    report("starting the AWS stand-in and Airflow")
    start_stack(settings, report, quiet_minutes=idle_end.MINUTES)
    stack_seconds = time.monotonic() - began
    api = AirflowApi(settings)
    api.log_in()
    _finish_interrupted_run(api, settings, report)
    run_id = trigger_run(api, settings, request, report)
    code = _follow_to_the_end(api, settings, run_id, report, began=began, stack_seconds=stack_seconds)
    idle_end.note_use(settings)
    for line in describe_stay(settings):
        report(line)
    return code


def trigger_run(api: AirflowApi, settings: StackSettings, request: RunRequest, report: Report) -> str:
    """Put the data into S3 and start a run; returns its run id."""
    conf = dict(request.conf)
    if request.schema:
        conf["schema"] = request.schema
    if request.data is not None:
        conf["input_data_uri"] = _upload(settings, request.data)
        report(f"data: {request.data.name} uploaded to {conf['input_data_uri']}")
    elif "input_data_uri" not in conf:
        conf.setdefault("on_missing_data", "synthetic")
        if conf["on_missing_data"] == "synthetic":
            conf["input_data_uri"] = f"s3://{DATA_BUCKET}/none/"
            report("data: none given, so SYNTHETIC customers are generated; the model is never approvable")
    run_id = f"laptop__{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
    api.trigger(DAG_ID, run_id, conf)
    report(f"run {run_id} of {DAG_ID} triggered")
    return run_id


def _upload(settings: StackSettings, path: Path) -> str:
    files = (
        [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.name.endswith(_DATA_SUFFIXES))
    )
    if not files:
        raise StackError(f"DATA={path.name}: holds no {', '.join(_DATA_SUFFIXES)} file")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    root = path.parent if path.is_file() else path
    prefix = f"uploads/{digest.hexdigest()[:16]}/"
    s3 = open_aws_client(settings, "s3")
    for file in files:
        s3.upload_file(str(file), DATA_BUCKET, prefix + file.relative_to(root).as_posix())
    return f"s3://{DATA_BUCKET}/{prefix}"


def _finish_interrupted_run(api: AirflowApi, settings: StackSettings, report: Report) -> None:
    for run in api.unfinished_runs(DAG_ID):
        report(f"run {run['dag_run_id']} was interrupted; Airflow finishes it first")
        began = time.monotonic()
        _follow_to_the_end(api, settings, run["dag_run_id"], report, began=began, stack_seconds=0.0)


def _follow_to_the_end(
    api: AirflowApi,
    settings: StackSettings,
    run_id: str,
    report: Report,
    *,
    began: float,
    stack_seconds: float,
) -> int:
    run, tasks = watch_run(api, run_id, report)
    summary = collect_summary(
        api,
        settings,
        run,
        tasks,
        total_seconds=time.monotonic() - began,
        stack_seconds=stack_seconds,
    )
    path = settings.state_dir / "retraining_run.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n")
    temporary.replace(path)
    for line in render_summary(summary):
        report(line)
    if run["state"] != "success":
        for line in describe_failure(api, run, tasks):
            report(line)
    shown = path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path
    report(f"written: {shown}")
    return 0 if run["state"] == "success" else 1


def watch_run(api: AirflowApi, run_id: str, report: Report) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Report each task's start and end until the run is over; returns the run and its tasks."""
    seen: dict[str, tuple[str | None, int]] = {}
    while True:
        run = api.get_run(DAG_ID, run_id)
        tasks = api.get_task_instances(DAG_ID, run_id)
        for task in sorted(tasks, key=lambda entry: entry["start_date"] or "9"):
            name, state = task["task_id"], task["state"]
            now = (state, task["try_number"])
            if seen.get(name) == now:
                continue
            _report_change(task, seen.get(name), report)
            seen[name] = now
        if run["state"] in {"success", "failed"}:
            return run, tasks
        time.sleep(_POLL_SECONDS)


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
