"""The columns of a drift report as the page reads them, and their order of importance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.drift_statistics.drift_report import SEVERITY

# kind of column → setting of the rule that holds the floor of its effect size
KIND_FLOORS = {"numeric": "floor_distance", "categorical": "floor_total_variation"}
EFFECT_NAMES = {
    "ks_distance": "KS distance",
    "total_variation": "total variation",
    "normal_score_shift": "shift in sd",
    "squared_score_shift": "change of spread",
    "tail_share_change": "change of tail share",
    "share_change": "change of share",
    "share_out_of_range": "share out of range",
    "share_of_rows": "share of rows",
    "population_stability_index": "PSI",
    "total_variation_of_deciles": "total variation of deciles",
    "wasserstein_distance": "Wasserstein distance",
    "cramers_v": "Cramér's V",
}

type Part = Mapping[str, Any]


@dataclass(frozen=True)
class ColumnFinding:
    """One column: the report's own entry beside what every part of the page asks of it."""

    name: str
    kind: str
    verdict: str
    entry: Part
    floor: float | None

    @property
    def has_changed(self) -> bool:
        """Whether it drifted or broke."""
        return self.verdict in {"drift", "data_break"}

    @property
    def effect(self) -> float | None:
        """The effect size; None where nothing could be compared."""
        value: float | None = self.entry["effect_size"] if self.entry["effect_name"] != "none" else None
        return value

    @property
    def reasons(self) -> list[str]:
        """Why it changed, most certain first."""
        return [str(reason) for reason in self.entry["reasons"]]

    @property
    def breaks(self) -> list[str]:
        """What of the reasons is broken data; the others are the sentences of tests that found drift."""
        found = {test["sentence"] for test in self.entry["tests"]}
        is_broken = self.verdict == "data_break"
        return [reason for reason in self.reasons if reason not in found] if is_broken else []

    @property
    def told(self) -> str:
        """The report's sentence without the column's name, which stands beside it."""
        sentence = str(self.entry["sentence"])
        return sentence.removeprefix(f"{self.name}:").removeprefix(self.name).strip()

    @property
    def importance(self) -> tuple[float, float, float, str]:
        """Sorts the severest verdict first, then the surest, then the largest effect over its floor."""
        adjusted = self.entry["adjusted_p_value"]
        over_floor = (self.effect or 0.0) / self.floor if self.floor else (self.effect or 0.0)
        return (-SEVERITY.get(self.verdict, 0), 1.0 if adjusted is None else adjusted, -over_floor, self.name)


def findings_by_importance(features: Sequence[Part], rule: Part) -> list[ColumnFinding]:
    """Return the columns of a report, the most important first."""
    found = [
        ColumnFinding(
            str(entry["name"]),
            str(entry["kind"]),
            str(entry["verdict"]),
            entry,
            rule.get(KIND_FLOORS.get(entry["kind"], "")),
        )
        for entry in features
    ]
    return sorted(found, key=lambda finding: finding.importance)
