"""A day's messages to people: subject, text and attributes, within what SNS takes and a phone shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.told_alert import ToldAlert
from include.drift_alerts.due_transitions import Standing
from include.drift_alerts.message_text import batch_text, drift_text, superseded_text
from include.drift_alerts.plain_text import ascii_line, listed

# SNS: fewer than 100 characters of ASCII.
LONGEST_SUBJECT = 99
# SNS counts the text together with the attributes; a message of ours is a hundredth of it.
MOST_MESSAGE_BYTES = 262_144
BATCH = "batch"
_MOST_NAMES, _LONGEST_NAME = 2, 24


@dataclass(frozen=True)
class AlertMessage:
    """One message, ready to be kept and sent. `alert_id` names it to people, consumers and FIFO topics.

    `about` and `columns` say what people know after it; `attributes` are texts that subscriptions filter by.
    """

    about: str
    date: str
    kind: str
    transition: str
    since: str | None
    columns: tuple[str, ...]
    alert_id: str
    subject: str
    text: str
    attributes: Mapping[str, str]


def publish_request(alert: AlertMessage | ToldAlert, topic_arn: str) -> dict[str, Any]:
    """Return the Publish request; a FIFO topic drops a second one of the same id within five minutes."""
    request: dict[str, Any] = {
        "TopicArn": topic_arn,
        "Subject": alert.subject,
        "Message": alert.text,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items()
        },
    }
    if topic_arn.endswith(".fifo"):
        # Messages about one model group arrive in order.
        request["MessageGroupId"] = alert.attributes["model_package_group"]
        request["MessageDeduplicationId"] = alert.alert_id
    return request


def about_batches(plan: MonitoringPlan) -> str:
    """Return what messages about deliveries are about: the group's, or a trial's own."""
    return f"{plan.model.name} batches" if plan.is_trial else f"{plan.model.group} batches"


def about_drift(plan: MonitoringPlan) -> str:
    """Return what messages about drift are about: one model version."""
    return plan.model.name


def batch_standing(day: MonitoringDay) -> Standing:
    """Return where the delivery of batches stands after the day."""
    return Standing(day.date, BATCH, day.is_outage, job_says=day.batch_alert.transition)


def drift_standing(day: MonitoringDay) -> Standing | None:
    """Return where drift stands after the day, None for a day whose batch was not judged."""
    if day.alert is None:
        return None
    alert = DriftAlert.from_mapping(day.alert, "the day's alert")
    return Standing(day.date, alert_kind(alert), alert.status != "quiet", alert.columns, alert.transition)


def batch_message(
    plan: MonitoringPlan, day: MonitoringDay, transition: str, run_url: str | None, *, repeated: int = 0
) -> AlertMessage:
    """Return the message that batches have stopped coming (new) or come again (cleared).

    `repeated` counts the day's earlier messages of the same name: another one has a name of its own.
    """
    told = replace(day, batch_alert=replace(day.batch_alert, transition=transition))
    about = about_batches(plan)
    alert_id = _alert_id(about.replace(" ", "/"), day.date, BATCH, transition, repeated)
    headline = _batch_headline(told)
    text = batch_text(plan, told, headline, alert_id, run_url)
    since = day.batch_alert.since
    return _message(plan, day, about, BATCH, transition, since, (), alert_id, headline, text)


def drift_message(
    plan: MonitoringPlan,
    day: MonitoringDay,
    report: DriftReportSummary,
    transition: str,
    run_url: str | None,
    *,
    repeated: int = 0,
) -> AlertMessage:
    """Return the message about drift or a data break; `repeated` as for `batch_message`."""
    alert = replace(DriftAlert.from_mapping(day.alert, "the day's alert"), transition=transition)
    kind = alert_kind(alert)
    alert_id = _alert_id(plan.model.name, day.date, kind, transition, repeated)
    headline = _drift_headline(alert, report)
    text = drift_text(plan, day, report, alert, headline, alert_id, run_url)
    return _message(
        plan, day, about_drift(plan), kind, transition, alert.since, alert.columns, alert_id, headline, text
    )


def superseded_message(plan: MonitoringPlan, told: ToldAlert, run_url: str | None) -> AlertMessage:
    """Return the message that ends the open alert of a version that is no longer in charge."""
    date = max(told.date, plan.batch_date)
    alert_id = _alert_id(told.about, date, "drift", "superseded", 0)
    headline = f"DRIFT CLEARED: superseded by version {plan.model.version}"
    attributes = {
        **told.attributes,
        "kind": "drift",
        "transition": "cleared",
        "batch_date": date,
        "alert_id": alert_id,
    }
    return AlertMessage(
        about=told.about,
        date=date,
        kind="drift",
        transition="cleared",
        since=told.since,
        columns=(),
        alert_id=alert_id,
        subject=_subject(headline, f"; {told.about}, {date}"),
        text=superseded_text(plan, told, headline, alert_id, run_url),
        attributes=attributes,
    )


def alert_kind(alert: DriftAlert) -> str:
    """Return what an alert is about; one that is over is told alike, whatever it was about."""
    return "drift" if alert.status == "quiet" else alert.status


def _message(
    plan: MonitoringPlan,
    day: MonitoringDay,
    about: str,
    kind: str,
    transition: str,
    since: str | None,
    columns: tuple[str, ...],
    alert_id: str,
    headline: str,
    text: str,
) -> AlertMessage:
    trial = "" if plan.model.is_approved else " (trial)"
    return AlertMessage(
        about=about,
        date=day.date,
        kind=kind,
        transition=transition,
        since=since,
        columns=columns,
        alert_id=alert_id,
        subject=_subject(headline, f"; {plan.model.name}{trial}, {day.date}"),
        text=text,
        attributes={
            "kind": kind,
            "transition": transition,
            "verdict": day.verdict or day.batch_status,
            "model_package_group": plan.model.group,
            "model_version": plan.model.version,
            "data_origin": plan.data_origin,
            "batch_date": day.date,
            "alert_id": alert_id,
        },
    )


def _subject(headline: str, place: str) -> str:
    return ascii_line(headline, LONGEST_SUBJECT - len(place)) + place


def _alert_id(about: str, date: str, kind: str, transition: str, repeated: int) -> str:
    again = f"-{repeated + 1}" if repeated else ""
    return f"{about}/{date}/{kind}-{transition}{again}"


def _batch_headline(day: MonitoringDay) -> str:
    if day.batch_alert.transition == "cleared":
        return "BATCH CLEARED: batches come again"
    return f"BATCH {day.batch_status.upper()} ({day.batch_alert.transition})"


def _drift_headline(alert: DriftAlert, report: DriftReportSummary) -> str:
    if alert.transition == "cleared":
        if alert.status == "drift":
            open_columns = listed(alert.headline_columns, _MOST_NAMES, _LONGEST_NAME)
            return f"DATA BREAK CLEARED: drift still open: {open_columns}"
        return "DRIFT CLEARED: as before"
    if alert.status == "data_break":
        broken = [feature.name for feature in report.features if feature.verdict == "data_break"]
        nothing_named = "see below" if report.current_rows else "the batch cannot be read"
        said = listed(broken, _MOST_NAMES, _LONGEST_NAME) or nothing_named
        return f"DATA BREAK ({alert.transition}): {said}; do not retrain"
    said = listed(alert.headline_columns, _MOST_NAMES, _LONGEST_NAME) or "the data"
    return f"DRIFT ({alert.transition}): {said}"
