"""Plan, inputs and record of a day: what is written is read back, what is foreign is refused by name."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from include.data_contracts.day_inputs import DayInputs
from include.data_contracts.drift_alert import AlertChange, DriftAlert
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.monitor_state import MonitorStateDays
from include.data_contracts.monitoring_day import BatchAlert, MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from tests.unit.sagemaker_requests.plans import day_inputs, model_reference, monitoring_plan

PLAN = monitoring_plan()
CHANGE = AlertChange("tenure", "location", 3, 1e-9, 0.4)
DAY = MonitoringDay(
    date="2026-11-24",
    model_version="telecom-churn/3",
    run_id="run",
    batch_status="arrived",
    batch_uri=PLAN.batch_uri,
    batch_files=1,
    batch_bytes=1000,
    batch_age_hours=1.5,
    fingerprint="ab",
    batch_alert=BatchAlert("none", None, "came"),
    verdict="drift",
    sentence="tenure has shifted",
    drifted_features=("tenure",),
    rows=1000,
    alert=DriftAlert(
        "2026-11-24", "drift", "new", "2026-11-22", ("tenure",), (CHANGE,), "shifted"
    ).to_mapping(),
    report_json_uri="s3://b/drift_report.json",
    report_html_uri="s3://b/drift_report.html",
    has_open_alert=True,
)
MISSING_DAY = replace(
    DAY, batch_status="missing", batch_age_hours=None, verdict=None, rows=None, alert=None,
    drifted_features=(), report_json_uri=None, report_html_uri=None,
)  # fmt: skip


def through_json(mapping):
    return json.loads(json.dumps(mapping, allow_nan=False))


@pytest.mark.parametrize("value", [PLAN, replace(PLAN, model=model_reference(with_scores=False))])
def test_plan_when_written_and_read_then_is_equal(value):
    assert MonitoringPlan.from_mapping(through_json(value.to_mapping())) == value


@pytest.mark.parametrize("value", [day_inputs(PLAN), DayInputs("missing", PLAN.batch_uri)])
def test_inputs_when_written_and_read_then_are_equal(value):
    assert DayInputs.from_mapping(through_json(value.to_mapping())) == value


@pytest.mark.parametrize("value", [DAY, MISSING_DAY])
def test_day_when_written_and_read_then_is_equal(value):
    assert MonitoringDay.from_mapping(through_json(value.to_mapping())) == value


@pytest.mark.parametrize("value", [PLAN, day_inputs(PLAN), DAY])
def test_contract_when_it_holds_a_foreign_key_then_it_is_refused_by_name(value):
    with pytest.raises(ContractError, match="colour"):
        type(value).from_mapping({**value.to_mapping(), "colour": 1})


@pytest.mark.parametrize(
    ("value", "key", "wrong"),
    [
        (DAY, "batch_status", "late"),
        (DAY, "contract", "day"),
        (DAY, "rows", "many"),
        (day_inputs(PLAN), "status", "late"),
        (PLAN, "parameters", {"alpha": 2}),
        (PLAN, "environment", {"region": "eu-west-1"}),
        (PLAN, "batch_date", None),
    ],
)
def test_contract_when_a_value_is_wrong_then_its_key_is_named(value, key, wrong):
    with pytest.raises(ContractError, match=key):
        type(value).from_mapping({**value.to_mapping(), key: wrong})


def test_model_when_its_data_origin_is_unknown_then_it_is_refused():
    with pytest.raises(ContractError, match="data_origin"):
        model_reference(data_origin="unknown")


def test_plan_when_the_model_is_synthetic_then_so_is_the_run():
    assert replace(PLAN, model=model_reference(data_origin="synthetic")).data_origin == "synthetic"


# --- days of the state ---------------------------------------------------------------------------------
def state(rows_by_date, *, scored=()):
    head = {"contract": "drift_monitor_state", "version": 1, "model_version": "telecom-churn/3"}
    return {
        "contract": "monitoring_state",
        "version": 1,
        "model_version": "telecom-churn/3",
        "reference_sha256": "ab" * 32,
        "score_reference_sha256": None,
        "features": {**head, "days": [{"date": date, "rows": rows} for date, rows in rows_by_date.items()]},
        "scores": {**head, "days": [{"date": date, "rows": 1} for date in scored]},
        "days": [{"date": date, "verdict": "no_drift"} for date in rows_by_date],
    }


def merged(known, made, date):
    result = MonitorStateDays.from_mapping(known).with_day_of(MonitorStateDays.from_mapping(made), date)
    return through_json(result.to_mapping())


def test_state_when_written_and_read_then_is_the_same_document():
    document = state({"2026-11-02": 1, "2026-11-24": 2}, scored=["2026-11-24"])
    assert MonitorStateDays.from_mapping(document).to_mapping() == document


def test_state_when_two_runs_added_different_days_then_both_are_kept():
    known = state({"2026-11-01": 1, "2026-11-03": 3})  # written while the run of the 2nd was at work
    made = state({"2026-11-01": 1, "2026-11-02": 2}, scored=["2026-11-02"])
    expected = state({"2026-11-01": 1, "2026-11-02": 2, "2026-11-03": 3}, scored=["2026-11-02"])
    assert merged(known, made, "2026-11-02") == expected


def test_state_when_a_day_is_judged_again_then_it_is_replaced_and_no_other_day_changes():
    known, made = state({"2026-11-01": 1, "2026-11-02": 2}), state({"2026-11-01": 99, "2026-11-02": 20})
    assert merged(known, made, "2026-11-02") == state({"2026-11-01": 1, "2026-11-02": 20})


def test_state_when_the_day_left_no_evidence_then_its_earlier_evidence_goes():
    known = state({"2026-11-01": 1, "2026-11-02": 2}, scored=["2026-11-02"])
    assert merged(known, state({}), "2026-11-02") == state({"2026-11-01": 1})


def test_state_when_it_holds_years_then_no_day_leaves():
    first = date(2025, 1, 1)
    dates = [(first + timedelta(days=number)).isoformat() for number in range(1000)]
    grown = merged(state(dict.fromkeys(dates[:-1], 1)), state({dates[-1]: 1}), dates[-1])
    assert grown == state(dict.fromkeys(dates, 1))


def test_state_when_it_is_another_document_then_it_is_refused():
    with pytest.raises(ContractError, match="monitoring_state"):
        MonitorStateDays.from_mapping({"contract": "other", "version": 1})
