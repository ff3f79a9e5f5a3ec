"""Names, ranges and defaults of every algorithm's hyperparameters: checked before a run and in its job.

SageMaker hands all of them over as text, after a detour through JSON that turns `1e3` into `1000.0` and
`true` into `True`; an integer is therefore read from any spelling of a whole number. No name has one letter:
the training toolkit would pass it as `-n` instead of `--n`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from include.data_contracts.mapping_reader import ContractError

HyperparameterValue = int | float | str
DEFAULT_ALGORITHM = "hist_gradient_boosting"


@dataclass(frozen=True)
class NumberRange:
    """A number within a closed range; `is_integer` refuses fractions."""

    default: float
    minimum: float
    maximum: float
    is_integer: bool = False

    def read(self, value: object) -> int | float:
        """Return the number; raises ValueError telling what is allowed."""
        allowed = f"a {'whole ' if self.is_integer else ''}number from {self.minimum:g} to {self.maximum:g}"
        try:
            number = math.nan if isinstance(value, bool) else float(str(value))
        except ValueError:
            number = math.nan
        is_whole = math.isfinite(number) and number == int(number)
        if not self.minimum <= number <= self.maximum or (self.is_integer and not is_whole):
            raise ValueError(allowed)
        return int(number) if self.is_integer else number


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    default: str
    choices: tuple[str, ...]

    def read(self, value: object) -> str:
        """Return the word; raises ValueError telling what is allowed."""
        if value not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")
        return str(value)


CALIBRATION = Choice("sigmoid", ("sigmoid", "isotonic", "none"))
CALIBRATION_FOLDS = NumberRange(5, 2, 20, is_integer=True)

# Defaults of hist_gradient_boosting: 5-fold cross-validation on the IBM, Iranian and MLC sets. The IBM set
# alone would like shallower trees (ROC-AUC .849 against .848), the Iranian one deeper ones (.986, .983).
HYPERPARAMETERS: Mapping[str, Mapping[str, NumberRange | Choice]] = {
    "hist_gradient_boosting": {
        "learning_rate": NumberRange(0.07, 0.001, 1),
        "max_iter": NumberRange(150, 5, 5_000, is_integer=True),
        "max_leaf_nodes": NumberRange(10, 2, 255, is_integer=True),
        "min_samples_leaf": NumberRange(30, 1, 1_000_000, is_integer=True),
        "l2_regularization": NumberRange(5, 0, 10_000),
        "max_features": NumberRange(1, 0.05, 1),
        "calibration": CALIBRATION,
        "calibration_folds": CALIBRATION_FOLDS,
    },
    "logistic_regression": {
        "inverse_regularization": NumberRange(1, 1e-6, 1e6),
        "max_iter": NumberRange(1_000, 10, 100_000, is_integer=True),
    },
    "random_forest": {
        "n_estimators": NumberRange(200, 10, 5_000, is_integer=True),
        "max_depth": NumberRange(8, 1, 64, is_integer=True),
        "min_samples_leaf": NumberRange(5, 1, 1_000_000, is_integer=True),
        "max_features": NumberRange(0.2, 0.01, 1),
    },
    "keras_mlp": {
        "first_layer_units": NumberRange(64, 1, 4_096, is_integer=True),
        "second_layer_units": NumberRange(32, 1, 4_096, is_integer=True),
        "learning_rate": NumberRange(0.001, 1e-6, 1),
        "dropout": NumberRange(0.2, 0, 0.9),
        "l2_regularization": NumberRange(0.0001, 0, 1),
        "batch_size": NumberRange(128, 1, 65_536, is_integer=True),
        "max_epochs": NumberRange(60, 1, 10_000, is_integer=True),
        "patience_epochs": NumberRange(8, 1, 1_000, is_integer=True),
        "validation_fraction": NumberRange(0.1, 0.01, 0.5),
    },
}
ALGORITHMS = tuple(HYPERPARAMETERS)


def check_algorithm(algorithm: str) -> None:
    """Raise ContractError, naming the known ones, when there is no such algorithm."""
    if algorithm not in HYPERPARAMETERS:
        raise ContractError(f"unknown algorithm {algorithm!r}; choose one of: {', '.join(ALGORITHMS)}")


def validate_hyperparameters(algorithm: str, given: Mapping[str, object]) -> dict[str, HyperparameterValue]:
    """Return all hyperparameters of `algorithm`: the given ones read and checked, the others by default.

    Raises ContractError for an unknown algorithm, an unknown name, or a value out of range.
    """
    check_algorithm(algorithm)
    known = HYPERPARAMETERS[algorithm]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ContractError(
            f"unknown hyperparameter {', '.join(map(repr, unknown))} for {algorithm};"
            f" known: {', '.join(known)}"
        )
    values: dict[str, HyperparameterValue] = {}
    for name, rule in known.items():
        try:
            values[name] = rule.read(given.get(name, rule.default))
        except ValueError as allowed:
            raise ContractError(
                f"hyperparameter {name} of {algorithm}: expected {allowed}, found {given[name]!r:.80}"
            ) from None
    return values
