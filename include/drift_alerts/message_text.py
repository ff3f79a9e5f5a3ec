"""The text of a message: verdict, what changed, since when, how sure, what to do next, where to look."""

from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.told_alert import ToldAlert
from include.drift_alerts.change_words import LONGEST_NAME, change_lines
from include.drift_alerts.plain_text import console_link, figure, listed, one_line, share

# What a phone shows without tiring its reader. Addresses come on top: they cannot be shortened.
MOST_CHARACTERS = 1_500
_LONGEST_SENTENCE = 400
_LONGEST_ADDRESS = 2_000
_MOST_LINES = 8


def drift_text(
    plan: MonitoringPlan,
    day: MonitoringDay,
    report: DriftReportSummary,
    alert: DriftAlert,
    headline: str,
    alert_id: str,
    run_url: str | None,
) -> str:
    """Return the text about drift or a data break: new, worse or over."""
    trained_on = f"the {report.reference_rows:,} that {_model(plan)} was trained on"
    before = [f"{headline}.", f"Batch of {day.date}: {report.current_rows:,} rows, against {trained_on}."]
    after = _certainty(alert, report)
    if report.predictions is not None and None not in (
        rates := (report.predictions.reference_rate, report.predictions.current_rate)
    ):
        after.append(f"Predicted churn rate: {share(rates[0] or 0.0)} -> {share(rates[1] or 0.0)}.")
    after += ["", _next_step(plan, day, alert), "", *_addresses(plan, day, run_url, alert_id)]
    return _fitted(before, _lines(report, alert), after)


def batch_text(
    plan: MonitoringPlan, day: MonitoringDay, headline: str, alert_id: str, run_url: str | None
) -> str:
    """Return the text about a batch that has not come, is an old one, or has come again."""
    said = _sentence(day.batch_alert.sentence)
    lines = [f"{headline}.", f"{said[:1].upper()}{said[1:]}.", f"Looked for: {_address(day.batch_uri)}"]
    if day.batch_status == "missing":
        lines.append(f"Waited until: {plan.deadline}.")
    if day.batch_age_hours is not None:
        lines.append(f"Age of its newest file: {figure(day.batch_age_hours)} hours.")
    if day.batch_alert.transition == "cleared":
        lines.append(_sentence(day.sentence))
        following = "Next: nothing, unless the days in between matter; then deliver them and run those days."
    else:
        following = (
            f"Next: look at the feed. When the batch is there, run churn_drift_monitoring with "
            f'{{"batch_date": "{day.date}"}}. Until then {_model(plan)} is not watched, and no further '
            "message comes."
        )
    return "\n".join([*lines, "", following, "", *_addresses(plan, day, run_url, alert_id)])


def superseded_text(
    plan: MonitoringPlan, told: ToldAlert, headline: str, alert_id: str, run_url: str | None
) -> str:
    """Return the text that ends the alert of a model version which another one has followed."""
    named = listed(told.columns, _MOST_LINES, LONGEST_NAME)
    lines = [
        f"{headline}.",
        f"Model {told.about} is no longer in charge; model {plan.model.name} is.",
        f"Closed: the alert of {told.date}{f' about {named}' if named else ''}, told as {told.alert_id}.",
        f"Drift against model {plan.model.name} is told by itself, from the batch of {plan.batch_date} on.",
        "",
        "Next: nothing has to be done.",
        "",
    ]
    run = [f"Run: {_address(run_url)}"] if run_url else []
    return "\n".join([*lines, *run, f"Alert: {alert_id}"])


def _lines(report: DriftReportSummary, alert: DriftAlert) -> list[str]:
    if alert.transition == "cleared":
        return []
    return change_lines(report, alert) or [_sentence(alert.sentence)]


def _certainty(alert: DriftAlert, report: DriftReportSummary) -> list[str]:
    """Return since when, and how sure that is."""
    lines = []
    if alert.transition == "cleared":
        lines.append(_sentence(alert.sentence))
    elif alert.since is not None:
        lines.append(f"Since: {alert.since}.")
    budget = report.rule.get("yearly_false_alerts")
    if alert.status == "drift" and alert.changes:
        least = min(change.p_value for change in alert.changes)
        chance = "p below 1e-300" if least < 1e-300 else f"p = {least:.1g}"
        rate = f"; {figure(float(budget))} false alerts a year are expected" if budget is not None else ""
        lines.append(f"How sure: {chance} for the strongest change{rate}.")
    elif alert.status == "data_break" and alert.transition != "cleared":
        lines.append("How sure: each reason has p < 1e-6, or needs no test.")
    return lines


def _next_step(plan: MonitoringPlan, day: MonitoringDay, alert: DriftAlert) -> str:
    if alert.transition == "cleared" and alert.status == "drift":
        return "Next: the feed needs nothing more; what was told of the drift still holds."
    if alert.transition == "cleared":
        return "Next: nothing has to be done."
    if alert.status == "data_break":
        return (
            "Next: have the feed mended and do not retrain on this batch. Then run churn_drift_monitoring "
            f'again with {{"batch_date": "{day.date}"}}.'
        )
    wanted = (
        "A retraining is asked for, within its cooldown and budget."
        if plan.parameters.retrain_on_drift
        else "If the customers have changed, retrain: run churn_retraining."
    )
    return f"Next: open the report and ask whether customers or the feed have changed. {wanted}"


def _addresses(plan: MonitoringPlan, day: MonitoringDay, run_url: str | None, alert_id: str) -> list[str]:
    lines = []
    if day.report_html_uri is not None:
        lines.append(f"Report: {_address(console_link(day.report_html_uri, plan.environment.region))}")
        lines.append(_address(day.report_html_uri))
    if run_url:
        lines.append(f"Run: {_address(run_url)}")
    if plan.data_origin == "synthetic":
        lines.append("The model was trained on SYNTHETIC customers.")
    return [*lines, f"Alert: {alert_id}"]


def _fitted(before: list[str], changes: list[str], after: list[str]) -> str:
    """Return all in one text with as many changes as there is room for."""
    rest = [line for line in after if not line.startswith(("Report: ", "s3://", "Run: "))]
    room = (
        MOST_CHARACTERS
        - sum(len(line) + 1 for line in [*before, *rest])
        - len("\nand 99,999 more in the report")
    )
    shown: list[str] = []
    for line in changes[:_MOST_LINES]:
        room -= len(line) + 3
        if room < 0:
            break
        shown.append(f"- {line}")
    hidden = len(changes) - len(shown)
    more = [f"and {hidden:,} more in the report"] if hidden else []
    return "\n".join([*before, *([""] if changes else []), *shown, *more, "", *after])


def _model(plan: MonitoringPlan) -> str:
    return f"model {plan.model.name}" + ("" if plan.model.is_approved else " (a trial: it is not approved)")


def _sentence(text: str) -> str:
    return one_line(text, _LONGEST_SENTENCE)


def _address(text: str) -> str:
    return one_line(text, _LONGEST_ADDRESS)
