"""`make drift-demo`: a quiet day, a shifted one, a broken feed, a day without a batch, and what each brings.

A model of its own is trained first, in the group `drift-demo`: nothing of the person's own models, alerts or
days of monitoring is touched.
"""

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from local_airflow import idle_end
from local_airflow.airflow_api import AirflowApi
from local_airflow.dag_run_watch import Report, describe_failure, watch_run
from local_airflow.data_upload import read_data
from local_airflow.demo_days import (
    Customers,
    break_feed,
    multiply_tenure,
    read_customers,
    split_customers,
    write_customers,
)
from local_airflow.drift_run import DriftRequest, follow_drift, trigger_drift
from local_airflow.drift_summary import describe_message, read_message
from local_airflow.registered_models import RegisteredModel, list_models
from local_airflow.retraining_run import RunRequest, trigger_run
from local_airflow.run_files import shown, write_document
from local_airflow.stack import describe_stay, open_aws_client, start_stack
from local_airflow.stack_settings import PROJECT_ROOT, RETRAINING_DAG_ID, StackError, StackSettings

GROUP = "drift-demo"
SYNTHETIC_ROWS = 12_000
# A half of a small set trains a slightly weaker model than the whole; the demo is about what comes after it.
ACCURACY_THRESHOLD = 0.7
_JOB_PYTHON = PROJECT_ROOT / ".venvs/sklearn_job/bin/python"


@dataclass(frozen=True)
class DemoDay:
    """One day: its date, what happens on it, and its batch (None: none comes)."""

    batch_date: date
    title: str
    batch: Path | None


def read_demo_request() -> Path | None:
    """Read DATA; without it the demo invents customers."""
    return read_data("DATA")


def run_drift_demo(settings: StackSettings, data: Path | None, report: Report) -> int:
    """Train, then take the days through monitoring; writes `drift_demo.json`; returns the exit code."""
    folder = settings.state_dir / "drift_demo"
    customers = read_customers(data or _invent_customers(folder / "synthetic", report))
    if customers.marker:
        report("customers: ** SYNTHETIC: everything below is about invented customers **")
    training, days = _make_days(customers, folder)
    start_stack(settings, report, quiet_minutes=idle_end.MINUTES)
    api = AirflowApi(settings)
    api.log_in()
    model = _train(api, settings, training, report)
    summaries = [_run_day(api, settings, day, model, report) for day in days]
    path = settings.state_dir / "drift_demo.json"
    write_document(
        path, [{"title": day.title, **summary} for day, summary in zip(days, summaries, strict=True)]
    )
    for line in render_demo(days, summaries, synthetic=bool(customers.marker)):
        print(line)
    print(f"written   {shown(path)}")
    idle_end.note_use(settings)
    for line in describe_stay(settings):
        print(line)
    return 0 if all(summary["dag_run_state"] == "success" for summary in summaries) else 1


def render_demo(days: list[DemoDay], summaries: list[dict[str, Any]], *, synthetic: bool) -> list[str]:
    """Lines of the closing table, and the messages as a subscriber would read them."""
    mark = "  ** SYNTHETIC CUSTOMERS **" if synthetic else ""
    lines = [
        "",
        f"{'day':10}  {'what happened':24}  {'verdict':17}  {'message':17}  {'metrics':>7}  features{mark}",
    ]
    for day, summary in zip(days, summaries, strict=True):
        verdict = summary["verdict"] or f"batch {summary['batch_status']}"
        sent = describe_message(summary)
        features = ", ".join(summary["drifted_features"]) or "-"
        metrics = summary["metrics_published"]
        lines.append(f"{day.batch_date}  {day.title:24}  {verdict:17}  {sent:17}  {metrics:>7}  {features}")
    lines.append("")
    lines += [
        f"page  {day.batch_date}  {summary['report_html']}"
        for day, summary in zip(days, summaries, strict=True)
        if summary["report_html"]
    ]
    if any(summary["outbox"] for summary in summaries):
        lines += ["", "What a subscriber reads (links into the AWS console lead nowhere on a laptop):"]
    for summary in summaries:
        for name in summary["outbox"]:
            message = read_message(PROJECT_ROOT / name)
            lines += ["", f"--- {name}", f"Subject: {message['subject']}", "", message["message"].rstrip()]
    return [*lines, ""]


def _make_days(customers: Customers, folder: Path) -> tuple[Path, list[DemoDay]]:
    training, (quiet, shifted, broken) = split_customers(customers, 3)
    batches: list[tuple[str, Customers | None]] = [
        ("a quiet day", quiet),
        ("tenure x 3", multiply_tenure(shifted)),
        ("a broken feed", break_feed(broken)),
        ("no batch comes", None),
    ]
    first = datetime.now(UTC).date() - timedelta(days=len(batches))
    days = []
    for number, (title, batch) in enumerate(batches):
        day = first + timedelta(days=number)
        days.append(DemoDay(day, title, write_customers(batch, folder / str(day)) if batch else None))
    return write_customers(training, folder / "training"), days


def _invent_customers(folder: Path, report: Report) -> Path:
    report(f"customers: no DATA given, so {SYNTHETIC_ROWS:,} SYNTHETIC customers are invented")
    done = subprocess.run(
        [
            str(_JOB_PYTHON), "-m", "sagemaker_jobs", "generate_synthetic_data",
            "--output-dir", str(folder), "--rows", str(SYNTHETIC_ROWS),
        ],
        cwd=PROJECT_ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StackError(f"customers could not be invented: {(done.stderr or done.stdout).strip()[-300:]}")
    return folder


def _train(api: AirflowApi, settings: StackSettings, training: Path, report: Report) -> RegisteredModel:
    """Train the demo's model on the training half; StackError when its gate stays closed."""
    conf = {
        "model_package_group": GROUP,
        "accuracy_threshold": ACCURACY_THRESHOLD,
        "reason": "make drift-demo",
    }
    report("training the demo's model on one half of the customers")
    run_id = trigger_run(api, settings, RunRequest(data=training, schema=None, conf=conf), report)
    run, tasks = watch_run(api, RETRAINING_DAG_ID, run_id, report)
    package = api.get_xcom(RETRAINING_DAG_ID, run_id, "register_model_package")
    if package is None:
        for line in (
            describe_failure(api, run, tasks) if run["state"] != "success" else [run.get("note") or ""]
        ):
            report(line)
        raise StackError("the demo's model was not registered, so there is nothing to compare the days with")
    models = list_models(open_aws_client(settings, "sagemaker"), package["model_package_group"])
    return next(model for model in models if model.arn == package["model_package_arn"])


def _run_day(
    api: AirflowApi, settings: StackSettings, day: DemoDay, model: RegisteredModel, report: Report
) -> dict[str, Any]:
    report("")
    report(f"{day.batch_date}: {day.title}")
    conf = {
        "model_package_group": model.group,
        "reference_version": str(model.version),
        "batch_grace_hours": 0,
        "reason": f"make drift-demo: {day.title}",
    }
    began = time.monotonic()
    request = DriftRequest(data=day.batch, batch_date=day.batch_date, conf=conf)
    run_id = trigger_drift(api, settings, request, model, report)
    return follow_drift(api, settings, run_id, model, report, began=began)
