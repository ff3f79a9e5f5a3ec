"""What the drift page says in words: the verdict, what changed and by how much, and what to do next."""

from collections.abc import Mapping
from typing import Any

from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Profile

VERDICT_TITLES: Mapping[str, tuple[str, str]] = {
    "no_drift": ("✓", "No drift"),
    "drift": ("▲", "Drift"),
    "data_break": ("✕", "Broken data"),
    "insufficient_data": ("…", "Too few rows to judge"),
}
_TRANSITIONS = {
    "new": "A new alert opened today.",
    "worse": "An open alert got worse today.",
    "cleared": "An alert was cleared today.",
    "none": "No message was due today.",
}
_STEPS: Mapping[str, tuple[str, ...]] = {
    "data_break": (
        "Do not retrain on this batch, and do not act on the scores made from it.",
        "Send the sentence above to whoever owns the feed: it names the columns and what is wrong.",
        (
            "When the batch was delivered anew, run churn_drift_monitoring for this date again: "
            "the day is replaced, never counted twice."
        ),
    ),
    "drift": (
        (
            "Ask the owner of the columns above whether something changed on purpose: "
            "a tariff, a campaign, a unit, a system."
        ),
        "Look at the model's scores below: if they moved, so did the answers people act on.",
        (
            "If the change is real and lasts, trigger churn_retraining on data that hold it, and say why in "
            "the parameter reason; retrain_on_drift does so by itself, with a cooldown and a monthly budget."
        ),
        "One changed day is no reason to retrain: wait for the alert over days.",
    ),
}
_TOO_FEW = (
    "Nothing can be said from {current:,} rows; {needed:,} are needed. Find out whether the batch is "
    "complete, or monitor several days as one batch."
)
_STILL_OPEN = (
    "This day agrees with the reference, but an alert is open since {since}; it clears after five days back "
    "at the baseline."
)


def describe_change(feature: Mapping[str, Any], reference: Profile, current: Profile | None) -> str:
    """Return how a column differs in its own terms: means, the level that moved most, missing values."""
    missing = feature["missing"] or {}
    before, now = missing.get("reference_missing_share", 0.0), missing.get("current_missing_share", 0.0)
    parts = []
    name = feature["name"]
    then = reference.counts.get(name)
    later = current.counts.get(name) if current is not None else None
    if isinstance(then, LevelCounts) and isinstance(later, LevelCounts):
        parts += _moved_level(then, later)
    elif isinstance(then, NumericCounts) and isinstance(later, NumericCounts):
        parts += _moved_mean(feature["summary"])
    if abs(now - before) >= 0.001:
        parts.append(f"missing {before:.1%} → {now:.1%}")
    unseen = sum(level["rows"] for level in feature["unseen_levels"])
    if unseen:
        parts.append(f"{unseen:,} rows of unseen levels")
    return ", ".join(parts)


def _moved_level(then: LevelCounts, later: LevelCounts) -> list[str]:
    if not then.values or not later.values:
        return []
    shares = {
        name: (then.levels.get(name, 0) / then.values, later.levels.get(name, 0) / later.values)
        for name in {*then.levels, *later.levels}
    }
    name = max(sorted(shares), key=lambda level: abs(shares[level][1] - shares[level][0]))
    before, now = shares[name]
    new = " (new)" if name not in then.levels else ""
    return [f"{name[:60]}{new} {before:.1%} → {now:.1%}"]


def _moved_mean(summary: Mapping[str, Any]) -> list[str]:
    before, now = summary.get("reference_mean"), summary.get("current_mean")
    if before is None or now is None:
        return []
    parts = [f"mean {figure(before)} → {figure(now)}"]
    ends = [
        summary.get(f"{side}_{end}") for side in ("reference", "current") for end in ("minimum", "maximum")
    ]
    if None not in ends and ends[:2] != ends[2:]:
        low, high, new_low, new_high = map(figure, ends)
        parts.append(f"range {low} to {high} → {new_low} to {new_high}")
    return parts


def figure(value: float) -> str:
    """Return a number as people write it: three digits that count, no exponent in between."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e7:
        return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.3g}"
    return f"{value:.2e}"


def probability(value: float | None) -> str:
    """Return a p-value; one too small for a float is a bound, never 0."""
    if value is None:
        return ""
    if value < 1e-300:
        return "< 1e-300"
    return f"{value:.2g}" if value < 0.001 else f"{value:.3f}"


def certainty_sentence(report: Mapping[str, Any]) -> str:
    """Return how sure the verdict is, and what the rule would get wrong without any drift."""
    rule = report["rule"]
    if report["verdict"] == "insufficient_data":
        rows = report["rows"]
        return f"{rows['current']:,} rows; {rows['needed']:,} are needed to see a shift that matters."
    features = [feature["adjusted_p_value"] for feature in report["features"]]
    smallest = min([value for value in features if value is not None], default=1.0)
    return (
        f"Smallest adjusted p-value {probability(smallest)}, threshold {rule['alpha']:g} over all columns"
        f" ({rule['correction']}). An effect below its floor never counts, however sure it is."
    )


def alert_sentence(alert: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """Return where alerting stands after this day."""
    transition = _TRANSITIONS.get(alert["transition"], "")
    budget = rule.get("yearly_false_alerts")
    sure = (
        "" if budget is None else f" Without drift the rule over days alerts about {budget:g} times a year."
    )
    if alert["status"] == "quiet":
        return f"{transition} Nothing is alerting. {alert['sentence']}.{sure}"
    return f"{transition} Alerting since {alert['since']}: {alert['sentence'].rstrip('.')}.{sure}"


def next_steps(report: Mapping[str, Any]) -> list[str]:
    """Return what a person does now, in order."""
    verdict, rows = report["verdict"], report["rows"]
    if verdict in _STEPS:
        return list(_STEPS[verdict])
    if verdict == "insufficient_data":
        return [_TOO_FEW.format(**rows)]
    if report["alert"]["status"] != "quiet":
        return [_STILL_OPEN.format(since=report["alert"]["since"])]
    return ["Nothing to do."]
