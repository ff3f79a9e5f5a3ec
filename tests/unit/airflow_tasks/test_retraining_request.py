"""A day's drift asks for one retraining, however often it is asked; what was asked for is kept."""

import json
from datetime import UTC, datetime

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.retraining_request import decide_retraining
from tests.unit.airflow_tasks.alert_topics import client
from tests.unit.drift_alerts.days import judged_day, outage_day, plan
from tests.unit.drift_alerts.drift_reports import DATE, broken, drifted, report

FOLDER = "monitoring/telecom-churn/retraining-requests/"
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def on(date):
    document = drifted()
    document["alert"]["date"] = document["batch"]["date"] = date
    return document


def decide(s3_hook, document=None, *, day=None, now=NOW, **plan_options):
    day = day or judged_day(document or drifted())
    of = plan(**{"date": day.date, "retrain_on_drift": True, **plan_options})
    return decide_retraining(of.to_mapping(), day.to_mapping(), s3=s3_hook, now=now)


def kept():
    listed = client("s3").list_objects_v2(Bucket="churn-artifacts", Prefix=FOLDER).get("Contents", [])
    return [entry["Key"].removeprefix(FOLDER) for entry in listed]


def test_request_when_drift_is_new_then_is_kept_and_names_run_and_conf(s3_hook):
    decision = decide(s3_hook)
    assert decision["requested"]
    assert decision["run_id"] == f"drift__telecom-churn-3__{DATE}"
    assert decision["conf"]["reason"] == decision["reason"]
    body = client("s3").get_object(Bucket="churn-artifacts", Key=f"{FOLDER}{DATE}.json")["Body"].read()
    assert json.loads(body) == {
        "contract": "retraining_request",
        "version": 1,
        "date": DATE,
        "requested_at": "2026-11-25T03:00:00+00:00",
        "run_id": decision["run_id"],
        "requested_by": "scheduled__2026-11-25T00:00:00+00:00",
        "model_version": "telecom-churn/3",
        "reason": decision["reason"],
    }


@pytest.mark.parametrize("day", [judged_day(report()), judged_day(broken()), outage_day()])
def test_request_when_there_is_no_drift_then_nothing_is_kept(s3_hook, day):
    assert not decide(s3_hook, day=day)["requested"]
    assert kept() == []


def test_request_when_retraining_is_off_then_s3_is_not_even_asked():
    class NoS3:
        def __getattr__(self, name):
            raise AssertionError(f"asked S3 for {name}")

    assert decide(NoS3(), retrain_on_drift=False)["reason"] == "retrain_on_drift is off"


def test_request_when_tried_again_then_names_the_same_run_and_is_kept_once(s3_hook):
    first = decide(s3_hook)
    assert decide(s3_hook) == first
    assert decide(s3_hook, run_id="manual__later") == first
    assert kept() == [f"{DATE}.json"]


def test_request_when_days_follow_each_other_then_cooldown_and_budget_hold(s3_hook):
    days = [f"2026-11-{number:02}" for number in range(1, 31)]
    asked = [
        day
        for day in days
        if decide(s3_hook, on(day), now=datetime.fromisoformat(f"{day}T04:00:00+00:00"))["requested"]
    ]
    assert asked == ["2026-11-01", "2026-11-08"]
    assert decide(s3_hook, on("2026-12-01"), now=datetime(2026, 12, 2, tzinfo=UTC))["requested"]


def test_request_when_months_are_backfilled_in_an_hour_then_one_retraining_is_asked_for(s3_hook):
    days = [f"2026-{month:02}-15" for month in range(1, 12)]
    assert sum(decide(s3_hook, on(day))["requested"] for day in days) == 1


def test_request_when_something_else_lies_beside_the_requests_then_it_does_not_matter(s3_hook):
    client("s3").put_object(Bucket="churn-artifacts", Key=f"{FOLDER}note.txt", Body=b"why?")
    assert decide(s3_hook)["requested"]


def test_request_when_an_earlier_one_is_damaged_then_one_line_names_it_and_nothing_is_asked_for(s3_hook):
    client("s3").put_object(Bucket="churn-artifacts", Key=f"{FOLDER}2026-10-01.json", Body=b"{}")
    with pytest.raises(AirflowFailException, match=r"retraining-requests/2026-10-01\.json") as failed:
        decide(s3_hook)
    assert "\n" not in str(failed.value)
    assert kept() == ["2026-10-01.json"]
