import json
from dataclasses import replace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks import day_recording
from include.airflow_tasks.day_history import delivery_before, recorded_day
from include.airflow_tasks.day_recording import record_monitored_day
from include.data_contracts.day_inputs import DayInputs
from include.data_contracts.monitoring_day import MonitoringDay
from tests.unit.airflow_tasks.drift_outputs import leave_outputs, state
from tests.unit.airflow_tasks.monitored_models import client_of, get, put
from tests.unit.sagemaker_requests.plans import model_reference, monitoring_plan

PLAN = monitoring_plan()
PREFIX = PLAN.monitoring_prefix
ARRIVED = DayInputs("arrived", PLAN.batch_uri, files=1, bytes=9, fingerprint="ab", age_hours=1.0)
MISSING = DayInputs("missing", PLAN.batch_uri)


def kept_dates():
    return [day["date"] for day in json.loads(get(f"{PREFIX}/monitor_state.json"))["days"]]


def everything_kept():
    listed = client_of("s3").list_objects_v2(Bucket="churn-artifacts", Prefix="monitoring/")
    keys = [entry["Key"] for entry in listed.get("Contents", [])]
    return {key: get(f"s3://churn-artifacts/{key}") for key in keys}


def test_record_when_a_batch_was_judged_then_record_evidence_and_scores_are_kept(s3_hook):
    result = leave_outputs(PLAN, verdict="drift", transition="new")
    day = record_monitored_day(PLAN, ARRIVED, result, s3=s3_hook)
    assert MonitoringDay.from_mapping(json.loads(get(f"{PREFIX}/days/2026-11-24/day.json"))) == day
    assert (day.verdict, day.sentence, day.rows) == ("drift", "drift on 2026-11-24", 1000)
    assert day.alert["transition"] == "new"
    assert day.report_json_uri == f"{result.output('drift')}/drift_report.json"
    assert day.report_html_uri == f"{result.output('drift')}/drift_report.html"
    assert kept_dates() == ["2026-11-24"]
    assert get(f"{PREFIX}/predictions/2026-11-24/predictions.csv") == b"customer_id,score\na,0.5\n"


def test_record_when_the_batch_is_missing_then_the_day_is_recorded_and_no_evidence_is_touched(s3_hook):
    day = record_monitored_day(PLAN, MISSING, None, s3=s3_hook)
    assert (day.verdict, day.rows, day.alert, day.report_json_uri) == (None, None, None, None)
    assert day.batch_alert.transition == "new"
    assert day.sentence == (
        f"the batch of 2026-11-24 has not come ({PLAN.batch_uri} was watched until 2026-11-25 12:00 UTC)"
    )
    assert set(everything_kept()) == {
        "monitoring/telecom-churn/3/days/2026-11-24/day.json",
        "monitoring/telecom-churn/deliveries/2026-11-24.json",
    }


def test_record_when_an_alert_has_very_many_changes_then_the_strongest_are_recorded(s3_hook):
    changes = [
        {"column": f"column {n}", "statistic": "location", "days": 1, "p_value": 1e-9, "effect": 1.0}
        for n in range(500)
    ]
    day = record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN, changes=changes), s3=s3_hook)
    assert [change["column"] for change in day.alert["changes"]] == [f"column {n}" for n in range(20)]


def test_record_when_its_task_is_retried_then_nothing_changes(s3_hook):
    result = leave_outputs(PLAN)
    first = record_monitored_day(PLAN, ARRIVED, result, s3=s3_hook)
    kept = everything_kept()
    assert record_monitored_day(PLAN, ARRIVED, result, s3=s3_hook) == first
    assert everything_kept() == kept


def test_record_when_the_day_is_run_again_then_only_its_links_change(s3_hook):
    first = record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    kept = everything_kept()
    again = record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN, attempt=1), s3=s3_hook)
    links = {"report_json_uri": first.report_json_uri, "report_html_uri": first.report_html_uri}
    assert again != first
    assert replace(again, **links) == first
    record = "monitoring/telecom-churn/3/days/2026-11-24/day.json"
    changed = {key for key, content in everything_kept().items() if content != kept[key]}
    assert changed == {record}


def test_record_when_a_broken_batch_has_no_scores_then_the_rest_is_kept(s3_hook):
    result = leave_outputs(PLAN, verdict="data_break", scores=None)
    assert record_monitored_day(PLAN, ARRIVED, result, s3=s3_hook).verdict == "data_break"
    assert not any("predictions" in key for key in everything_kept())


def test_record_when_another_day_was_recorded_meanwhile_then_both_days_are_in_the_state(s3_hook):
    put(f"{PREFIX}/monitor_state.json", json.dumps(state(PLAN, "2026-11-22", "2026-11-23")).encode())
    record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN, dates=["2026-11-22", "2026-11-24"]), s3=s3_hook)
    assert kept_dates() == ["2026-11-22", "2026-11-23", "2026-11-24"]


def test_record_when_days_are_recorded_at_the_same_moment_then_the_first_state_is_not_overwritten(
    s3_hook, monkeypatch
):
    """Between reading and writing, somebody else writes the first state: the condition notices."""
    write = day_recording.write_json_version

    def somebody_else_first(s3, uri, document, etag, *, what):
        monkeypatch.setattr(day_recording, "write_json_version", write)
        put(uri, json.dumps(state(PLAN, "2026-11-23")).encode())
        return write(s3, uri, document, etag, what=what)

    monkeypatch.setattr(day_recording, "write_json_version", somebody_else_first)
    record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    assert kept_dates() == ["2026-11-23", "2026-11-24"]


def test_record_when_many_days_are_recorded_one_after_the_other_then_all_are_kept(s3_hook):
    dates = [f"2026-11-{number:02}" for number in range(1, 5)]
    for date in reversed(dates):
        plan = replace(PLAN, batch_date=date)
        record_monitored_day(plan, ARRIVED, leave_outputs(plan), s3=s3_hook)
    assert kept_dates() == dates


def test_record_when_another_model_version_is_judged_then_its_days_are_its_own(s3_hook):
    record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    kept = everything_kept()
    other = replace(PLAN, model=model_reference(version="4"))
    record_monitored_day(other, ARRIVED, leave_outputs(other), s3=s3_hook)
    assert {key: content for key, content in everything_kept().items() if "/4/" not in key} == kept


def test_record_when_another_version_takes_over_during_an_outage_then_it_goes_on(s3_hook):
    arrived = replace(PLAN, batch_date="2026-11-21")
    record_monitored_day(arrived, ARRIVED, leave_outputs(arrived), s3=s3_hook)
    record_monitored_day(replace(PLAN, batch_date="2026-11-22"), MISSING, None, s3=s3_hook)
    other = replace(PLAN, model=model_reference(version="4"))
    day = record_monitored_day(replace(other, batch_date="2026-11-23"), MISSING, None, s3=s3_hook)
    assert (day.batch_alert.transition, day.batch_alert.since) == ("none", "2026-11-22")
    assert day.fingerprint == "ab"
    day = record_monitored_day(other, ARRIVED, leave_outputs(other), s3=s3_hook)
    assert (day.batch_alert.transition, day.batch_alert.since) == ("cleared", "2026-11-22")


def test_record_when_a_trial_finds_no_batch_then_the_groups_deliveries_are_as_they_were(s3_hook):
    record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    before = delivery_before(replace(PLAN, batch_date="2026-11-25"), s3=s3_hook)
    trial = monitoring_plan({"reference_version": "3"})
    record_monitored_day(trial, MISSING, None, s3=s3_hook)
    assert delivery_before(replace(PLAN, batch_date="2026-11-25"), s3=s3_hook) == before


@pytest.mark.parametrize(("transition", "is_open"), [("new", True), ("none", False)])
def test_record_when_no_batch_came_then_an_alert_is_open_if_it_was(s3_hook, transition, is_open):
    judged = replace(PLAN, batch_date="2026-11-22")
    record_monitored_day(judged, ARRIVED, leave_outputs(judged, transition=transition), s3=s3_hook)
    for date in ("2026-11-23", "2026-11-24"):
        day = record_monitored_day(replace(PLAN, batch_date=date), MISSING, None, s3=s3_hook)
        assert day.has_open_alert is is_open


def test_record_when_the_report_is_not_one_then_one_line_says_so_and_nothing_is_kept(s3_hook):
    result = leave_outputs(PLAN)
    put(f"{result.output('drift')}/drift_report.json", b'{"contract": "other", "version": 1}')
    with pytest.raises(AirflowFailException, match="drift report is not usable") as refused:
        record_monitored_day(PLAN, ARRIVED, result, s3=s3_hook)
    assert "\n" not in str(refused.value)
    assert everything_kept() == {}


def test_record_when_the_kept_state_is_broken_then_one_line_says_what_to_do(s3_hook):
    put(f"{PREFIX}/monitor_state.json", b'{"contract": "other", "version": 1}')
    with pytest.raises(AirflowFailException, match="restore its last version"):
        record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)


def test_record_when_its_record_cannot_be_written_then_a_retry_completes_the_day(s3_hook, monkeypatch):
    def refuse(*arguments, **named):
        raise ConnectionError("S3 is away")

    with monkeypatch.context() as broken:
        broken.setattr(day_recording, "write_json", refuse)
        with pytest.raises(ConnectionError):
            record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    assert recorded_day(PLAN, "2026-11-24", s3=s3_hook) is None
    record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    assert kept_dates() == ["2026-11-24"]


def test_record_when_batches_come_again_then_the_outage_is_cleared(s3_hook):
    record_monitored_day(replace(PLAN, batch_date="2026-11-23"), MISSING, None, s3=s3_hook)
    day = record_monitored_day(PLAN, ARRIVED, leave_outputs(PLAN), s3=s3_hook)
    assert (day.batch_alert.transition, day.batch_alert.since) == ("cleared", "2026-11-23")


def test_record_when_no_batch_came_then_the_last_batchs_fingerprint_is_carried_on(s3_hook):
    plan = replace(PLAN, batch_date="2026-11-23")
    record_monitored_day(plan, ARRIVED, leave_outputs(plan), s3=s3_hook)
    assert record_monitored_day(PLAN, MISSING, None, s3=s3_hook).fingerprint == "ab"


# --- the days before -----------------------------------------------------------------------------------
def test_delivery_before_when_later_days_are_recorded_then_they_do_not_count(s3_hook):
    for date in ("2026-11-20", "2026-11-25"):
        record_monitored_day(replace(PLAN, batch_date=date), MISSING, None, s3=s3_hook)
    assert delivery_before(PLAN, s3=s3_hook).date == "2026-11-20"


def test_delivery_before_when_nothing_is_recorded_then_there_is_none(s3_hook):
    assert delivery_before(PLAN, s3=s3_hook) is None


def test_delivery_before_when_something_else_lies_beside_them_then_it_is_no_record(s3_hook):
    record_monitored_day(replace(PLAN, batch_date="2026-11-20"), MISSING, None, s3=s3_hook)
    put("s3://churn-artifacts/monitoring/telecom-churn/deliveries/2026-11-22.txt", b"a note")
    assert delivery_before(PLAN, s3=s3_hook).date == "2026-11-20"
