import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.deployed_parameters import refuse_unusable
from include.settings.monitoring_table import PARAMETERS


def test_run_when_the_deployments_defaults_are_wrong_then_is_refused_in_one_line_that_names_them():
    with pytest.raises(AirflowFailException, match="variable CHURN_DRIFT_PARAMETERS: alpha") as refused:
        refuse_unusable(PARAMETERS, '{"alpha": 7}', "CHURN_DRIFT_PARAMETERS")
    assert "\n" not in str(refused.value)


def test_run_when_the_deployments_defaults_are_sound_then_begins():
    assert refuse_unusable(PARAMETERS, '{"alpha": 0.01}', "CHURN_DRIFT_PARAMETERS") is None
