"""`make drift-backfill`: monitoring for days gone by, with Airflow's own backfill, in order of date."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from local_airflow import idle_end
from local_airflow.airflow_api import AirflowApi
from local_airflow.dag_run_watch import Report
from local_airflow.data_upload import replace_batch
from local_airflow.drift_run import find_reference, model_warnings, read_drift_conf
from local_airflow.drift_summary import collect_drift_summary, describe_message
from local_airflow.registered_models import APPROVED, RegisteredModel
from local_airflow.request_variables import read_date, read_path
from local_airflow.run_files import shown, write_document
from local_airflow.schema_choice import SchemaChoice, place_schema, read_schema_choice, read_schema_name
from local_airflow.stack import describe_stay, open_aws_client, start_stack
from local_airflow.stack_settings import DATA_BUCKET, DRIFT_DAG_ID, StackError, StackSettings

MOST_DAYS = 400
_POLL_SECONDS = 0.5
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class BackfillRequest:
    """Days to monitor, both included; `data` holds one file or folder per date."""

    first: date
    last: date
    data: Path | None = None
    schema: SchemaChoice | None = None
    conf: dict[str, Any] = field(default_factory=dict)

    @property
    def days(self) -> list[date]:
        """Every date, in order."""
        return [self.first + _DAY * number for number in range((self.last - self.first).days + 1)]


def read_backfill_request() -> BackfillRequest:
    """Read FROM, TO, DATA, SCHEMA and CONF; raises StackError naming the one that is wrong."""
    first, last = read_date("FROM"), read_date("TO")
    if first is None or last is None:
        raise StackError(
            "make drift-backfill needs FROM=2026-10-01 TO=2026-11-24: the first and the last day to monitor"
        )
    yesterday = datetime.now(UTC).date() - _DAY
    if first > last:
        raise StackError(f"FROM={first} is after TO={last}")
    if last > yesterday:
        raise StackError(
            f"TO={last} is not over yet (UTC); the last day that can be backfilled is {yesterday}"
        )
    if (last - first).days >= MOST_DAYS:
        raise StackError(f"FROM={first} TO={last} are more than {MOST_DAYS} days; backfill them in parts")
    conf = read_drift_conf()
    if fixed := conf.keys() & {"batch_date", "batch_uri", "labels_uri"}:
        raise StackError(f"CONF: {', '.join(sorted(fixed))} cannot be the same for every day of a backfill")
    return BackfillRequest(first, last, read_path("DATA"), read_schema_choice(), conf)


def run_drift_backfill(settings: StackSettings, request: BackfillRequest, report: Report) -> int:
    """Upload the days, run Airflow's backfill, write `drift_backfill.json`; returns the exit code."""
    batches = find_batches(request) if request.data else {}
    start_stack(settings, report, quiet_minutes=idle_end.MINUTES)
    model = find_reference(settings, request.conf)
    for warning in model_warnings(model) if model else []:
        report(f"model: {model.name}: {warning}")
    upload_batches(settings, request, batches, model, report)
    api = AirflowApi(settings)
    api.log_in()
    began = time.monotonic()
    summaries = backfill_days(api, settings, request, model, report)
    path = settings.state_dir / "drift_backfill.json"
    write_document(path, summaries)
    for line in render_backfill(summaries, model):
        print(line)
    report(f"{len(summaries)} days in {time.monotonic() - began:.1f} s")
    print(f"written   {shown(path)}")
    idle_end.note_use(settings)
    for line in describe_stay(settings):
        print(line)
    return 0 if all(summary["dag_run_state"] == "success" for summary in summaries) else 1


def find_batches(request: BackfillRequest) -> dict[date, Path]:
    """File or folder of each date in DATA, named by the date; StackError when none is there."""
    found = {}
    names = sorted(path.name for path in request.data.iterdir()) if request.data.is_dir() else []
    for day in request.days:
        present = [request.data / name for name in names if name == str(day) or name.startswith(f"{day}.")]
        if len(present) > 1:
            raise StackError(
                f"DATA={request.data.name}: {day} is there twice: {', '.join(p.name for p in present)}"
            )
        if present:
            found[day] = present[0]
    if not found:
        raise StackError(
            f"DATA={request.data.name}: holds no batch for {request.first} to {request.last}; a batch is a "
            f"folder named {request.first}, or a file named {request.first}.csv"
        )
    return found


def upload_batches(
    settings: StackSettings,
    request: BackfillRequest,
    batches: dict[date, Path],
    model: RegisteredModel | None,
    report: Report,
) -> None:
    """Put each day's batch where the DAG looks for it, in place of what lies there."""
    s3 = open_aws_client(settings, "s3")
    if request.schema:
        schema = read_schema_name(s3, place_schema(s3, request.schema))
    else:
        schema = (model.facts.get("schema_name") if model else None) or "ibm_telco"
    for day, path in batches.items():
        replace_batch(s3, path, f"current/{schema}/{day}/")
    if batches:
        absent = len(request.days) - len(batches)
        report(
            f"{len(batches)} batches uploaded to s3://{DATA_BUCKET}/current/{schema}/"
            + (f"; {absent} days have none" if absent else "")
        )


def backfill_days(
    api: AirflowApi,
    settings: StackSettings,
    request: BackfillRequest,
    model: RegisteredModel | None,
    report: Report,
) -> list[dict[str, Any]]:
    """Create one backfill and follow it to its end; returns each day's summary, in order of date.

    The run of a day begins when the day is over: its logical date is the day after.
    """
    conf = dict(request.conf)
    if request.schema:
        conf["schema"] = place_schema(open_aws_client(settings, "s3"), request.schema)
    if model is not None and model.approval_status != APPROVED:
        conf.setdefault("reference_version", str(model.version))
    first, last = request.first + _DAY, request.last + _DAY
    backfill_id = api.create_backfill(DRIFT_DAG_ID, first.isoformat(), last.isoformat(), conf)
    span = f"{len(request.days)} days, {request.first} to {request.last}"
    report(f"backfill {backfill_id} of {DRIFT_DAG_ID}: {span}")
    runs = _follow(api, first.isoformat(), last.isoformat(), report)
    warnings = model_warnings(model) if model else []
    summaries = []
    for run in runs:
        tasks = api.get_task_instances(DRIFT_DAG_ID, run["dag_run_id"])
        seconds = float(run["duration"] or 0.0)
        summary = collect_drift_summary(
            api, settings, run, tasks, warnings=warnings, total_seconds=seconds, stack_seconds=0.0
        )
        summaries.append({**summary, "batch_date": str(_day_of(run))})
    return summaries


def render_backfill(summaries: list[dict[str, Any]], model: RegisteredModel | None) -> list[str]:
    """Lines of the closing table, one per day."""
    lines = [""]
    lines += [f"** {model.name}: {warning} **" for warning in (model_warnings(model) if model else [])]
    lines.append(f"{'day':10}  {'run':7}  {'verdict':17}  {'message':17}  {'metrics':>7}  features")
    for summary in summaries:
        verdict = summary["verdict"] or f"batch {summary['batch_status'] or '-'}"
        sent = describe_message(summary)
        features = ", ".join(summary["drifted_features"]) or "-"
        lines.append(
            f"{summary['batch_date']:10}  {summary['dag_run_state']:7}  {verdict:17}  {sent:17}  "
            f"{summary['metrics_published']:>7}  {features}"
        )
    return [*lines, ""]


def _follow(api: AirflowApi, first: str, last: str, report: Report) -> list[dict[str, Any]]:
    """Report each run's end until none is queued or running; returns the runs in order of date."""
    seen: set[str] = set()
    while True:
        runs = api.runs_between(DRIFT_DAG_ID, first, last)
        for run in runs:
            if run["state"] in {"success", "failed"} and run["dag_run_id"] not in seen:
                seen.add(run["dag_run_id"])
                report(
                    f"  {'+' if run['state'] == 'success' else '!'} {len(seen)} of {len(runs)}: {_told(run)}"
                )
        if runs and len(seen) == len(runs):
            return runs
        time.sleep(_POLL_SECONDS)


def _day_of(run: dict[str, Any]) -> date:
    """Day that a run judges: the one before its logical date."""
    return date.fromisoformat(run["logical_date"][:10]) - _DAY


def _told(run: dict[str, Any]) -> str:
    note = " ".join((run.get("note") or "").split())
    return f"{_day_of(run)} {run['state']} in {run['duration'] or 0:.1f} s  {note[:90]}".rstrip()
