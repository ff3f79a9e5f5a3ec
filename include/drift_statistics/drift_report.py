"""What a comparison found, as frozen values that turn into strict JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from include.drift_statistics.effect_sizes import EffectSize

Verdict = Literal["no_drift", "drift", "data_break", "insufficient_data"]
REPORT_VERSION = 1
SEVERITY: Mapping[str, int] = {"no_drift": 0, "insufficient_data": 1, "drift": 2, "data_break": 3}


@dataclass(frozen=True)
class TestResult:
    """One test of one column: what was measured, what it was held against, and a sentence for people."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    test: str
    statistic: float
    direction: str
    threshold: float
    p_value: float
    adjusted_p_value: float
    effect_name: str
    effect: float
    floor: float
    verdict: Verdict
    sentence: str

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {key: _strict(value) for key, value in self.__dict__.items()}


@dataclass(frozen=True)
class ColumnCounts:
    """Missing, unreadable and infinite values of a column on both sides, as shares of the rows.

    What cannot be known without rows is None; so is `out_of_range_share`, the share of the batch's numbers
    outside the extremes of the reference, for a column without numbers.
    """

    reference_rows: int
    current_rows: int
    reference_missing_share: float | None
    current_missing_share: float | None
    missing_p_value: float | None
    unreadable: int = 0
    infinite: int = 0
    out_of_range_share: float | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return {key: _strict(value) for key, value in self.__dict__.items()}


@dataclass(frozen=True)
class FeatureResult:
    """One column of the report; `adjusted_p_value` is the one the verdict was made from.

    Both p-values are None when nothing of the column could be tested, `effect_size` (named "none" then) when
    its values could not be compared.
    """

    name: str
    kind: str
    verdict: Verdict
    reasons: tuple[str, ...]
    sentence: str
    p_value: float | None
    adjusted_p_value: float | None
    effect_name: str
    effect_size: float | None
    effect_sizes: Mapping[str, EffectSize] = field(default_factory=dict)
    tests: tuple[TestResult, ...] = ()
    missing: ColumnCounts | None = None
    ks_statistic: float | None = None
    ks_statistic_upper: float | None = None
    ks_p_value: float | None = None
    chi2_statistic: float | None = None
    chi2_p_value: float | None = None
    degrees_of_freedom: int | None = None
    unseen_levels: tuple[tuple[str, int], ...] = ()
    vanished_levels: tuple[str, ...] = ()
    summary: Mapping[str, float | None] = field(default_factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON: no NaN, no infinity; a value that does not apply is null."""
        return {
            "name": self.name,
            "kind": self.kind,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "sentence": self.sentence,
            "p_value": _strict(self.p_value),
            "adjusted_p_value": _strict(self.adjusted_p_value),
            "effect_name": self.effect_name,
            "effect_size": _strict(self.effect_size),
            "effect_sizes": {key: value.to_mapping() for key, value in self.effect_sizes.items()},
            "ks_statistic": _strict(self.ks_statistic),
            "ks_statistic_upper": _strict(self.ks_statistic_upper),
            "ks_p_value": _strict(self.ks_p_value),
            "chi2_statistic": _strict(self.chi2_statistic),
            "chi2_p_value": _strict(self.chi2_p_value),
            "dof": self.degrees_of_freedom,
            "missing": None if self.missing is None else self.missing.to_mapping(),
            "unseen_levels": [{"level": level, "rows": rows} for level, rows in self.unseen_levels],
            "vanished_levels": list(self.vanished_levels),
            "summary": {key: _strict(value) for key, value in self.summary.items()},
            "tests": [test.to_mapping() for test in self.tests],
        }


@dataclass(frozen=True)
class JointResult:
    """Changed dependence between columns: the pair whose Spearman correlation changed most."""

    verdict: Verdict
    p_value: float
    adjusted_p_value: float
    pairs: int
    columns: tuple[str, str] | None
    reference_correlation: float
    current_correlation: float
    statistic: float
    floor: float
    sentence: str

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        mapping = {key: _strict(value) for key, value in self.__dict__.items()}
        return {**mapping, "columns": None if self.columns is None else list(self.columns)}


@dataclass(frozen=True)
class DriftReport:
    """Verdict over all columns; `drifted_features` holds columns whose verdict is drift or data_break."""

    verdict: Verdict
    sentence: str
    drifted_features: tuple[str, ...]
    reference_rows: int
    current_rows: int
    rows_needed: int | None
    rule: Mapping[str, Any]
    features: tuple[FeatureResult, ...]
    joint: JointResult | None
    notes: tuple[str, ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON in the shape of drift_report.json."""
        return {
            "contract": "drift_report",
            "version": REPORT_VERSION,
            "verdict": self.verdict,
            "drifted_features": list(self.drifted_features),
            "sentence": self.sentence,
            "rows": {
                "reference": self.reference_rows,
                "current": self.current_rows,
                "needed": self.rows_needed,
            },
            "rule": dict(self.rule),
            "joint": None if self.joint is None else self.joint.to_mapping(),
            "notes": list(self.notes),
            "features": [feature.to_mapping() for feature in self.features],
        }


def worst(verdicts: list[Verdict]) -> Verdict:
    """Most severe of several verdicts; no_drift when there is none."""
    return max(verdicts, key=lambda verdict: SEVERITY[verdict], default="no_drift")


def _strict(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
