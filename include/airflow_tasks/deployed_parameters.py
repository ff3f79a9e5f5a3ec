"""A run does not begin while the deployment's own defaults are wrong: it would quietly use others."""

from collections.abc import Sequence

from airflow.sdk.exceptions import AirflowFailException

from include.settings.deployment_parameters import check_deployed_parameters
from include.settings.parameter_table import Parameter
from include.settings.run_parameters import ParameterError


def refuse_unusable(table: Sequence[Parameter], text: str, variable: str) -> None:
    """Raise AirflowFailException in one line that names the variable and all that is wrong in it."""
    try:
        check_deployed_parameters(table, text, variable)
    except ParameterError as error:
        raise AirflowFailException(f"{error}; correct it where the deployment's settings are kept") from None
