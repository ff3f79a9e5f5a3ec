"""The rule of a comparison: every threshold in one frozen value, stored with the report it led to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

RULE_VERSION = 1


@dataclass(frozen=True)
class DriftRule:
    """Thresholds of `compare_profiles`; shares are fractions of rows, not per cent.

    Args:
        alpha: family-wise error of one day over all columns and the joint test.
        correction: "holm" (default), "bh" or "none" across columns.
        family_share: part of alpha that this comparison may spend, when it is one of several that lead to one
        verdict; adjusted p-values are divided by it, so that they are always held against alpha.
        joint_share: part of alpha for changed dependence between columns.
        missing_share: part of a column's alpha for its missing rate, spent only when a value is missing.
        floor_*: an effect below its floor is no drift however sure it is.
        break_*: a change this large, and significant, is broken data rather than drift.
        detectable_shift: the shift (standard deviations) a batch must be able to show, else insufficient
        data. detectable_power: with this probability.
        smallest_batch: fewer rows are insufficient whatever the power, and the values of a column that holds
        fewer on either side are not compared.

    """

    alpha: float = 0.05
    correction: str = "holm"
    family_share: float = 1.0
    joint_share: float = 0.05
    missing_share: float = 0.10
    floor_distance: float = 0.02
    floor_location: float = 0.05
    floor_spread: float = 0.10
    floor_share: float = 0.005
    floor_total_variation: float = 0.02
    floor_missing: float = 0.01
    floor_correlation: float = 0.05
    break_missing: float = 0.05
    break_unseen: float = 0.05
    break_unreadable: float = 0.005
    break_range: float = 0.005
    detectable_shift: float = 0.5
    detectable_power: float = 0.8
    smallest_batch: int = 30

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {"version": RULE_VERSION, **asdict(self)}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "DriftRule":
        """Read settings; unknown names and values out of range are refused by name.

        Raises:
            ValueError: with one line.

        """
        names = {field.name for field in fields(cls)}
        unknown = sorted(set(mapping) - names - {"version"})
        if unknown:
            raise ValueError(
                f"unknown drift rule setting {', '.join(unknown)}; known: {', '.join(sorted(names))}"
            )
        rule = cls(**{name: value for name, value in mapping.items() if name in names})
        rule.check()
        return rule

    def check(self) -> None:
        """Raise ValueError for a setting out of range."""
        if self.correction not in {"holm", "bh", "none"}:
            raise ValueError(f"correction is {self.correction!r}; use holm, bh or none")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "correction":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"{field.name} is {value!r}; it must be a number")  # noqa: TRY004
            largest = 10**9 if field.name in {"smallest_batch", "detectable_shift", "floor_location"} else 1
            if not 0 <= value <= largest:
                raise ValueError(f"{field.name} is {value}; it must lie between 0 and {largest}")
        if not 0 < self.alpha < 1 or not 0 <= self.joint_share < 1 or not 0 <= self.missing_share < 1:
            raise ValueError("alpha, joint_share and missing_share must lie between 0 and 1")
        if self.family_share <= 0:
            raise ValueError("family_share must lie above 0")
        if not 0 < self.detectable_power < 1 or self.detectable_shift <= 0:
            raise ValueError("detectable_power must lie between 0 and 1, detectable_shift above 0")
