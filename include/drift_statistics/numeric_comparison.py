"""Reference against current for one numeric column: the combined test, KS beside it, and the effects."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.effect_sizes import (
    EffectSize,
    population_stability_index,
    stability_groups,
    total_variation,
    wasserstein_distance,
)
from include.drift_statistics.kolmogorov_smirnov import (
    KolmogorovSmirnovResult,
    kolmogorov_smirnov_test,
    largest_difference_margin,
)
from include.drift_statistics.moment_sums import mean_and_deviation
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.p_values import combine_p_values
from include.drift_statistics.rank_scores import rank_tests
from include.drift_statistics.tail_and_atom_tests import atom_test, tail_test
from include.drift_statistics.value_ranges import cell_words, out_of_range

# Parts of a column's alpha. Location leads because it is what most drift is; the exact tests find what they
# look for with p-values so small that a small part is enough.
WEIGHTS: Mapping[str, float] = {
    "location": 0.76,
    "spread": 0.07,
    "shape": 0.04,
    "kolmogorov_smirnov": 0.05,
    "tail": 0.04,
    "one_value": 0.04,
}


@dataclass(frozen=True)
class Evidence:
    """One component of a combined test before the correction across columns.

    `subject` names what the test is about, where a column holds several (a value, a level). A test that is
    not `combined` tells a part of what another component has tested already, at that one's weight: it
    explains a drift and takes no part in finding one.
    """

    test: str
    weight: float
    statistic: float
    direction: str
    p_value: float
    effect_name: str
    effect: float
    floor: float
    subject: str = ""
    combined: bool = True

    @property
    def counted_p_value(self) -> float:
        """P-value as the combination sees it: an effect below its floor does not count."""
        return self.p_value if self.effect >= self.floor else 1.0


@dataclass(frozen=True)
class ValueComparison:
    """Combined p-value of a column's values, its components and its effects."""

    p_value: float
    evidence: tuple[Evidence, ...]
    effect_name: str
    effect: float
    effect_sizes: Mapping[str, EffectSize]
    summary: Mapping[str, float | None]
    kolmogorov_smirnov: KolmogorovSmirnovResult | None = None


def combine(evidence: tuple[Evidence, ...]) -> float:
    """Weighted combination of the components whose effect reaches its floor."""
    parts = [part for part in evidence if part.combined]
    return combine_p_values([part.counted_p_value for part in parts], [part.weight for part in parts])


def compare_numbers(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts, rule: DriftRule
) -> ValueComparison:
    """Compare the values of a numeric column; both sides must hold at least one."""
    kolmogorov = kolmogorov_smirnov_test(reference.cells, current.cells)
    evidence = _numeric_evidence(layout, reference, current, kolmogorov, rule)
    return ValueComparison(
        combine(evidence),
        evidence,
        "ks_distance",
        kolmogorov.statistic,
        _effects(layout, reference, current, kolmogorov),
        _summary(layout, reference, current),
        kolmogorov,
    )


def _numeric_evidence(
    layout: NumericLayout,
    reference: NumericCounts,
    current: NumericCounts,
    kolmogorov: KolmogorovSmirnovResult,
    rule: DriftRule,
) -> tuple[Evidence, ...]:
    ranks = rank_tests(reference.cells, current.cells)
    distance = kolmogorov.statistic

    def part(
        test: str,
        statistic: float,
        way: str,
        p: float,
        name: str,
        effect: float,
        floor: float,
    ) -> Evidence:
        return Evidence(test, WEIGHTS[test], statistic, way, p, name, effect, floor)

    location, spread, shape = ranks.location, ranks.spread, ranks.shape
    return (
        part("location", location.statistic, _way(location.difference), location.p_value,
             "normal_score_shift", abs(location.difference), rule.floor_location),
        part("spread", spread.statistic, "wider" if spread.difference > 0 else "narrower", spread.p_value,
             "squared_score_shift", abs(spread.difference), rule.floor_spread),
        part("shape", shape.statistic, "other shape", shape.p_value, "ks_distance", distance,
             rule.floor_distance),
        part("kolmogorov_smirnov", distance, kolmogorov.direction, kolmogorov.p_value,
             "ks_distance", distance, rule.floor_distance),
        *_share_evidence(layout, reference, current, rule),
    )  # fmt: skip


def _share_evidence(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts, rule: DriftRule
) -> tuple[Evidence, ...]:
    """Exact tests of rows in a region; their statistic is the number of the batch's rows there."""
    tail = tail_test(reference.cells, current.cells)
    atom = atom_test(reference.cells, current.cells, intervals=True)
    beyond = out_of_range(layout, reference, current)
    place = cell_words(layout, atom.cell) if atom.cell >= 0 else "any value"
    floor, weights = rule.floor_share, WEIGHTS
    return (
        Evidence("tail", weights["tail"], tail.hits, f"{tail.region} {tail.direction}", tail.p_value,
                 "tail_share_change", tail.change, floor),
        Evidence("one_value", weights["one_value"], atom.hits, atom.direction, atom.p_value,
                 "share_change", atom.change, floor, place),
        # The tails hold what lies beyond the reference's range, so that they have its weight.
        Evidence("out_of_range", weights["tail"], beyond.rows, beyond.direction, beyond.p_value,
                 "share_out_of_range", beyond.share, floor, combined=False),
    )  # fmt: skip


def _way(difference: float) -> str:
    if difference == 0:
        return "same"
    return "higher" if difference > 0 else "lower"


def _effects(
    layout: NumericLayout,
    reference: NumericCounts,
    current: NumericCounts,
    kolmogorov: KolmogorovSmirnovResult,
) -> dict[str, EffectSize]:
    margin = largest_difference_margin(reference.values, current.values)
    low, high = max(0.0, kolmogorov.statistic - margin), min(1.0, kolmogorov.statistic_upper + margin)
    groups = stability_groups(reference.cells, current.cells)
    effects = {
        "ks_distance": EffectSize(kolmogorov.statistic, low, high),
        "population_stability_index": population_stability_index(*groups),
        "total_variation_of_deciles": total_variation(*groups),
    }
    distance = wasserstein_distance(layout, reference, current, layout.unit)
    if distance is not None:
        effects["wasserstein_distance"] = _at_least_the_means(distance, layout, reference, current)
    return effects


def _at_least_the_means(
    distance: EffectSize, layout: NumericLayout, reference: NumericCounts, current: NumericCounts
) -> EffectSize:
    """The distance is never below the difference of the means, which is known where counts are not.

    Beyond the reference's range a profile counts rows without saying where they lie.
    """
    before, _ = mean_and_deviation(layout, reference.sums, reference.finite)
    now, _ = mean_and_deviation(layout, current.sums, current.finite)
    if before is None or now is None or abs(now - before) <= distance.value:
        return distance
    more = abs(now - before) - distance.value
    return replace(distance, value=abs(now - before), low=distance.low + more, high=distance.high + more)


def _summary(
    layout: NumericLayout, reference: NumericCounts, current: NumericCounts
) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for side, counts in (("reference", reference), ("current", current)):
        mean, deviation = mean_and_deviation(layout, counts.sums, counts.finite)
        found |= {
            f"{side}_mean": mean,
            f"{side}_standard_deviation": deviation,
            f"{side}_minimum": counts.minimum,
            f"{side}_maximum": counts.maximum,
            f"{side}_median": _quantile(layout, counts, 0.5),
        }
    return found


def _quantile(layout: NumericLayout, counts: NumericCounts, share: float) -> float | None:
    """Knot at or next above the quantile, never above the largest value: good to the width of a cell."""
    if counts.finite == 0:
        return None
    running = np.cumsum(counts.cells[1:-1])
    cell = int(np.searchsorted(running, share * running[-1]))
    if cell // 2 >= len(layout.knots):
        return counts.maximum
    value: float = layout.knots[cell // 2].item()
    return value if counts.maximum is None else min(value, counts.maximum)
