"""Prepared plans and recorded days, made of the contracts' own types."""

import json
from typing import Any

from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.monitoring_day import BatchAlert, MonitoringDay
from include.data_contracts.monitoring_plan import ModelReference, MonitoringPlan
from include.data_contracts.run_plan import JobBundle
from include.settings.environment import MonitoringEnvironment
from include.settings.monitoring_parameters import MonitoringParameters
from tests.unit.drift_alerts.drift_reports import DATE

VARIABLES = {
    "CHURN_ARTIFACT_BUCKET": "churn-artifacts",
    "CHURN_DATA_BUCKET": "churn-data",
    "CHURN_SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/churn-sagemaker-job",
    "CHURN_ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:churn-alerts",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
REPORT_FOLDER = "s3://churn-artifacts/monitoring-runs/run-1/detect_drift/job-1/drift"
RUN_URL = "https://airflow.example/dags/churn_drift_monitoring/runs/run-1"


def model(**changes: Any) -> ModelReference:
    folder = "s3://churn-artifacts/retraining/run"
    return ModelReference(
        **{
            "group": "telecom-churn", "version": "3",
            "arn": "arn:aws:sagemaker:eu-west-1:123456789012:model-package/telecom-churn/3",
            "approval_status": "Approved", "data_origin": "real", "algorithm": "hist_gradient_boosting",
            "image": "image", "model_uri": f"{folder}/model.tar.gz", "model_sha256": "ab" * 32,
            "reference_uri": f"{folder}/reference", "evaluation_uri": f"{folder}/evaluation.json",
            "reference_scores_uri": None, "schema_name": "ibm_telco", "schema_uri": f"{folder}/schema.json",
            **changes,
        }
    )  # fmt: skip


def plan(
    run_id: str = "scheduled__2026-11-25T00:00:00+00:00",
    date: str = DATE,
    *,
    run_after: str = "2026-11-25T00:00:00+00:00",
    variables: dict[str, str] | None = None,
    model_changes: dict[str, Any] | None = None,
    **conf: Any,
) -> MonitoringPlan:
    return MonitoringPlan(
        dag_id="churn_drift_monitoring",
        run_id=run_id,
        run_slug="run",
        run_hash="0123456789",
        run_after=run_after,
        parameters=MonitoringParameters.from_conf(conf=conf),
        environment=MonitoringEnvironment.from_mapping({**VARIABLES, **(variables or {})}),
        job_bundle=JobBundle("s3://churn-artifacts/job-bundles/x", "ab" * 32, "cd" * 20),
        model=model(**(model_changes or {})),
        batch_date=date,
        batch_uri=f"s3://churn-data/current/ibm_telco/{date}/",
        deadline="2026-11-25T12:00:00+00:00",
        labels_uri="s3://churn-data/labels/ibm_telco/2026-10-25/",
        labelled_date="2026-10-25",
        schema_uri="s3://churn-artifacts/monitoring-runs/run/schema.json",
        run_prefix="s3://churn-artifacts/monitoring-runs/run",
    )


def summary(report: dict[str, Any]) -> DriftReportSummary:
    return DriftReportSummary.from_mapping(json.loads(json.dumps(report, allow_nan=False)))


def judged_day(
    report: dict[str, Any], *, batch_transition: str = "none", since: str | None = None, **changes: Any
) -> MonitoringDay:
    """The record of a day that this report is about."""
    date = report["batch"]["date"]
    return _day(
        date,
        "arrived",
        BatchAlert(batch_transition, since, f"the batch of {date} has come"),
        verdict=report["verdict"],
        sentence=report["sentence"],
        drifted_features=tuple(report["drifted_features"]),
        rows=report["rows"]["current"],
        alert=report["alert"],
        report_json_uri=f"{REPORT_FOLDER}/drift_report.json",
        report_html_uri=f"{REPORT_FOLDER}/drift_report.html",
        batch_files=1,
        batch_bytes=1234,
        batch_age_hours=3.25,
        fingerprint="ab" * 32,
        has_open_alert=report["alert"]["status"] != "quiet",
        **changes,
    )


def outage_day(status: str = "missing", transition: str = "new", date: str = DATE) -> MonitoringDay:
    """The record of a day without a new batch."""
    alert = BatchAlert(transition, date, f"the batch of {date} has not come")
    age = 30.5 if status == "stale" else None
    return _day(date, status, alert, sentence=alert.sentence, batch_age_hours=age)


def _day(date: str, status: str, batch_alert: BatchAlert, **values: Any) -> MonitoringDay:
    return MonitoringDay(
        **{
            "date": date, "model_version": "telecom-churn/3", "run_id": "run", "batch_status": status,
            "batch_uri": f"s3://churn-data/current/ibm_telco/{date}/", "batch_files": 0, "batch_bytes": 0,
            "batch_age_hours": None, "fingerprint": None, "batch_alert": batch_alert, "verdict": None,
            "sentence": "", "drifted_features": (), "rows": None, "alert": None, "report_json_uri": None,
            "report_html_uri": None, "has_open_alert": False, **values,
        }
    )  # fmt: skip
