"""What changed, in words: one short line per column, before and after in the column's own terms."""

from collections.abc import Mapping
from typing import Any

from include.data_contracts.drift_alert import MODEL_PERFORMANCE, MODEL_SCORE, AlertChange, DriftAlert
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.drift_report_parts import FeatureSummary
from include.drift_alerts.plain_text import figure, one_line, share

LONGEST_NAME = 40
_LONGEST_LINE = 240

# Statistic of the rule over days → the setting that holds its floor, what it is, and how its size reads.
_SHIFT, _SHARE, _NUMBER = "{:.2f} sd", "{:.1%}", "{:.2f}"
_STATISTICS: Mapping[str, tuple[str, str, str]] = {
    "location": ("floor_location", "moved by", _SHIFT),
    "spread": ("floor_spread", "spread changed by", _NUMBER),
    "groups": ("floor_total_variation", "share of rows that moved", _SHARE),
    "narrow groups": ("floor_total_variation", "share of rows moved to neighbouring values", _SHARE),
    "one value": ("floor_share", "share of one value or a narrow range changed by", _SHARE),
    "lower tail": ("floor_share", "share of low extremes changed by", _SHARE),
    "upper tail": ("floor_share", "share of high extremes changed by", _SHARE),
    "unseen": ("floor_share", "share of unseen values up by", _SHARE),
    "missing": ("floor_missing", "share of missing values changed by", _SHARE),
    "correlation": ("floor_correlation", "correlation changed by", _NUMBER),
}


def change_lines(report: DriftReportSummary, alert: DriftAlert) -> list[str]:
    """Return one line per changed column, strongest first; what the alert names comes before the rest."""
    if alert.status == "data_break":
        broken = [feature for feature in report.features if feature.verdict == "data_break"]
        lines = [_break_line(feature) for feature in broken]
        gone = [name for name in report.batch.columns_missing if report.feature(name) is None]
        return lines + [f"{_name(name)}: not in the batch" for name in gone]
    strongest: dict[str, AlertChange | None] = {}
    for change in alert.changes:
        strongest.setdefault(change.column, change)
    for column in alert.columns:
        strongest.setdefault(column, None)
    features = {feature.name: feature for feature in report.features}
    return [_line(column, change, features.get(column), report) for column, change in strongest.items()]


def _line(
    column: str, change: AlertChange | None, feature: FeatureSummary | None, report: DriftReportSummary
) -> str:
    if feature is None:
        parts = _of_the_model(column, report)
    else:
        parts = [moved] if (moved := _before_and_after(feature)) else []
    if change is not None and not (parts and feature is None):
        parts.append(_size(change, report.rule))
    if not parts:
        parts.append("changed earlier, and is not back yet")
    return one_line(f"{_name(column)}: {'; '.join(parts)}", _LONGEST_LINE)


def _before_and_after(feature: FeatureSummary) -> str:
    """Return what a person knows of the column on both sides; empty where the report has no such figure."""
    before, after = feature.reference_missing_share, feature.current_missing_share
    if before is not None and after is not None and abs(after - before) >= 0.01:
        return f"missing {share(before)} -> {share(after)}"
    for name in ("mean", "median"):
        before, after = (feature.summary.get(f"{side}_{name}") for side in ("reference", "current"))
        if before is not None and after is not None:
            return f"{name} {figure(before)} -> {figure(after)}"
    if feature.unseen_levels:
        level, rows = feature.unseen_levels[0]
        return f"new level {one_line(level, LONGEST_NAME)} in {rows:,} rows"
    test = feature.leading_test
    return one_line(test.direction, 2 * LONGEST_NAME) if test is not None else ""


def _size(change: AlertChange, rule: Mapping[str, Any]) -> str:
    """Return effect and floor, and over how many days the effect was measured."""
    over = f" over {change.days} days" if change.days > 1 else ""
    if change.statistic not in _STATISTICS:
        return f"{one_line(change.statistic, LONGEST_NAME)} changed by {figure(change.effect)}{over}"
    setting, verb, template = _STATISTICS[change.statistic]
    floor = rule.get(setting)
    least = f" (counts from {template.format(floor)})" if isinstance(floor, int | float) else ""
    return f"{verb} {template.format(change.effect)}{over}{least}"


def _of_the_model(column: str, report: DriftReportSummary) -> list[str]:
    """Return the sentence about scores or performance, which are no columns of the data."""
    if column == MODEL_SCORE and report.predictions is not None:
        return [report.predictions.sentence]
    if column == MODEL_PERFORMANCE and report.performance is not None:
        return [report.performance.sentence]
    return []


def _break_line(feature: FeatureSummary) -> str:
    others = len(feature.reasons) - 1
    more = f" (and {others} more reason{'s' if others > 1 else ''})" if others > 0 else ""
    reason = feature.reasons[0] if feature.reasons else feature.sentence
    return one_line(f"{_name(feature.name)}: {reason}{more}", _LONGEST_LINE)


def _name(name: str) -> str:
    return one_line(name, LONGEST_NAME) or "(unnamed)"
