"""The body of `publish_metrics`: a day's figures to CloudWatch, once.

CloudWatch adds up what it is told twice. A marker in S3 therefore counts the requests it has taken: a retry
goes on where the try before ended, a re-run with the same figures publishes nothing, and one with other
figures publishes them a minute beside the first, because CloudWatch replaces nothing. A kill in the instant
between CloudWatch's answer and the marker can repeat one request.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from include.airflow_tasks.published_documents import (
    now_text,
    read_contract,
    read_marker,
    read_report,
    refused,
)
from include.airflow_tasks.s3_documents import write_json
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.publication_marker import MetricsMarker
from include.drift_alerts.metric_data import day_metrics, metric_requests, metric_time, metrics_fingerprint
from include.settings.s3_layout import metrics_marker_uri

_WHAT = "the marker of the metrics"

log = logging.getLogger(__name__)


def publish_day_metrics(
    plan_mapping: Mapping[str, Any],
    day_mapping: Mapping[str, Any],
    *,
    s3: S3Hook,
    cloudwatch: Any,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Publish the day's figures; arguments are the XCom mappings of plan and day, a hook and a client.

    Returns `published`, the number of figures that this run published in this try or an earlier one, and
    `reason`. Raises AirflowException where a retry helps, AirflowFailException where a person has to act.
    """
    plan = read_contract(MonitoringPlan.from_mapping, plan_mapping, "the plan")
    day = read_contract(MonitoringDay.from_mapping, day_mapping, "the day's record")
    if not plan.parameters.publish_metrics:
        return {"published": 0, "reason": "publish_metrics is off"}
    metrics = day_metrics(day, read_report(day, s3=s3))
    marker = _claim(plan, metrics_fingerprint(metrics), s3=s3)
    if marker.is_complete and marker.requests:
        is_ours = marker.run_id == plan.run_id
        reason = f"the same figures were published by run {marker.run_id} at {marker.written_at}"
        return {"published": len(metrics) if is_ours else 0, "reason": reason}
    timestamp = metric_time(day.date, now or datetime.now(UTC), marker.revision)
    if timestamp is None:
        reason = f"CloudWatch takes no figures of {day.date}: older than two weeks, or in the future"
        return {"published": 0, "reason": reason}
    namespace = plan.environment.metric_namespace
    requests = metric_requests(metrics, namespace=namespace, group=plan.model.group, timestamp=timestamp)
    _send(plan, replace(marker, requests=len(requests)), requests, s3=s3, cloudwatch=cloudwatch)
    reason = f"in {namespace}, filed under {timestamp:%Y-%m-%d %H:%M} UTC"
    log.info("Published %d figures %s.", len(metrics), reason)
    return {"published": len(metrics), "reason": reason}


def _claim(plan: MonitoringPlan, fingerprint: str, *, s3: S3Hook) -> MetricsMarker:
    """Return the marker to go on from; one without requests has yet to begin."""
    uri = metrics_marker_uri(plan.monitoring_prefix, plan.batch_date)
    fresh = MetricsMarker(fingerprint, 0, 0, 0, plan.run_id, now_text())
    known = read_marker(s3, uri, MetricsMarker.from_mapping, what=_WHAT)
    if known is None:
        return fresh
    if known.fingerprint == fingerprint:
        return known
    return replace(fresh, revision=known.revision + 1)


def _send(
    plan: MonitoringPlan,
    marker: MetricsMarker,
    requests: list[dict[str, Any]],
    *,
    s3: S3Hook,
    cloudwatch: Any,
) -> None:
    uri = metrics_marker_uri(plan.monitoring_prefix, plan.batch_date)
    for number, request in enumerate(requests[marker.requests_sent :], marker.requests_sent + 1):
        try:
            cloudwatch.put_metric_data(**request)
        except Exception as error:
            permission = f"cloudwatch:PutMetricData for the namespace {request['Namespace']}"
            raise refused(error, "the day's metrics", permission=permission, remedies={}) from error
        marker = replace(marker, requests_sent=number, run_id=plan.run_id, written_at=now_text())
        write_json(s3, uri, marker.to_mapping(), what=_WHAT)
