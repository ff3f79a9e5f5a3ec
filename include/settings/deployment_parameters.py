"""Defaults of run parameters that a deployment sets, because nobody gives a scheduled run a conf.

The text is a JSON object in an environment variable, held to the same table as a conf. A DAG file reads it
with `deployed_table`, which never fails: parsing must not. A run checks it with `check_deployed_parameters`
and is refused in one line; `make deploy` refuses it before it gets there.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from include.settings.parameter_table import Parameter
from include.settings.run_parameters import ParameterError, read_values

DRIFT_PARAMETERS, RETRAINING_PARAMETERS = "CHURN_DRIFT_PARAMETERS", "CHURN_RETRAINING_PARAMETERS"
# They say which day or why, so they cannot be the same for every run.
_OF_ONE_RUN = frozenset({"batch_date", "batch_uri", "labels_uri", "reason"})


def check_deployed_parameters(table: Sequence[Parameter], text: str, variable: str) -> None:
    """Raise ParameterError in one line that names the variable and everything wrong in it."""
    _read(table, text, variable)


def deployed_table(table: Sequence[Parameter], text: str) -> tuple[Parameter, ...]:
    """Return the table with the deployment's defaults; as it ships when the text cannot be used."""
    try:
        defaults = _read(table, text, "")
    except ParameterError:
        return tuple(table)
    return tuple(replace(row, default=defaults.get(row.name, row.default)) for row in table)


def _read(table: Sequence[Parameter], text: str, variable: str) -> dict[str, Any]:
    """Return the exact values of what the text sets."""
    where = f"the environment variable {variable}"
    try:
        given = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ParameterError(f"{where} is no JSON ({error}): {text!r:.80}") from None
    if not isinstance(given, Mapping):
        raise ParameterError(f"{where} must be a JSON object of parameters, not {text!r:.80}")
    if single := sorted(_OF_ONE_RUN & set(given)):
        raise ParameterError(
            f"{where}: {', '.join(single)} cannot be the same for every run; take it out, and trigger a run "
            "with it instead"
        )
    try:
        values = read_values({row.name: row for row in table}, None, given)
    except ParameterError as error:
        raise ParameterError(f"{where}: {error}") from None
    return {name: values[name] for name in given}
