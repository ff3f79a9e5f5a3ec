"""What a finished drift job leaves in S3, as small as the contract allows."""

import json

from include.data_contracts.job_result import JobResult
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.sagemaker_requests.drift_requests import STAGE
from include.sagemaker_requests.job_names import job_name
from tests.unit.airflow_tasks.monitored_models import put


def drift_report(
    plan: MonitoringPlan, verdict: str = "no_drift", transition: str = "none", changes=()
) -> dict:
    date = plan.batch_date
    return {
        "contract": "drift_report",
        "version": 1,
        "verdict": verdict,
        "drifted_features": [],
        "sentence": f"{verdict} on {date}",
        "rows": {"reference": 5000, "current": 1000, "needed": 62},
        "rule": {"version": 1, "alpha": 0.05, "correction": "holm", "yearly_false_alerts": 0.1},
        "joint": None,
        "notes": [],
        "features": [],
        "batch": {"date": date, "files": 1, "bytes": 123, "columns_missing": [], "columns_extra": []},
        "model": {"version": plan.model.name, "data_origin": "real"},
        "predictions": None,
        "performance": None,
        "domain_classifier": None,
        "alert": {
            "date": date,
            "status": "drift" if transition == "new" else "quiet",
            "transition": transition,
            "since": date if transition == "new" else None,
            "columns": [],
            "changes": list(changes),
            "sentence": "as the report says",
        },
        "history": [],
    }


def state(plan: MonitoringPlan, *dates: str, rows: int = 1000) -> dict:
    evidence = {"contract": "drift_monitor_state", "version": 1, "model_version": plan.model.name}
    return {
        "contract": "monitoring_state",
        "version": 1,
        "model_version": plan.model.name,
        "reference_sha256": "ab" * 32,
        "score_reference_sha256": None,
        "features": {**evidence, "days": [{"date": date, "rows": rows} for date in dates]},
        "scores": {**evidence, "days": []},
        "days": [{"date": date, "verdict": "no_drift"} for date in dates],
    }


def leave_outputs(
    plan: MonitoringPlan,
    *,
    dates=None,
    scores: bytes | None = b"customer_id,score\na,0.5\n",
    attempt=0,
    **report,
) -> JobResult:
    """Put a job's outputs where its request says and return its result."""
    name = job_name(STAGE, plan, 0, attempt)
    folder = f"{plan.run_prefix}/{STAGE}/{name}/drift"
    put(f"{folder}/drift_report.json", json.dumps(drift_report(plan, **report)).encode())
    put(f"{folder}/drift_report.html", b"<!doctype html>")
    put(f"{folder}/monitor_state.json", json.dumps(state(plan, *(dates or [plan.batch_date]))).encode())
    if scores is not None:
        put(f"{folder}/predictions.csv", scores)
    arn = f"arn:aws:sagemaker:eu-west-1:123456789012:processing-job/{name}"
    return JobResult(job_name=name, job_arn=arn, kind="processing", outputs={"drift": folder})
