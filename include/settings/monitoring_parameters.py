"""What one monitoring run was told, checked and frozen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from include.settings.monitoring_table import PARAMETERS
from include.settings.parameter_table import Parameter
from include.settings.run_parameters import read_values

# What the job takes as its --rule; every other setting of the rule keeps the library's default.
RULE_SETTINGS = (
    "alpha",
    "correction",
    "yearly_false_alerts",
    "domain_classifier",
    "accuracy_drop",
    "floor_location",
    "floor_total_variation",
    "break_missing",
    "break_unseen",
)

_TABLE: Mapping[str, Parameter] = MappingProxyType({parameter.name: parameter for parameter in PARAMETERS})


@dataclass(frozen=True)
class MonitoringParameters:
    """One validated value per row of the parameter table; build it with `from_conf` or `from_mapping`."""

    batch_date: str
    batch_uri: str
    schema: str
    batch_grace_hours: float
    labels_uri: str
    label_delay_days: int
    model_package_group: str
    reference_version: str
    alpha: float
    correction: str
    yearly_false_alerts: float
    domain_classifier: bool
    accuracy_drop: float
    floor_location: float
    floor_total_variation: float
    break_missing: float
    break_unseen: float
    publish_alerts: bool
    publish_metrics: bool
    retrain_on_drift: bool
    retraining_cooldown_days: int
    retraining_monthly_budget: int
    retraining_input_data_uri: str
    instance_type: str
    volume_size_gb: int
    max_runtime_seconds: int
    reason: str

    @classmethod
    def from_conf(
        cls, params: Mapping[str, Any] | None = None, conf: Mapping[str, Any] | None = None
    ) -> "MonitoringParameters":
        """Merge defaults, a run's params and its conf (the later wins) and check the result.

        Raises ParameterError that names every unknown key (with the nearest known one) and every bad value.
        """
        return cls(**read_values(_TABLE, params, conf))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "MonitoringParameters":
        """Read the form of `to_mapping`, checked like a conf."""
        return cls.from_conf(conf=mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(parameters.to_mapping()) == parameters`."""
        return asdict(self)

    def rule(self) -> dict[str, Any]:
        """Return the settings of the statistical rule, named as the job names them."""
        return {name: getattr(self, name) for name in RULE_SETTINGS}
