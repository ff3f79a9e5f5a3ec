import dataclasses
import json

import pytest
from hypothesis import given, settings

from include.settings.monitoring_parameters import RULE_SETTINGS, MonitoringParameters
from include.settings.monitoring_table import PARAMETERS
from include.settings.run_parameters import ParameterError
from tests.unit.settings.parameter_values import MONITORING_CONFS

PROPERTY = settings(derandomize=True, deadline=None, max_examples=100, database=None)
DEFAULTS = {row.name: row.default for row in PARAMETERS}


def test_monitoring_parameters_when_conf_is_empty_then_are_the_tables_defaults():
    assert MonitoringParameters.from_conf({}, {}).to_mapping() == DEFAULTS
    assert {field.name for field in dataclasses.fields(MonitoringParameters)} == set(DEFAULTS)


def test_monitoring_parameters_when_nothing_is_asked_then_drift_starts_no_retraining():
    assert MonitoringParameters.from_conf().retrain_on_drift is False


def test_monitoring_parameters_when_a_key_is_unknown_then_it_is_refused_with_the_nearest_name():
    with pytest.raises(ParameterError, match=r"unknown parameter 'batch_day'.*batch_date"):
        MonitoringParameters.from_conf({}, {"batch_day": "2026-11-24"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_date", "24.11.2026"),
        ("batch_date", "2026-13-01"),
        ("batch_date", 20261124),
        ("batch_uri", "/data/today"),
        ("reference_version", 3),
        ("reference_version", "0"),
        ("reference_version", "latest"),
        ("model_package_group", "telecom_churn"),
        ("batch_grace_hours", 73),
        ("batch_grace_hours", -1),
        ("alpha", 0),
        ("correction", "bonferroni"),
        ("yearly_false_alerts", 13),
        ("label_delay_days", 1.5),
        ("retraining_monthly_budget", 32),
        ("retrain_on_drift", "yes"),
        ("accuracy_drop", 0),
    ],
)
def test_monitoring_parameters_when_a_value_is_wrong_then_it_is_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=name) as caught:
        MonitoringParameters.from_conf(DEFAULTS, {name: value})
    assert "\n" not in str(caught.value)


def test_monitoring_parameters_when_a_form_field_is_emptied_then_the_default_holds():
    emptied = {row.name: None for row in PARAMETERS if "null" in row.schema["type"]}
    assert MonitoringParameters.from_conf({}, emptied) == MonitoringParameters.from_conf()


def test_monitoring_parameters_when_the_rule_is_asked_for_then_holds_the_settings_of_the_rule_only():
    rule = MonitoringParameters.from_conf({}, {"alpha": 0.01, "correction": "bh"}).rule()
    assert tuple(rule) == RULE_SETTINGS
    assert rule["alpha"] == 0.01
    assert rule["correction"] == "bh"


@PROPERTY
@given(conf=MONITORING_CONFS)
def test_monitoring_parameters_when_conf_is_within_the_schemas_then_survive_json(conf):
    parameters = MonitoringParameters.from_conf(DEFAULTS, conf)
    assert MonitoringParameters.from_mapping(json.loads(json.dumps(parameters.to_mapping()))) == parameters
