"""What one retraining run was told, checked and frozen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from include.settings.parameter_table import Parameter
from include.settings.retraining_table import PARAMETERS
from include.settings.run_parameters import read_values

type Scalar = str | int | float | bool

_TABLE: Mapping[str, Parameter] = MappingProxyType({parameter.name: parameter for parameter in PARAMETERS})


@dataclass(frozen=True)
class RetrainingParameters:
    """One validated value per row of the parameter table; build it with `from_conf` or `from_mapping`."""

    input_data_uri: str
    schema: str
    on_missing_data: str
    synthetic_rows: int
    test_fraction: float
    algorithm: str
    seed: int
    gate_metric: str
    accuracy_threshold: float
    roc_auc_threshold: float
    gate_safeguards: bool
    preprocess_instance_type: str
    train_instance_type: str
    evaluate_instance_type: str
    volume_size_gb: int
    max_runtime_seconds: int
    use_spot_instances: bool
    model_package_group: str
    reason: str
    hyperparameters: Mapping[str, Scalar] = field(default_factory=dict)

    @classmethod
    def from_conf(
        cls, params: Mapping[str, Any] | None = None, conf: Mapping[str, Any] | None = None
    ) -> "RetrainingParameters":
        """Merge defaults, a run's params and its conf (the later wins) and check the result.

        Raises ParameterError that names every unknown key (with the nearest known one) and every bad value.
        """
        return cls(**read_values(_TABLE, params, conf))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "RetrainingParameters":
        """Read the form of `to_mapping`, checked like a conf."""
        return cls.from_conf(conf=mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(parameters.to_mapping()) == parameters`."""
        return {**asdict(self), "hyperparameters": dict(self.hyperparameters)}
