"""One column from counts to a verdict with its reasons: evidence first, then correction, then words."""

from dataclasses import dataclass

from include.drift_statistics.categorical_comparison import compare_levels, unseen_and_vanished
from include.drift_statistics.column_layouts import Layout, NumericLayout
from include.drift_statistics.contingency import ContingencyResult
from include.drift_statistics.data_breaks import find_breaks, out_of_range_share
from include.drift_statistics.drift_report import ColumnCounts, FeatureResult, TestResult, Verdict
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.exact_counts import share_test
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_comparison import Evidence, ValueComparison, compare_numbers
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Counts

TEXTS = {
    "location": "values are {direction} by {effect:.2f} standard deviations (normal scores)",
    "spread": "values are spread {direction}",
    "shape": "the distribution has another shape (distance {effect:.3f})",
    "kolmogorov_smirnov": "values are {direction}: distribution functions differ by up to {effect:.3f}",
    "tail": "extreme values: share of the {direction} by {effect:.2%} of the rows",
    "one_value": "share of a single value {direction} by {effect:.2%} of the rows",
    "contingency": "the mix of levels moved by {effect:.2%} of the rows, most of all {direction}",
    "one_level": "share of level {direction} by {effect:.2%} of the rows",
    "missing": "missing values {direction} by {effect:.2%} of the rows",
}


@dataclass(frozen=True)
class ColumnFinding:
    """Everything known of a column before the correction across columns."""

    p_value: float
    evidence: tuple[Evidence, ...]
    breaks: tuple[str, ...]
    missing: ColumnCounts
    values: ValueComparison | None
    table: ContingencyResult | None
    unseen: tuple[tuple[str, int], ...]
    vanished: tuple[str, ...]


def examine_column(layout: Layout, reference: Counts, current: Counts, rule: DriftRule) -> ColumnFinding:
    """Compare one column; never fails on its content."""
    if isinstance(reference, LevelCounts) != isinstance(current, LevelCounts):
        raise ValueError("reference and current are counted on different layouts")
    values, table, unseen, vanished = _compare_values(layout, reference, current, rule)
    missing, missing_evidence = _missing(layout, reference, current, rule)
    evidence = values.evidence if values is not None else ()
    p_value = values.p_value if values is not None else 1.0
    if missing_evidence is not None:
        share = rule.missing_share
        p_missing = missing_evidence.counted_p_value
        p_value = min(1.0, p_value / (1 - share), p_missing / share if share > 0 else 1.0)
        evidence = (*evidence, missing_evidence)
    numeric = layout if isinstance(layout, NumericLayout) else None
    breaks = tuple(find_breaks(numeric, reference, current, rule))
    return ColumnFinding(p_value, evidence, breaks, missing, values, table, unseen, vanished)


def _compare_values(
    layout: Layout, reference: Counts, current: Counts, rule: DriftRule
) -> tuple[ValueComparison | None, ContingencyResult | None, tuple[tuple[str, int], ...], tuple[str, ...]]:
    if isinstance(reference, LevelCounts) and isinstance(current, LevelCounts):
        unseen, vanished = unseen_and_vanished(reference, current)
        if reference.values == 0 or current.values == 0:
            return None, None, unseen, vanished
        values, table = compare_levels(reference, current, rule)
        return values, table, unseen, vanished
    if not isinstance(reference, NumericCounts) or not isinstance(current, NumericCounts):
        raise TypeError("reference and current are of different kinds")
    if not isinstance(layout, NumericLayout) or reference.values == 0 or current.values == 0:
        return None, None, (), ()
    return compare_numbers(layout, reference, current, rule), None, (), ()


def _missing(
    layout: Layout, reference: Counts, current: Counts, rule: DriftRule
) -> tuple[ColumnCounts, Evidence | None]:
    before, now = reference.rows - reference.values, current.rows - current.values
    p_value, direction = share_test(now, current.rows, before, reference.rows)
    shares = (before / max(reference.rows, 1), now / max(current.rows, 1))
    unreadable = infinite = 0
    outside = 0.0
    if (
        isinstance(layout, NumericLayout)
        and isinstance(current, NumericCounts)
        and isinstance(reference, NumericCounts)
    ):
        unreadable, infinite = current.unreadable, current.values - current.finite
        outside = out_of_range_share(reference, current, layout)
    counts = ColumnCounts(reference.rows, current.rows, *shares, p_value, unreadable, infinite, outside)
    if before + now == 0:
        return counts, None
    change = abs(shares[1] - shares[0])
    return counts, Evidence(
        "missing", rule.missing_share, None, direction, p_value, "share_change", change, rule.floor_missing
    )


def to_result(
    name: str, kind: str, finding: ColumnFinding, adjusted: float, columns: int, rule: DriftRule, enough: bool
) -> FeatureResult:
    """Verdict and words of one column, given its p-value corrected over all columns."""
    drifted = enough and adjusted <= rule.alpha
    verdict: Verdict = "drift" if drifted else ("no_drift" if enough else "insufficient_data")
    if finding.breaks and (enough or (finding.missing.current_rows > 0 and _certain(finding))):
        verdict = "data_break"
    tests = tuple(_test(part, adjusted, columns, rule, drifted) for part in finding.evidence)
    reasons = list(finding.breaks) if verdict == "data_break" else []
    if drifted:
        found = [test for test in tests if test.verdict == "drift"] or [min(tests, key=_by_p_value)]
        reasons += [test.sentence for test in sorted(found, key=_by_p_value)]
    values, table = finding.values, finding.table
    kolmogorov = values.kolmogorov_smirnov if values is not None else None
    return FeatureResult(
        name,
        kind,
        verdict,
        tuple(reasons),
        f"{name}: {reasons[0]}" if reasons else f"{name}: {_quiet(verdict)}",
        finding.p_value,
        adjusted,
        values.effect_name if values is not None else "none",
        values.effect if values is not None else 0.0,
        dict(values.effect_sizes) if values is not None else {},
        tests,
        finding.missing,
        kolmogorov.statistic if kolmogorov is not None else None,
        kolmogorov.statistic_upper if kolmogorov is not None else None,
        kolmogorov.p_value if kolmogorov is not None else None,
        table.statistic if table is not None else None,
        table.p_value if table is not None else None,
        table.degrees_of_freedom if table is not None else None,
        finding.unseen,
        finding.vanished,
        dict(values.summary) if values is not None else {},
    )


def _quiet(verdict: Verdict) -> str:
    return "no drift" if verdict == "no_drift" else "too few rows to judge"


def _certain(finding: ColumnFinding) -> bool:
    """A batch too small to judge drift can still be seen to be broken: not one value could be read."""
    return finding.values is None


def _by_p_value(test: TestResult) -> float:
    return test.p_value


def _test(part: Evidence, adjusted: float, columns: int, rule: DriftRule, drifted: bool) -> TestResult:
    """A component's own corrected p-value is Bonferroni over components (by weight) and columns."""
    share = part.weight if part.test == "missing" else part.weight * (1 - rule.missing_share)
    share *= rule.family_share * (1 - rule.joint_share)
    own = min(1.0, part.p_value * columns / share) if share > 0 else 1.0
    counts = drifted and own <= rule.alpha and part.effect >= part.floor
    sentence = TEXTS[part.test].format(direction=part.direction, effect=part.effect)
    return TestResult(
        part.test,
        part.statistic,
        part.direction,
        rule.alpha,
        part.p_value,
        max(own, adjusted) if counts else own,
        part.effect_name,
        part.effect,
        part.floor,
        "drift" if counts else "no_drift",
        sentence,
    )
