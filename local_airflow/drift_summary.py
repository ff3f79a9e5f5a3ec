"""What one monitoring run amounts to: facts for `drift_run.json` and a short table for a person."""

import json
from pathlib import Path
from typing import Any

from local_airflow.airflow_api import AirflowApi
from local_airflow.run_files import fetch_object, shown
from local_airflow.stack import open_aws_client
from local_airflow.stack_settings import DRIFT_DAG_ID, METRIC_NAMESPACE, StackSettings

_RESULT_TASKS = ("prepare_monitoring", "record_day", "publish_alert", "publish_metrics", "request_retraining")
_SHOWN_CHANGES = 5


def collect_drift_summary(
    api: AirflowApi,
    settings: StackSettings,
    run: dict[str, Any],
    tasks: list[dict[str, Any]],
    *,
    warnings: list[str],
    total_seconds: float,
    stack_seconds: float,
) -> dict[str, Any]:
    """Gather a run's facts from Airflow's XComs, its reports from S3 and its messages from the outbox.

    A task that did not get to run leaves its part null; nothing is guessed.
    """
    run_id = run["dag_run_id"]
    results = {name: api.get_xcom(DRIFT_DAG_ID, run_id, name) or {} for name in _RESULT_TASKS}
    plan, day, alert = results["prepare_monitoring"], results["record_day"], results["publish_alert"]
    model = plan.get("model") or {}
    reports = _fetch_reports(settings, run_id, day)
    return {
        "dag_id": DRIFT_DAG_ID,
        "dag_run_id": run_id,
        "dag_run_state": run["state"],
        "note": run.get("note"),
        "warnings": warnings,
        "batch_date": day.get("date") or plan.get("batch_date"),
        "batch_status": day.get("batch_status"),
        "batch_uri": plan.get("batch_uri"),
        "rows": day.get("rows"),
        "verdict": day.get("verdict"),
        "drifted_features": list(day.get("drifted_features") or []),
        "sentence": day.get("sentence"),
        "alert": day.get("alert"),
        "batch_alert": day.get("batch_alert"),
        "alert_published": bool(alert.get("published")),
        "alert_transition": alert.get("transition"),
        "alert_kind": alert.get("kind"),
        "alert_reason": alert.get("reason"),
        "outbox": [shown(path) for path in find_messages(settings, message_ids(alert))],
        "metrics_published": results["publish_metrics"].get("published", 0),
        "metrics_reason": results["publish_metrics"].get("reason"),
        "retraining": results["request_retraining"] or None,
        "model_package_arn": model.get("arn"),
        "approval_status": model.get("approval_status"),
        "data_origin": model.get("data_origin"),
        "report_json": shown(reports["json"]) if "json" in reports else None,
        "report_html": shown(reports["html"]) if "html" in reports else None,
        "seconds": {
            **{task["task_id"]: round(task["duration"] or 0.0, 2) for task in tasks},
            "total": round(total_seconds, 2),
            "stack_start": round(stack_seconds, 2),
        },
    }


def render_drift_summary(summary: dict[str, Any]) -> list[str]:
    """Lines of the closing table."""
    seconds = summary["seconds"]
    lines = ["", f"run       {summary['dag_run_id']}: {summary['dag_run_state']}"]
    lines += [f"model     ** {warning} **" for warning in summary["warnings"]]
    if summary["model_package_arn"]:
        lines.append(f"model     {summary['model_package_arn']}  ({summary['approval_status']})")
    lines.append(
        f"day       {summary['batch_date'] or '-'}, batch {summary['batch_status'] or 'not looked at'}"
    )
    if summary["verdict"]:
        lines.append(f"verdict   {summary['verdict']}")
    if summary["sentence"]:
        lines.append(f"          {summary['sentence']}")
    lines += [f"changed   {line}" for line in _describe_changes(summary)]
    lines.append(f"alert     {_describe_alert(summary)}")
    lines += [f"message   {path}" for path in summary["outbox"]]
    lines.append(f"metrics   {_describe_metrics(summary)}")
    if (summary["retraining"] or {}).get("requested"):
        lines.append(f"retrain   {summary['retraining']['reason']}")
    if summary["note"]:
        lines.append(f"note      {' '.join(summary['note'].split())}")
    lines += [f"page      {summary['report_html']}"] if summary["report_html"] else []
    lines += [f"report    {summary['report_json']}"] if summary["report_json"] else []
    lines.append(
        f"seconds   {seconds['total']:.1f} in all, {seconds['stack_start']:.1f} until Airflow was ready"
    )
    return lines


def describe_message(summary: dict[str, Any]) -> str:
    """What the weightiest message of a run was about, such as `drift new` or `batch cleared`; - for none."""
    if not summary["alert_published"]:
        return "-"
    return f"{summary['alert_kind']} {summary['alert_transition']}".replace("_", " ")


def message_ids(alert: dict[str, Any]) -> set[str]:
    """Ids of the messages that this very run sent, as the result of `publish_alert` tells them."""
    return {message["message_id"] for message in alert.get("messages") or [] if message["published"]}


def find_messages(settings: StackSettings, wanted: set[str]) -> list[Path]:
    """Files of the outbox that hold these messages, oldest first."""
    return [
        path
        for path in sorted(settings.outbox_dir.glob("*.json"))
        if any(path.name.endswith(f"-{message_id}.json") for message_id in wanted)
    ]


def read_message(path: Path) -> dict[str, Any]:
    """Return one message of the outbox: subject, message, attributes."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _fetch_reports(settings: StackSettings, run_id: str, day: dict[str, Any]) -> dict[str, Path]:
    wanted = {"json": day.get("report_json_uri"), "html": day.get("report_html_uri")}
    s3 = open_aws_client(settings, "s3")
    folder = settings.state_dir / "reports" / run_id
    return {name: fetch_object(s3, uri, folder) for name, uri in wanted.items() if uri}


def _describe_changes(summary: dict[str, Any]) -> list[str]:
    changes = (summary["alert"] or {}).get("changes") or []
    lines = [
        f"{change['column']}: {change['statistic']} {change['effect']:+.3g} over {change['days']} day(s), "
        f"p {f'{change["p_value"]:.1g}' if change['p_value'] else 'below 1e-300'}"
        for change in changes[:_SHOWN_CHANGES]
    ]
    if len(changes) > _SHOWN_CHANGES:
        lines.append(f"and {len(changes) - _SHOWN_CHANGES} more")
    return lines


def _describe_metrics(summary: dict[str, Any]) -> str:
    if summary["metrics_published"]:
        return f"{summary['metrics_published']} published to {METRIC_NAMESPACE}"
    return f"none published: {summary['metrics_reason'] or 'the run did not get that far'}"


def _describe_alert(summary: dict[str, Any]) -> str:
    if summary["alert_published"]:
        return f"sent ({describe_message(summary)})"
    return f"none: {summary['alert_reason'] or 'the run did not get that far'}"
