"""What one finished run amounts to: facts for `retraining_run.json` and a short table for a person."""

import json
from pathlib import Path
from typing import Any

from local_airflow.airflow_api import AirflowApi
from local_airflow.run_files import fetch_object, shown
from local_airflow.stack import open_aws_client
from local_airflow.stack_settings import RETRAINING_DAG_ID, StackSettings

JOB_TASKS = ("preprocess", "train", "evaluate")
_SHOWN_METRICS = ("accuracy", "roc_auc", "pr_auc", "f1", "brier_score", "lift_at_10_percent")


def collect_summary(
    api: AirflowApi,
    settings: StackSettings,
    run: dict[str, Any],
    tasks: list[dict[str, Any]],
    *,
    total_seconds: float,
    stack_seconds: float,
) -> dict[str, Any]:
    """Gather a run's facts from Airflow's XComs and from the files its jobs left in S3.

    A task that did not get to run leaves its part null; nothing is guessed.
    """
    run_id = run["dag_run_id"]
    results = {
        name: api.get_xcom(RETRAINING_DAG_ID, run_id, name) for name in (*JOB_TASKS, "register_model_package")
    }
    decision = api.get_xcom(RETRAINING_DAG_ID, run_id, "accuracy_gate", "gate_decision")
    reports = _download_reports(settings, run_id, results, decision)
    quality = _read_json(reports.get("data_quality_json"))
    evaluation = _read_json(reports.get("evaluation_json"))
    package = results["register_model_package"] or {}
    seconds = {task["task_id"]: round(task["duration"] or 0.0, 2) for task in tasks}
    job_seconds = {name: results[name]["seconds"] for name in JOB_TASKS if results[name]}
    return {
        "dag_id": RETRAINING_DAG_ID,
        "dag_run_id": run_id,
        "dag_run_state": run["state"],
        "note": run.get("note"),
        "data": _data_facts(quality),
        "metrics": _metric_values(evaluation, "value"),
        "metric_intervals_95": _metric_values(evaluation, "confidence_interval_95"),
        "gate": _gate_facts(decision),
        "model_package_arn": package.get("model_package_arn"),
        "approval_status": package.get("approval_status"),
        "seconds": {
            **seconds,
            "total": round(total_seconds, 2),
            "stack_start": round(stack_seconds, 2),
            "jobs": round(sum(job_seconds.values()), 2),
            "per_job": job_seconds,
        },
        "reports": {name: shown(path) for name, path in reports.items()},
    }


def render_summary(summary: dict[str, Any]) -> list[str]:
    """Lines of the closing table."""
    data, gate, seconds = summary["data"], summary["gate"], summary["seconds"]
    lines = ["", f"run       {summary['dag_run_id']}: {summary['dag_run_state']}"]
    if data:
        mark = "  ** SYNTHETIC DATA: never approve this model **" if data["origin"] == "synthetic" else ""
        lines.append(
            f"rows      {data['rows_in']:,} in, {data['rows_out']:,} out, origin {data['origin']}{mark}"
        )
    for name in _SHOWN_METRICS:
        if name in summary["metrics"]:
            low, high = summary["metric_intervals_95"][name]
            lines.append(
                f"metric    {name:20} {summary['metrics'][name]:.4f}   95 % interval {low:.4f} to {high:.4f}"
            )
    if gate:
        lines.append(f"gate      {gate['sentence']}")
    arn = summary["model_package_arn"]
    lines.append(f"package   {arn}  ({summary['approval_status']})" if arn else "package   none registered")
    lines += _describe_reports(summary["reports"])
    lines.append(
        f"seconds   {seconds['total']:.1f} in all: {seconds['stack_start']:.1f} until Airflow was ready, "
        f"{seconds['jobs']:.1f} in the jobs"
    )
    return lines


def _describe_reports(reports: dict[str, str]) -> list[str]:
    """The page to open, and the names of what lies in the same folder."""
    page = reports.get("evaluation_html")
    others = [path for path in reports.values() if path != page]
    if page is None:
        return [f"report    {path}" for path in others]
    beside = ", ".join(Path(path).name for path in others)
    return [f"page      {page}", f"          beside it: {beside}"]


def _data_facts(quality: dict[str, Any] | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {
        "rows_in": quality["rows_in"],
        "rows_out": quality["rows_out"],
        "origin": quality["data_origin"],
    }


def _metric_values(evaluation: dict[str, Any] | None, part: str) -> dict[str, Any]:
    metrics = (evaluation or {}).get("binary_classification_metrics", {})
    return {name: entry[part] for name, entry in metrics.items() if isinstance(entry, dict) and part in entry}


def _gate_facts(decision: dict[str, Any] | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "passed": decision["passed"],
        "reasons": decision["reasons"],
        "sentence": decision["sentence"],
        "rules": decision["rules"],
    }


def _download_reports(
    settings: StackSettings, run_id: str, results: dict[str, Any], decision: dict[str, Any] | None
) -> dict[str, Path]:
    """Fetch the run's reports from S3, so that a person opens them with a click."""
    wanted: dict[str, str] = {}
    if results["preprocess"]:
        wanted["data_quality_json"] = f"{results['preprocess']['outputs']['data_quality']}/data_quality.json"
    if results["evaluate"]:
        wanted["evaluation_json"] = f"{results['evaluate']['outputs']['evaluation']}/evaluation.json"
        wanted["evaluation_html"] = f"{results['evaluate']['outputs']['evaluation']}/evaluation.html"
    folder = settings.state_dir / "reports" / run_id
    folder.mkdir(parents=True, exist_ok=True)
    s3 = open_aws_client(settings, "s3")
    found = {name: fetch_object(s3, uri, folder) for name, uri in wanted.items()}
    if decision:
        target = folder / "gate_decision.json"
        target.write_text(json.dumps(decision, indent=2) + "\n")
        found["gate_decision_json"] = target
    return found


def _read_json(path: Path | None) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path else None
