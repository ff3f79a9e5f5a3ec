"""Defaults that a deployment sets: taken where they are sound, refused by name where they are not."""

import json

import pytest

from include.settings import monitoring_table, retraining_table
from include.settings.deployment_parameters import check_deployed_parameters, deployed_table
from include.settings.run_parameters import ParameterError

TABLE = monitoring_table.PARAMETERS


def defaults(text, table=TABLE):
    return {row.name: row.default for row in deployed_table(table, text)}


@pytest.mark.parametrize("text", ["", "  ", "{}"])
def test_table_when_nothing_is_set_then_is_the_one_that_ships(text):
    check_deployed_parameters(TABLE, text, "CHURN_DRIFT_PARAMETERS")
    assert deployed_table(TABLE, text) == TABLE


def test_table_when_defaults_are_set_then_they_have_their_exact_types_and_the_rest_stays():
    text = '{"retrain_on_drift": true, "yearly_false_alerts": 1, "label_delay_days": 14.0}'
    check_deployed_parameters(TABLE, text, "CHURN_DRIFT_PARAMETERS")
    found, shipped = defaults(text), defaults("")
    assert found == {
        **shipped, "retrain_on_drift": True, "yearly_false_alerts": 1.0, "label_delay_days": 14,
    }  # fmt: skip
    assert (type(found["yearly_false_alerts"]), type(found["label_delay_days"])) == (float, int)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"alpha": 7}', "the environment variable CHURN_DRIFT_PARAMETERS: alpha must lie"),
        ('{"retrain_on_drft": true}', "did you mean 'retrain_on_drift'?"),
        ('{"retrain_on_drift": true,}', "is no JSON"),
        ("[1]", "must be a JSON object of parameters"),
        (
            '{"batch_date": "2026-11-24", "reason": "x"}',
            "batch_date, reason cannot be the same for every run",
        ),
    ],
)
def test_defaults_when_they_cannot_be_used_then_one_line_says_why_and_the_table_is_the_one_that_ships(
    text, told
):
    with pytest.raises(ParameterError, match="CHURN_DRIFT_PARAMETERS") as refused:
        check_deployed_parameters(TABLE, text, "CHURN_DRIFT_PARAMETERS")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert deployed_table(TABLE, text) == TABLE


def test_table_of_retraining_when_defaults_are_set_then_it_takes_them_alike():
    text = json.dumps({"accuracy_threshold": 0.85, "input_data_uri": "s3://my-data/raw/"})
    found = defaults(text, retraining_table.PARAMETERS)
    assert (found["accuracy_threshold"], found["input_data_uri"]) == (0.85, "s3://my-data/raw/")
