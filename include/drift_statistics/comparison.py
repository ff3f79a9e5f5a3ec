"""Two profiles to one report: tests per column, correction across columns, dependence, breaks, verdict."""

import math
from collections.abc import Mapping

from scipy.special import ndtri  # type: ignore[import-untyped]

from include.drift_statistics.column_results import (
    ColumnFinding,
    Correction,
    Sufficiency,
    examine_column,
    to_result,
)
from include.drift_statistics.drift_report import (
    DriftReport,
    FeatureResult,
    JointResult,
    Verdict,
    worst,
)
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.joint_drift import joint_test
from include.drift_statistics.p_values import adjust_p_values
from include.drift_statistics.profiles import Profile, column_kind, same_layout


def rows_needed(reference_rows: int, columns: int, rule: DriftRule) -> int | None:
    """Rows a batch needs to show `rule.detectable_shift` in one column with `rule.detectable_power`.

    Normal approximation of a two-sample location test at alpha / columns. None when the reference itself is
    too small: then no batch is large enough.
    """
    level = rule.alpha * rule.family_share * (1 - rule.joint_share) / max(columns, 1)
    reach = float(ndtri(1 - level / 2) + ndtri(rule.detectable_power)) / rule.detectable_shift
    rest = 1 / (reach * reach) - (1 / reference_rows if reference_rows > 0 else math.inf)
    if rest <= 0:
        return None
    return max(rule.smallest_batch, math.ceil(1 / rest))


def compare_profiles(
    reference: Profile, current: Profile, rule: DriftRule | None = None, *, of_model: bool = False
) -> DriftReport:
    """Compare a batch with the reference it was counted on.

    Pure and deterministic: the same profiles and rule give the same report. Never raises for bad data; a
    ValueError means that the two profiles are on different layouts or the rule is out of range.

    Args:
        reference: profile with fourth moments (`build_profile`, or `count_rows(..., fourth_moments=True)`).
        current: profile of the batch on `reference.layout`.
        rule: thresholds; the defaults when None.
        of_model: the columns are what a model says, not what a feed delivers; see `find_breaks`.

    """
    rule = rule or DriftRule()
    rule.check()
    if reference.layout is not current.layout and not same_layout(reference.layout, current.layout):
        raise ValueError(
            "the batch is counted on another layout; count it with count_rows(reference.layout, ...)"
        )
    needed = rows_needed(reference.rows, len(reference.layout), rule)
    gone = [name for name in reference.layout if name not in current.counts]
    enough = needed is not None and current.rows >= needed
    findings = {
        name: examine_column(layout, reference.counts[name], current.counts[name], rule, of_model=of_model)
        for name, layout in reference.layout.items()
        if name in current.counts and name in reference.counts
    }
    features = _judge(reference, findings, rule, enough=enough)
    joint = None
    if reference.joint is not None and current.joint is not None and enough:
        joint = joint_test(reference.joint, current.joint, rule)
    features += [_gone(name, column_kind(reference.layout[name])) for name in gone]
    order = {name: position for position, name in enumerate(reference.layout)}
    features.sort(key=lambda feature: order[feature.name])
    return _report(reference, current, rule, needed, features, joint, enough)


def _judge(
    reference: Profile, findings: Mapping[str, ColumnFinding], rule: DriftRule, *, enough: bool
) -> list[FeatureResult]:
    names = list(findings)
    adjusted = adjust_p_values([findings[name].p_value for name in names], rule.correction)
    features = []
    for name, p_value in zip(names, adjusted, strict=True):
        own = findings[name].p_value
        # Holm and BH multiply each column's p-value by a number of their own; capped at 1 it cannot be seen.
        factor = p_value / own if own > 0 and p_value < 1 else float(len(names))
        correction = Correction(min(1.0, p_value / (rule.family_share * (1 - rule.joint_share))), factor)
        values_needed = rows_needed(findings[name].value_counts[0], len(reference.layout), rule)
        kind = column_kind(reference.layout[name])
        sufficiency = Sufficiency(enough, values_needed)
        features.append(to_result(name, kind, findings[name], correction, rule, sufficiency))
    return features


def _gone(name: str, kind: str) -> FeatureResult:
    sentence = f"{name} is not in the batch"
    return FeatureResult(name, kind, "data_break", (sentence,), sentence, None, None, "none", None)


def _report(
    reference: Profile,
    current: Profile,
    rule: DriftRule,
    needed: int | None,
    features: list[FeatureResult],
    joint: JointResult | None,
    enough: bool,
) -> DriftReport:
    # A sparse column says nothing about the batch as long as others could be judged.
    verdicts: list[Verdict] = [f.verdict for f in features if f.verdict != "insufficient_data"]
    if not verdicts and features:
        verdicts = ["insufficient_data"]
    if joint is not None:
        verdicts.append(joint.verdict)
    if not enough:
        verdicts = ["data_break"] if "data_break" in verdicts else ["insufficient_data"]
    verdict = worst(verdicts)
    drifted = tuple(feature.name for feature in features if feature.verdict in {"drift", "data_break"})
    notes = tuple(f"column {name} is new and was not compared" for name in current.new_columns)
    return DriftReport(
        verdict,
        _sentence(verdict, features, joint, current.rows, reference.rows, needed),
        drifted,
        reference.rows,
        current.rows,
        needed,
        rule.to_mapping(),
        tuple(features),
        joint,
        notes,
    )


def _sentence(
    verdict: Verdict,
    features: list[FeatureResult],
    joint: JointResult | None,
    rows: int,
    reference_rows: int,
    needed: int | None,
) -> str:
    if verdict == "no_drift":
        return f"No drift: {rows:,} rows agree with the {reference_rows:,} rows of the reference."
    if verdict == "insufficient_data":
        if needed is None:
            return (
                f"Insufficient data: a reference of {reference_rows:,} rows is too small to judge any batch."
            )
        if rows >= needed:
            return f"Insufficient data: {rows:,} rows, but no column holds enough values to be judged."
        return f"Insufficient data: {rows:,} rows, at least {needed:,} are needed to judge a batch."
    chosen = [feature for feature in features if feature.verdict == verdict]
    chosen.sort(key=_importance)
    said = [feature.sentence for feature in chosen[:3]]
    if joint is not None and joint.verdict == "drift" and verdict == "drift":
        said.append(joint.sentence)
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    start = "Data break, do not retrain on this batch" if verdict == "data_break" else "Drift"
    return f"{start}: {'; '.join(said)}{more}."


def _importance(feature: FeatureResult) -> tuple[float, float]:
    """Surest first, then largest; a column that was not tested is gone, which is sure."""
    adjusted, effect = feature.adjusted_p_value, feature.effect_size
    return (0.0 if adjusted is None else adjusted, -(effect or 0.0))
