"""What a candidate must reach: the rule that was asked for, and the safeguards beside it.

The safeguards' thresholds were set on the IBM, MLC and Iranian churn data, where they separate honest models
from a majority vote, shuffled labels, repeated rows and leaked columns; docs/quality-gate.md has the
figures.
"""

from dataclasses import dataclass

from include.settings.retraining_parameters import RetrainingParameters

GATE_METRICS = ("accuracy", "roc_auc")


@dataclass(frozen=True)
class Safeguards:
    """Thresholds a model must reach whatever was asked for; `roc_auc_suspicious` is a ceiling, not a floor.

    With the churn rate p of the test set: the normalised average precision is (AP - p) / (1 - p), the Brier
    skill 1 - Brier / (p (1 - p)), and the asked lift at 10 % is the smaller of `lift_at_10_percent` and
    `lift_share_of_possible` / p, because no lift can exceed 1 / p.
    """

    roc_auc_lower_bound: float = 0.78
    normalised_average_precision: float = 0.40
    brier_skill: float = 0.20
    lift_at_10_percent: float = 2.0
    lift_share_of_possible: float = 0.8
    accuracy_above_majority: float = 0.03
    roc_auc_suspicious: float = 0.985


@dataclass(frozen=True)
class GateRules:
    """The asked metric (accuracy or roc_auc) and its threshold; `safeguards` None switches them off."""

    metric: str
    threshold: float
    safeguards: Safeguards | None = Safeguards()

    def __post_init__(self) -> None:
        """Refuse a metric the gate does not know."""
        if self.metric not in GATE_METRICS:
            raise ValueError(f"gate metric {self.metric!r} is not one of {', '.join(GATE_METRICS)}")


def rules_for(parameters: RetrainingParameters) -> GateRules:
    """Return the rules a run asked for."""
    threshold = (
        parameters.accuracy_threshold
        if parameters.gate_metric == "accuracy"
        else parameters.roc_auc_threshold
    )
    return GateRules(
        metric=parameters.gate_metric,
        threshold=threshold,
        safeguards=Safeguards() if parameters.gate_safeguards else None,
    )
