"""The body of `record_day`: what a day came to, kept where the next days and other tasks find it.

Everything is keyed by date, verdicts under their model version and deliveries under the group, so a retry, a
re-run or a backfill writes the same again.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks.batch_outage import decide_batch_alert
from include.airflow_tasks.day_history import delivery_before, last_judgement_before, recorded_delivery
from include.airflow_tasks.s3_documents import (
    explain,
    object_exists,
    read_json,
    read_json_version,
    write_json,
    write_json_version,
)
from include.data_contracts.batch_delivery import BatchDelivery
from include.data_contracts.day_inputs import DayInputs
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.job_result import JobResult
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.monitor_state import MonitorStateDays
from include.data_contracts.monitoring_day import BatchAlert, MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.sagemaker_requests.drift_requests import DRIFT_OUTPUT
from include.settings.s3_layout import day_record_uri, delivery_uri, monitor_state_uri, predictions_uri

REPORT_JSON, REPORT_HTML = "drift_report.json", "drift_report.html"
STATE_FILE, PREDICTIONS_FILE = "monitor_state.json", "predictions.csv"
_MOST_WRITERS_AT_ONCE = 10
# The strongest come first, the report has them all; a record also travels between tasks.
_MOST_CHANGES = 20
_WHAT_STATE, _STATE_REMEDY = "the monitor's state", "restore its last version, or delete it to begin anew"

log = logging.getLogger(__name__)


def record_monitored_day(
    plan: MonitoringPlan, inputs: DayInputs, drift: JobResult | None, *, s3: S3Hook
) -> MonitoringDay:
    """Keep the day's evidence and scores, then its record; the record is written last.

    `drift` is what the job left, None where there was no batch to judge.
    """
    delivery = _delivery(plan, inputs, s3=s3)
    judged: dict[str, Any] = {
        "verdict": None, "sentence": _sentence(plan, delivery.batch_alert), "drifted_features": (),
        "rows": None, "alert": None, "report_json_uri": None, "report_html_uri": None,
    }  # fmt: skip
    if drift is not None:
        folder = drift.output(DRIFT_OUTPUT)
        judged = _read_report(folder, s3=s3)
        _keep_evidence(plan, folder, s3=s3)
        _keep_scores(plan, folder, s3=s3)
    day = MonitoringDay(
        date=plan.batch_date,
        model_version=plan.model.name,
        run_id=plan.run_id,
        batch_status=inputs.status,
        batch_uri=inputs.batch_uri,
        batch_files=inputs.files,
        batch_bytes=inputs.bytes,
        batch_age_hours=inputs.age_hours,
        fingerprint=delivery.fingerprint,
        batch_alert=delivery.batch_alert,
        labelled_date=inputs.labelled_date if drift is not None else None,
        has_open_alert=_has_open_alert(plan, judged["alert"], s3=s3),
        **judged,
    )
    uri = delivery_uri(plan.delivery_prefix, plan.batch_date)
    write_json(s3, uri, delivery.to_mapping(), what="the record of the delivery")
    uri = day_record_uri(plan.monitoring_prefix, plan.batch_date)
    write_json(s3, uri, day.to_mapping(), what="the day's record")
    log.info("%s (%s)", day.sentence, uri)
    return day


def _delivery(plan: MonitoringPlan, inputs: DayInputs, *, s3: S3Hook) -> BatchDelivery:
    previous = delivery_before(plan, s3=s3)
    recorded = recorded_delivery(plan, plan.batch_date, s3=s3)
    return BatchDelivery(
        date=plan.batch_date,
        status=inputs.status,
        fingerprint=inputs.fingerprint or (previous.fingerprint if previous else None),
        batch_alert=decide_batch_alert(plan.batch_date, inputs.status, previous=previous, recorded=recorded),
        run_id=plan.run_id,
    )


def _has_open_alert(plan: MonitoringPlan, alert: Mapping[str, Any] | None, *, s3: S3Hook) -> bool:
    """Tell whether drift or a data break is open; a day without a batch leaves it as it was."""
    if alert is None:
        judged = last_judgement_before(plan, s3=s3)
        alert = None if judged is None else judged.alert
    return alert is not None and alert["status"] != "quiet"


def _sentence(plan: MonitoringPlan, batch_alert: BatchAlert) -> str:
    """Say of a day without a batch where and until when one was waited for."""
    until = datetime.fromisoformat(plan.deadline)
    return f"{batch_alert.sentence} ({plan.batch_uri} was watched until {until:%Y-%m-%d %H:%M} UTC)"


def _read_report(folder: str, *, s3: S3Hook) -> dict[str, Any]:
    uri = f"{folder}/{REPORT_JSON}"
    remedy = "read the job's log"
    document = read_json(s3, uri, what="the drift report", remedy=remedy)
    try:
        report = DriftReportSummary.from_mapping(document, uri)
    except ContractError as error:
        raise AirflowFailException(f"the drift report is not usable: {error}") from None
    return {
        "verdict": report.verdict,
        "sentence": report.sentence,
        "drifted_features": report.drifted_features,
        "rows": report.current_rows,
        "alert": replace(report.alert, changes=report.alert.changes[:_MOST_CHANGES]).to_mapping(),
        "report_json_uri": uri,
        "report_html_uri": f"{folder}/{REPORT_HTML}",
    }


def _keep_evidence(plan: MonitoringPlan, folder: str, *, s3: S3Hook) -> None:
    """Put the day's evidence into the model version's state, whoever else has written it meanwhile."""
    job_uri, uri = f"{folder}/{STATE_FILE}", monitor_state_uri(plan.monitoring_prefix)
    made = _state(read_json(s3, job_uri, what="the job's state", remedy="read the job's log"), job_uri)
    for _ in range(_MOST_WRITERS_AT_ONCE):
        known, etag = _read_state(uri, s3=s3)
        # Days that were measured against something else mean nothing here: the state begins anew.
        is_usable = known is not None and known.model == made.model
        merged = known.with_day_of(made, plan.batch_date) if known is not None and is_usable else made
        if write_json_version(s3, uri, merged.to_mapping(), etag, what=_WHAT_STATE):
            return
    raise AirflowException(f"the monitor's state {uri} changes faster than it can be written; try again")


def _keep_scores(plan: MonitoringPlan, folder: str, *, s3: S3Hook) -> None:
    """Copy the batch's scores to where its labels will look for them; a broken batch has none."""
    source, target = f"{folder}/{PREDICTIONS_FILE}", predictions_uri(plan.monitoring_prefix, plan.batch_date)
    if not object_exists(s3, source, what="the batch's scores"):
        return
    source_bucket, source_key = s3.parse_s3_url(source)
    bucket, key = s3.parse_s3_url(target)
    try:
        s3.get_conn().copy({"Bucket": source_bucket, "Key": source_key}, bucket, key)
    except Exception as error:
        raise explain(error, uri=target, what="the batch's scores", remedy="read the job's log") from error


def _read_state(uri: str, *, s3: S3Hook) -> tuple[MonitorStateDays | None, str | None]:
    if not object_exists(s3, uri, what=_WHAT_STATE):
        return None, None
    document, etag = read_json_version(s3, uri, what=_WHAT_STATE, remedy=_STATE_REMEDY)
    return _state(document, uri), etag


def _state(document: Mapping[str, Any], uri: str) -> MonitorStateDays:
    try:
        return MonitorStateDays.from_mapping(document, uri)
    except ContractError as error:
        raise AirflowFailException(f"{error}; {_STATE_REMEDY}") from None
