"""The body of `request_retraining`: read what was asked for so far, decide, and keep the request.

The request is kept before the retraining is started, under the batch's date: a retry comes to the same
decision and the same run id, so a kill at any moment neither loses a retraining nor starts two.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.published_documents import create_json, read_contract
from include.airflow_tasks.s3_documents import list_objects, read_json
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.retraining_request import RetrainingRequest
from include.drift_alerts.retraining_decision import decide_request
from include.settings.run_parameters import ParameterError
from include.settings.s3_layout import retraining_request_uri, retraining_requests_prefix

_WHAT = "the record of a requested retraining"

log = logging.getLogger(__name__)


def decide_retraining(
    plan_mapping: Mapping[str, Any],
    day_mapping: Mapping[str, Any],
    *,
    s3: S3Hook,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Decide whether the day's drift starts a retraining; arguments are the XCom mappings of plan and day.

    Returns `requested`, `reason`, `run_id` and `conf` (None unless requested). Raises AirflowException where
    a retry helps, AirflowFailException in one line where a person has to act.
    """
    plan = read_contract(MonitoringPlan.from_mapping, plan_mapping, "the plan")
    day = read_contract(MonitoringDay.from_mapping, day_mapping, "the day's record")
    moment = now or datetime.now(UTC)
    requests = _earlier_requests(plan, s3=s3) if plan.parameters.retrain_on_drift else ()
    try:
        decision = decide_request(plan, day, requests, moment.date())
    except ParameterError as error:
        raise AirflowFailException(f"churn_retraining would refuse what drift asks for: {error}") from None
    if decision.requested and decision.run_id is not None:
        request = RetrainingRequest(
            date=plan.batch_date,
            requested_at=moment.isoformat(timespec="seconds"),
            run_id=decision.run_id,
            requested_by=plan.run_id,
            model_version=plan.model.name,
            reason=decision.reason,
        )
        create_json(s3, _uri(plan, plan.batch_date), request.to_mapping(), what=_WHAT)
    log.info("%s: %s", "Retraining" if decision.requested else "No retraining", decision.reason)
    return decision.to_mapping()


def _earlier_requests(plan: MonitoringPlan, *, s3: S3Hook) -> tuple[RetrainingRequest, ...]:
    bucket = plan.environment.artifact_bucket
    folder = retraining_requests_prefix(bucket, plan.model.group)
    uris = [f"s3://{bucket}/{entry['Key']}" for entry in list_objects(s3, folder, what=_WHAT)]
    return tuple(_read(s3, uri) for uri in uris if _may_count(uri))


def _may_count(uri: str) -> bool:
    """Whether the object is a request at all: somebody's note beside them must not stop a day."""
    name = uri.rpartition("/")[2].removesuffix(".json")
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return uri.endswith(".json")


def _read(s3: S3Hook, uri: str) -> RetrainingRequest:
    remedy = "restore its last version, or delete it to have it forgotten"
    return read_contract(RetrainingRequest.from_mapping, read_json(s3, uri, what=_WHAT, remedy=remedy), uri)


def _uri(plan: MonitoringPlan, day: str) -> str:
    return retraining_request_uri(plan.environment.artifact_bucket, plan.model.group, day)
