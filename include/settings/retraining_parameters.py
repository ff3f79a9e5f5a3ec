"""What one retraining run was told, checked and frozen."""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from include.settings.parameter_rules import problems
from include.settings.parameter_table import PARAMETERS, Parameter

type Scalar = str | int | float | bool

_TABLE: Mapping[str, Parameter] = MappingProxyType({parameter.name: parameter for parameter in PARAMETERS})


class ParameterError(ValueError):
    """A run was told something unknown or out of bounds; the one-line message names every such parameter."""


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
        if conf is not None and not isinstance(conf, Mapping):
            raise ParameterError(f"conf must be a JSON object of parameters, not {conf!r:.80}")
        given = {**(params or {}), **(conf or {})}
        found = [_unknown(name) for name in given if name not in _TABLE]
        values = {name: given.get(name, row.default) for name, row in _TABLE.items()}
        for name, row in _TABLE.items():
            found += problems(values[name], row.schema, name)
        if found:
            raise ParameterError("; ".join(found))
        return cls(**{name: _exact(values[name], row) for name, row in _TABLE.items()})

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "RetrainingParameters":
        """Read the form of `to_mapping`, checked like a conf."""
        return cls.from_conf(conf=mapping)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(parameters.to_mapping()) == parameters`."""
        return {**asdict(self), "hyperparameters": dict(self.hyperparameters)}


def _unknown(name: object) -> str:
    near = difflib.get_close_matches(str(name), _TABLE, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_TABLE)}"
    return f"unknown parameter {name!r:.80} ({hint})"


def _exact(value: Any, row: Parameter) -> Any:
    """Return the value as its Python type: 42.0 becomes 42, 1 becomes 1.0, null the default."""
    if value is None:
        return row.default
    if row.schema["type"] == "integer":
        return int(value)
    if row.schema["type"] == "number":
        return float(value)
    return dict(value) if row.schema["type"] == "object" else value
