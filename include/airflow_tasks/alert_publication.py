"""The body of `publish_alert`: a day's messages, each sent once.

A marker in S3 is written `pending` before SNS is asked and `sent` afterwards. A retry, a re-run or a backfill
that finds `sent` sends nothing; one that finds `pending` sends, because whoever wrote it may have died
before SNS heard of it. So an outage or a kill never loses a message. A kill in the instant between SNS's
answer and the second marker can repeat one: the message carries the alert's id, by which people see it is the
same, and a FIFO topic drops the second one within five minutes.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from include.airflow_tasks.published_documents import (
    create_json,
    now_text,
    read_contract,
    read_marker,
    read_report,
    refused,
)
from include.airflow_tasks.s3_documents import write_json
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.publication_marker import PENDING, SENT, AlertMarker
from include.drift_alerts.sns_message import AlertMessage, due_messages
from include.settings.s3_layout import alert_marker_uri

_WHAT = "the marker of the alert"
_REMEDIES = {
    "NotFound": "create the topic, or correct CHURN_ALERT_TOPIC_ARN",
    "NotFoundException": "create the topic, or correct CHURN_ALERT_TOPIC_ARN",
}

log = logging.getLogger(__name__)


def publish_day_alert(
    plan_mapping: Mapping[str, Any],
    day_mapping: Mapping[str, Any],
    *,
    s3: S3Hook,
    sns: Any,
    run_url: str | None,
) -> dict[str, Any]:
    """Send what the day calls for; arguments are the XCom mappings of plan and day, a hook and a client.

    Returns `published`, `reason` and `transition` of the weightiest message, the `message_id` of all that
    were sent (with commas between), and `messages` with the same of each. `published` is True when this run
    sent it, in this try or an earlier one. Raises AirflowException where a retry helps, AirflowFailException
    in one line where a person has to act.
    """
    plan = read_contract(MonitoringPlan.from_mapping, plan_mapping, "the plan")
    day = read_contract(MonitoringDay.from_mapping, day_mapping, "the day's record")
    messages = due_messages(plan, day, read_report(day, s3=s3), run_url)
    if not messages:
        return _result(False, f"nothing changed that calls for a message: {day.sentence}")
    if not plan.parameters.publish_alerts:
        return _result(False, "publish_alerts is off", transition=messages[-1].transition)
    results = [_send_once(plan, message, s3=s3, sns=sns) for message in messages]
    # Drift comes last and weighs more than its batch's delivery; what was sent weighs more than what was not.
    weightiest = max(reversed(results), key=lambda result: result["published"])
    sent = [result["message_id"] for result in results if result["published"]]
    return {**weightiest, "message_id": ", ".join(sent) or weightiest["message_id"], "messages": results}


def _send_once(plan: MonitoringPlan, message: AlertMessage, *, s3: S3Hook, sns: Any) -> dict[str, Any]:
    uri = alert_marker_uri(plan.monitoring_prefix, plan.batch_date, message.kind, message.transition)
    pending = AlertMarker(message.alert_id, PENDING, plan.run_id, now_text())
    if not create_json(s3, uri, pending.to_mapping(), what=_WHAT):
        known = read_marker(s3, uri, AlertMarker.from_mapping, what=_WHAT)
        if known is not None and known.is_sent:
            return _known(plan, message, known)
        log.warning("An earlier try may have died before it sent %s; it is sent now.", message.alert_id)
    topic = plan.environment.alert_topic_arn
    try:
        message_id = str(sns.publish(**message.request(topic))["MessageId"])
    except Exception as error:
        permission = f"sns:Publish on {topic} (and its key, when it is encrypted) to the environment's role"
        raise refused(error, f"the alert to {topic}", permission=permission, remedies=_REMEDIES) from error
    log.info("Sent %s as %s.", message.alert_id, message_id)
    sent = replace(pending, state=SENT, message_id=message_id, written_at=now_text())
    write_json(s3, uri, sent.to_mapping(), what=_WHAT)
    return _result(True, message.subject, message_id, message)


def _known(plan: MonitoringPlan, message: AlertMessage, known: AlertMarker) -> dict[str, Any]:
    is_ours = known.run_id == plan.run_id
    when = "by an earlier try of this run" if is_ours else f"by run {known.run_id}"
    reason = f"{message.alert_id} was sent {when} at {known.written_at}"
    log.info("%s.", reason)
    return _result(is_ours, reason, known.message_id, message)


def _result(
    published: bool,
    reason: str,
    message_id: str | None = None,
    message: AlertMessage | None = None,
    *,
    transition: str = "none",
) -> dict[str, Any]:
    return {
        "published": published,
        "reason": reason,
        "message_id": message_id,
        "transition": message.transition if message else transition,
        "kind": message.kind if message else None,
    }
