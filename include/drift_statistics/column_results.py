"""One column from counts to a verdict with its reasons: evidence first, then correction, then words."""

from dataclasses import dataclass

from include.drift_statistics.categorical_comparison import compare_levels, unseen_and_vanished
from include.drift_statistics.column_layouts import Layout, NumericLayout
from include.drift_statistics.contingency import ContingencyResult
from include.drift_statistics.data_breaks import find_breaks
from include.drift_statistics.drift_report import ColumnCounts, FeatureResult, TestResult, Verdict
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.exact_counts import share_test
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.numeric_comparison import Evidence, ValueComparison, compare_numbers
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Counts
from include.drift_statistics.value_ranges import rows_outside

TEXTS = {
    "location": "values are {direction} by {effect:.2f} standard deviations (normal scores)",
    "spread": "values are spread {direction}",
    "shape": "the distribution has another shape (distance {effect:.3f})",
    "kolmogorov_smirnov": "values are {direction}: distribution functions differ by up to {effect:.3f}",
    "tail": "extreme values: share of the {direction} by {effect:.2%} of the rows",
    "one_value": "share of {subject} {direction} by {effect:.2%} of the rows",
    "out_of_range": "{effect:.2%} of the values lie outside the reference's range ({direction})",
    "contingency": "the mix of levels moved by {effect:.2%} of the rows, most of all {direction}",
    "one_level": "share of level {direction} by {effect:.2%} of the rows",
    "unseen_levels": "{effect:.2%} of the rows hold levels the reference never had: {subject}",
    "vanished_levels": "levels of {effect:.2%} of the reference's rows are gone: {subject}",
    "missing": "missing values {direction} by {effect:.2%} of the rows",
}


@dataclass(frozen=True)
class ColumnFinding:
    """Everything known of a column before the correction across columns.

    `values` is None when a side holds too few values to be compared; `p_value` is 1 when nothing was tested.
    """

    p_value: float
    evidence: tuple[Evidence, ...]
    breaks: tuple[str, ...]
    missing: ColumnCounts
    values: ValueComparison | None
    table: ContingencyResult | None
    unseen: tuple[tuple[str, int], ...]
    vanished: tuple[str, ...]
    value_counts: tuple[int, int]


@dataclass(frozen=True)
class Correction:
    """What the correction across columns made of a column.

    `adjusted` is held against alpha; `factor` is what the column's own p-value was multiplied by for the
    other columns, so that its components are corrected as it was.
    """

    adjusted: float
    factor: float


@dataclass(frozen=True)
class Sufficiency:
    """Whether the batch has rows enough, and how many values a column needs; None: no number would do."""

    rows: bool
    values_needed: int | None


def examine_column(
    layout: Layout, reference: Counts, current: Counts, rule: DriftRule, *, of_model: bool = False
) -> ColumnFinding:
    """Compare one column; never fails on its content. `of_model`: see `find_breaks`."""
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
    breaks = tuple(find_breaks(numeric, reference, current, rule, of_model=of_model))
    counts = (reference.values, current.values)
    return ColumnFinding(p_value, evidence, breaks, missing, values, table, unseen, vanished, counts)


def _compare_values(
    layout: Layout, reference: Counts, current: Counts, rule: DriftRule
) -> tuple[ValueComparison | None, ContingencyResult | None, tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Compare values where both sides hold enough of them: the tests are approximate below that."""
    is_enough = min(reference.values, current.values) >= max(rule.smallest_batch, 1)
    if isinstance(reference, LevelCounts) and isinstance(current, LevelCounts):
        unseen, vanished = unseen_and_vanished(reference, current)
        if not is_enough:
            return None, None, unseen, vanished
        values, table = compare_levels(reference, current, rule)
        return values, table, unseen, vanished
    if not isinstance(reference, NumericCounts) or not isinstance(current, NumericCounts):
        raise TypeError("reference and current are of different kinds")
    if not isinstance(layout, NumericLayout) or not is_enough:
        return None, None, (), ()
    return compare_numbers(layout, reference, current, rule), None, (), ()


def _missing(
    layout: Layout, reference: Counts, current: Counts, rule: DriftRule
) -> tuple[ColumnCounts, Evidence | None]:
    before, now = reference.rows - reference.values, current.rows - current.values
    shares = [side / rows if rows else None for side, rows in ((before, reference.rows), (now, current.rows))]
    unreadable = infinite = 0
    outside = None
    if (
        isinstance(layout, NumericLayout)
        and isinstance(current, NumericCounts)
        and isinstance(reference, NumericCounts)
    ):
        unreadable, infinite = current.unreadable, current.values - current.finite
        if current.values:
            beyond = rows_outside(layout, current, reference.minimum, reference.maximum)
            outside = sum(beyond) / current.values
    if shares[0] is None or shares[1] is None:
        return ColumnCounts(reference.rows, current.rows, shares[0], shares[1], None), None
    p_value, direction = share_test(now, current.rows, before, reference.rows)
    counts = ColumnCounts(
        reference.rows, current.rows, shares[0], shares[1], p_value, unreadable, infinite, outside
    )
    if before + now == 0:
        return counts, None
    change = abs(shares[1] - shares[0])
    return counts, Evidence(
        "missing", rule.missing_share, now, direction, p_value, "share_change", change, rule.floor_missing
    )


def to_result(
    name: str,
    kind: str,
    finding: ColumnFinding,
    correction: Correction,
    rule: DriftRule,
    enough: Sufficiency,
) -> FeatureResult:
    """Verdict and words of one column, given its p-value corrected over all columns."""
    drifted = enough.rows and correction.adjusted <= rule.alpha
    verdict, quiet = _verdict(finding, enough, drifted=drifted)
    tests = tuple(_test(part, correction, rule, drifted) for part in finding.evidence)
    reasons = list(finding.breaks) if verdict == "data_break" else []
    if drifted:
        reasons += _drift_reasons(finding, tests)
    values, table = finding.values, finding.table
    kolmogorov = values.kolmogorov_smirnov if values is not None else None
    is_tested = bool(finding.evidence)
    return FeatureResult(
        name,
        kind,
        verdict,
        tuple(reasons),
        f"{name}: {reasons[0]}" if reasons else f"{name}: {quiet}",
        finding.p_value if is_tested else None,
        correction.adjusted if is_tested else None,
        values.effect_name if values is not None else "none",
        values.effect if values is not None else None,
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


def _verdict(finding: ColumnFinding, enough: Sufficiency, *, drifted: bool) -> tuple[Verdict, str]:
    """Return the verdict, and what is said where there is no reason to name."""
    before, now = finding.value_counts
    rows = finding.missing.current_rows
    # A batch too small to judge drift can still be seen to be broken: not one value could be read.
    if finding.breaks and (enough.rows or (rows > 0 and now == 0)):
        return "data_break", "broken"
    if drifted:
        return "drift", "drift"
    if not enough.rows:
        return "insufficient_data", "too few rows to judge"
    if enough.values_needed is None:
        return "insufficient_data", f"the {before:,} values of the reference are too few to judge any batch"
    if now < enough.values_needed:
        told = f"{now:,} of {rows:,} rows hold a value, {enough.values_needed:,} are needed to judge it"
        return "insufficient_data", told
    return "no_drift", "no drift"


def _drift_reasons(finding: ColumnFinding, tests: tuple[TestResult, ...]) -> list[str]:
    """Sentences of the components that found drift, surest first; else of the one that speaks loudest.

    A component below its floor counted for nothing, so that it is no reason either.
    """
    pairs = [pair for pair in zip(finding.evidence, tests, strict=True) if pair[0].combined]
    found = [test for _, test in pairs if test.verdict == "drift"]
    if found:
        return [test.sentence for test in sorted(found, key=lambda test: test.p_value)]
    loudest = min(pairs, key=lambda pair: pair[0].counted_p_value / max(pair[0].weight, 1e-9))
    return [loudest[1].sentence]


def _test(part: Evidence, correction: Correction, rule: DriftRule, drifted: bool) -> TestResult:
    """A component's own p-value is divided by its weight and then corrected as the whole column was."""
    share = part.weight if part.test == "missing" else part.weight * (1 - rule.missing_share)
    share *= rule.family_share * (1 - rule.joint_share)
    own = min(1.0, part.p_value * correction.factor / share) if share > 0 else 1.0
    counts = drifted and own <= rule.alpha and part.effect >= part.floor
    words = {"direction": part.direction, "effect": part.effect, "subject": part.subject}
    return TestResult(
        part.test,
        part.statistic,
        part.direction,
        rule.alpha,
        part.p_value,
        max(own, correction.adjusted) if counts else own,
        part.effect_name,
        part.effect,
        part.floor,
        "drift" if counts else "no_drift",
        TEXTS[part.test].format(**words),
    )
