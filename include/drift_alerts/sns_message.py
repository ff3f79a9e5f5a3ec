"""A day's messages to people: subject, text and attributes, within what SNS takes and a phone shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.drift_alerts.message_text import batch_text, drift_text
from include.drift_alerts.plain_text import ascii_line, listed

# SNS: fewer than 100 characters of ASCII.
LONGEST_SUBJECT = 99
# SNS counts the text together with the attributes; a message of ours is a hundredth of it.
MOST_MESSAGE_BYTES = 262_144
BATCH = "batch"
_MOST_NAMES, _LONGEST_NAME = 2, 24


@dataclass(frozen=True)
class AlertMessage:
    """One message. `kind` and `transition` name its marker, `alert_id` names it to people and to FIFO topics.

    `attributes` are texts that subscriptions filter by.
    """

    kind: str
    transition: str
    alert_id: str
    subject: str
    text: str
    attributes: Mapping[str, str]

    def request(self, topic_arn: str) -> dict[str, Any]:
        """Return the Publish request; a FIFO topic drops a second one of the same id within five minutes."""
        request: dict[str, Any] = {
            "TopicArn": topic_arn,
            "Subject": self.subject,
            "Message": self.text,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in self.attributes.items()
            },
        }
        if topic_arn.endswith(".fifo"):
            # Messages about one model group arrive in order.
            request["MessageGroupId"] = self.attributes["model_package_group"]
            request["MessageDeduplicationId"] = self.alert_id
        return request


def due_messages(
    plan: MonitoringPlan, day: MonitoringDay, report: DriftReportSummary | None, run_url: str | None
) -> tuple[AlertMessage, ...]:
    """Return the messages that the day calls for: about its batch, about drift, both or, mostly, none.

    `report` must be given for a day whose batch was judged.
    """
    messages = []
    if day.batch_alert.transition != "none":
        headline = _batch_headline(day)
        text = batch_text(plan, day, headline, _alert_id(plan, BATCH, day.batch_alert.transition), run_url)
        messages.append(_message(plan, day, BATCH, day.batch_alert.transition, headline, text))
    if day.alert is not None and report is not None:
        alert = DriftAlert.from_mapping(day.alert, "the day's alert")
        if alert.is_due:
            kind = alert_kind(alert)
            headline = _drift_headline(alert, report)
            text = drift_text(
                plan, day, report, alert, headline, _alert_id(plan, kind, alert.transition), run_url
            )
            messages.append(_message(plan, day, kind, alert.transition, headline, text))
    return tuple(messages)


def alert_kind(alert: DriftAlert) -> str:
    """Return what an alert is about; one that is over is told alike, whatever it was about."""
    return "drift" if alert.status == "quiet" else alert.status


def _message(
    plan: MonitoringPlan, day: MonitoringDay, kind: str, transition: str, headline: str, text: str
) -> AlertMessage:
    trial = "" if plan.model.is_approved else " (trial)"
    place = f"; {plan.model.name}{trial}, {day.date}"
    return AlertMessage(
        kind=kind,
        transition=transition,
        alert_id=_alert_id(plan, kind, transition),
        subject=ascii_line(headline, LONGEST_SUBJECT - len(place)) + place,
        text=text,
        attributes={
            "kind": kind,
            "transition": transition,
            "verdict": day.verdict or day.batch_status,
            "model_package_group": plan.model.group,
            "model_version": plan.model.version,
            "data_origin": plan.data_origin,
            "batch_date": day.date,
        },
    )


def _alert_id(plan: MonitoringPlan, kind: str, transition: str) -> str:
    return f"{plan.model.name}/{plan.batch_date}/{kind}-{transition}"


def _batch_headline(day: MonitoringDay) -> str:
    if day.batch_alert.transition == "cleared":
        return "BATCH CLEARED: batches come again"
    return f"BATCH {day.batch_status.upper()} ({day.batch_alert.transition})"


def _drift_headline(alert: DriftAlert, report: DriftReportSummary) -> str:
    if alert.transition == "cleared":
        return "DRIFT CLEARED: as before"
    if alert.status == "data_break":
        broken = [feature.name for feature in report.features if feature.verdict == "data_break"]
        nothing_named = "see below" if report.current_rows else "the batch cannot be read"
        said = listed(broken, _MOST_NAMES, _LONGEST_NAME) or nothing_named
        return f"DATA BREAK ({alert.transition}): {said}; do not retrain"
    said = listed(alert.headline_columns, _MOST_NAMES, _LONGEST_NAME) or "the data"
    return f"DRIFT ({alert.transition}): {said}"
