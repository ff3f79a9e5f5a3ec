"""The body of `publish_alert`: keep what people have to be told, then send whatever has not been sent.

A day's messages are decided against what people were told last and kept in the group's ledger
(`alert_ledger`) before SNS is asked. Then everything unsent is sent in order, that of earlier days first: an
outage, a kill or a denied topic delays a message and never loses one, because the next run sends it.

SNS cannot be asked whether it has a message. A kill in the instant between its answer and the proof, which
nothing but one write to S3 separates, can therefore repeat one (docs/decisions/0008): text and attributes
carry its `alert_id`, by which consumers drop the second, as a FIFO topic does within five minutes.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks.alert_ledger import AlertLedger
from include.airflow_tasks.day_history import is_delivery_followed, is_judgement_followed
from include.airflow_tasks.published_documents import read_contract, read_report, refused
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.told_alert import SentAlert, ToldAlert
from include.drift_alerts.due_transitions import NONE, due_transition
from include.drift_alerts.sns_message import (
    AlertMessage,
    about_batches,
    about_drift,
    batch_message,
    batch_standing,
    drift_message,
    drift_standing,
    publish_request,
    superseded_message,
)

_REMEDIES = {
    "NotFound": "create the topic, or correct CHURN_ALERT_TOPIC_ARN",
    "NotFoundException": "create the topic, or correct CHURN_ALERT_TOPIC_ARN",
}
_MOST_WRITERS_AT_ONCE = 10

log = logging.getLogger(__name__)


def publish_day_alert(
    plan_mapping: Mapping[str, Any],
    day_mapping: Mapping[str, Any],
    *,
    s3: S3Hook,
    sns: Any,
    run_url: str | None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Send what the day calls for; arguments are the XCom mappings of plan and day, a hook and a client.

    Returns `published`, `reason` and `transition` of the day's weightiest message, the `message_id` of all
    that this run sent about the day (with commas between), and `messages` with the same of each; `others`
    names what it sent besides: messages that nobody could send before, and the end of a superseded version's
    alert. `published` is True when this
    run sent it, in this try or an earlier one. Raises AirflowException where a retry helps,
    AirflowFailException in one line where a person has to act.
    """
    plan = read_contract(MonitoringPlan.from_mapping, plan_mapping, "the plan")
    day = read_contract(MonitoringDay.from_mapping, day_mapping, "the day's record")
    if not plan.parameters.publish_alerts:
        return _result(False, "publish_alerts is off")
    report = read_report(day, s3=s3)
    ledger = _keep_due_messages(plan, day, report, run_url, s3=s3, now=now or datetime.now(UTC))
    sent = _send_unsent(plan, ledger, sns)
    others = [alert.alert_id for alert in sent if alert.date != day.date or not _concerns(alert, plan)]
    known = [(alert, proof) for alert, proof in ledger.proofs_of_day(day.date) if _concerns(alert, plan)]
    if not known:
        return {**_result(False, _why_nothing(plan, day, ledger)), "others": others}
    results = [_told(plan, alert, proof) for alert, proof in known]
    # Drift comes last and weighs more than its batch's delivery; what was sent weighs more than what was not.
    weightiest = max(reversed(results), key=lambda result: result["published"])
    ids = [result["message_id"] for result in results if result["published"]]
    return {
        **weightiest,
        "message_id": ", ".join(ids) or weightiest["message_id"],
        "messages": results,
        "others": others,
    }


def _keep_due_messages(
    plan: MonitoringPlan,
    day: MonitoringDay,
    report: DriftReportSummary | None,
    run_url: str | None,
    *,
    s3: S3Hook,
    now: datetime,
) -> AlertLedger:
    """Return the ledger with everything in it that the day calls for."""
    for _ in range(_MOST_WRITERS_AT_ONCE):
        ledger = AlertLedger(plan, s3=s3, now=now)
        added = (
            ledger.add(message, is_trial=is_trial)
            for message, is_trial in _due_messages(plan, day, report, run_url, ledger, s3=s3)
        )
        if all(added):
            return ledger
    raise AirflowException("other runs tell about the same day faster than this one can; try again")


def _due_messages(
    plan: MonitoringPlan,
    day: MonitoringDay,
    report: DriftReportSummary | None,
    run_url: str | None,
    ledger: AlertLedger,
    *,
    s3: S3Hook,
) -> Iterator[tuple[AlertMessage, bool]]:
    """Yield what people have to be told, and whether it is of a trial; each sees those before it kept."""
    if (told := _superseded(plan, ledger)) is not None:
        yield superseded_message(plan, told, run_url), told.is_trial
    about = about_batches(plan)
    delivery = batch_standing(day)
    is_followed = not delivery.is_open and is_delivery_followed(plan, s3=s3)
    transition = due_transition(delivery, *ledger.around(about, day.date), is_followed=is_followed)
    if transition != NONE:
        repeated = _count(ledger, day.date, about, transition)
        yield batch_message(plan, day, transition, run_url, repeated=repeated), plan.is_trial
    standing = drift_standing(day)
    if standing is not None and report is not None:
        about = about_drift(plan)
        is_followed = is_judgement_followed(plan, s3=s3)
        transition = due_transition(standing, *ledger.around(about, day.date), is_followed=is_followed)
        if transition != NONE:
            repeated = _count(ledger, day.date, about, transition)
            message = drift_message(plan, day, report, transition, run_url, repeated=repeated)
            yield message, plan.is_trial


def _superseded(plan: MonitoringPlan, ledger: AlertLedger) -> ToldAlert | None:
    """Return the open drift alert of the version that was in charge before this one, if it left one.

    A trial follows nobody, and neither does a run of days gone by: what people were told after its time is
    not for it to close.
    """
    if plan.is_trial:
        return None
    for told in ledger.newest_first():
        if told.is_trial or told.kind == "batch" or told.about == plan.model.name:
            continue
        is_earlier = datetime.fromisoformat(told.written_at) < datetime.fromisoformat(plan.run_after)
        return told if told.is_open and is_earlier else None
    return None


def _count(ledger: AlertLedger, date: str, about: str, transition: str) -> int:
    return sum(alert.about == about and alert.transition == transition for alert in ledger.of_day(date))


def _send_unsent(plan: MonitoringPlan, ledger: AlertLedger, sns: Any) -> list[ToldAlert]:
    """Send in order what SNS has not taken yet; a message that it refuses for good holds up no other."""
    sent: list[ToldAlert] = []
    refusal: AirflowFailException | None = None
    for name, alert in ledger.claim_unsent():
        try:
            message_id = _send(plan, alert, sns)
        except AirflowFailException as final:
            ledger.release(name, alert)
            refusal = refusal or final
        except AirflowException:
            ledger.release(name, alert)
            raise
        else:
            ledger.mark_sent(name, alert, message_id)
            log.info("Sent %s as %s.", alert.alert_id, message_id)
            sent.append(alert)
    if refusal is not None:
        raise refusal
    return sent


def _send(plan: MonitoringPlan, alert: ToldAlert, sns: Any) -> str:
    topic = plan.environment.alert_topic_arn
    try:
        return str(sns.publish(**publish_request(alert, topic))["MessageId"])
    except Exception as error:
        permission = f"sns:Publish on {topic} (and its key, when it is encrypted) to the environment's role"
        raise refused(error, f"the alert to {topic}", permission=permission, remedies=_REMEDIES) from error


def _concerns(alert: ToldAlert, plan: MonitoringPlan) -> bool:
    return alert.about in {about_batches(plan), about_drift(plan)}


def _why_nothing(plan: MonitoringPlan, day: MonitoringDay, ledger: AlertLedger) -> str:
    """Say that nothing changed, or by which message people know of what the day stands for."""
    standing = drift_standing(day)
    if standing is not None and standing.is_open:
        told, following = ledger.around(about_drift(plan), day.date)
        known = following if told is None or not told.is_open else told
        if known is not None:
            return f"people know of it from {known.alert_id}: {day.sentence}"
    return f"nothing changed that calls for a message: {day.sentence}"


def _told(plan: MonitoringPlan, alert: ToldAlert, proof: SentAlert) -> dict[str, Any]:
    is_ours = proof.run_id == plan.run_id
    when = "by this run" if is_ours else f"by run {proof.run_id}"
    reason = f"{alert.alert_id} was sent {when} at {proof.sent_at}: {alert.subject}"
    return _result(is_ours, reason, proof.message_id, alert)


def _result(
    published: bool, reason: str, message_id: str | None = None, alert: ToldAlert | None = None
) -> dict[str, Any]:
    return {
        "published": published,
        "reason": reason,
        "message_id": message_id,
        "transition": alert.transition if alert else NONE,
        "kind": alert.kind if alert else None,
    }
