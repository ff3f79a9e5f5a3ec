"""When drift starts a retraining: a table of days, requests made so far, and settings."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.retraining_request import RetrainingRequest
from include.drift_alerts.retraining_decision import LONGEST_REASON, decide_request
from include.settings.retraining_parameters import RetrainingParameters
from tests.unit.drift_alerts.days import judged_day, outage_day, plan
from tests.unit.drift_alerts.drift_reports import DATE, alert, broken, change, drifted, report

TODAY = date(2026, 11, 25)


def request(day: str, requested_on: str | None = None) -> RetrainingRequest:
    requested_at = f"{requested_on or day}T01:00:00+00:00"
    return RetrainingRequest(day, requested_at, f"drift__{day}", "scheduled", "telecom-churn/3", "drift")


def decide(document=None, requests=(), *, day=None, today=TODAY, date=DATE, model_changes=None, **conf):
    of = plan(date=date, model_changes=model_changes, **{"retrain_on_drift": True, **conf})
    return decide_request(of, day or judged_day(document or drifted()), requests, today)


def test_decision_when_drift_is_new_then_a_named_run_is_asked_for_and_knows_why():
    decision = decide()
    assert decision.requested
    assert decision.run_id == f"drift__telecom-churn-3__{DATE}"
    assert decision.conf == {
        "schema": "ibm_telco",
        "model_package_group": "telecom-churn",
        "algorithm": "hist_gradient_boosting",
        "reason": f"Drift of tenure since {DATE}, seen in the batch of {DATE} against model telecom-churn/3: "
        f"tenure: location changed by 1.21 since {DATE}",
    }
    assert decision.reason == decision.conf["reason"]


@pytest.mark.parametrize(
    ("document", "day", "conf", "words"),
    [
        (drifted(), None, {"retrain_on_drift": False}, "retrain_on_drift is off"),
        (report(), None, {}, "no drift alert is open"),
        (report(alert=alert("cleared", columns=[], since=None)), None, {}, "no drift alert is open"),
        (broken(), None, {}, "the data are broken"),
        (drifted(verdict="data_break"), None, {}, "the data are broken"),
        (None, outage_day(), {}, "the batch is missing: nothing was judged"),
        (None, outage_day("stale"), {}, "the batch is stale: nothing was judged"),
        (drifted(), None, {"retraining_monthly_budget": 0}, "0 of 0 retrainings of this month are spent"),
    ],
)
def test_decision_when_something_speaks_against_it_then_says_what(document, day, conf, words):
    decision = decide(document, day=day, **conf)
    assert not decision.requested
    assert words in decision.reason
    assert decision.run_id is None
    assert decision.conf is None


def test_decision_when_drift_stays_open_then_is_asked_for_once_the_cooldown_has_passed():
    assert decide(drifted("none"), [request("2026-11-17")]).requested


@pytest.mark.parametrize(
    ("requests", "conf", "words"),
    [
        ([request("2026-11-23")], {}, "asked for 1 day away, for the batch of 2026-11-23"),
        ([request("2026-11-18")], {}, "asked for 6 days away"),
        ([request("2026-11-17")], {}, None),
        ([request("2026-11-18")], {"retraining_cooldown_days": 0}, None),
        # A later day that was judged first counts as well.
        ([request("2026-11-27", "2026-11-10")], {}, "asked for 3 days away"),
        # A batch of long ago, judged and requested today, as a backfill does.
        ([request("2026-01-05", "2026-11-25")], {}, "asked for 0 days away"),
        ([request("2026-11-01"), request("2026-11-09")], {}, "2 of 2 retrainings of this month are spent"),
        ([request("2026-11-01"), request("2026-11-09")], {"retraining_monthly_budget": 3}, None),
        ([request("2026-10-20"), request("2026-10-30"), request("2026-11-09")], {}, None),
        (
            [request("2026-02-05", "2026-11-02"), request("2026-03-05", "2026-11-12")],
            {},
            "2 of 2 retrainings",
        ),
    ],
)
def test_decision_when_retrainings_were_asked_for_before_then_cooldown_and_budget_count(
    requests, conf, words
):
    decision = decide(requests=requests, **conf)
    assert decision.requested == (words is None)
    assert words is None or words in decision.reason


def test_decision_when_the_same_day_is_asked_again_then_is_the_same():
    earlier = [request("2026-11-01"), request("2026-11-12"), request(DATE)]
    assert decide(requests=earlier) == decide()


def test_conf_when_the_schema_is_ones_own_then_names_its_file_and_where_its_data_lie():
    conf = decide(model_changes={"schema_name": "our_own"}).conf
    assert conf["schema"] == "s3://churn-artifacts/retraining/run/schema.json"
    assert conf["input_data_uri"] == "s3://churn-data/raw/our_own/"


def test_conf_when_a_place_of_the_data_is_set_then_is_passed_on():
    assert decide(retraining_input_data_uri="s3://churn-data/new/").conf["input_data_uri"] == (
        "s3://churn-data/new/"
    )


def test_conf_when_the_model_is_synthetic_then_the_retraining_may_be_and_goes_to_the_group_it_began_with():
    conf = decide(model_changes={"group": "telecom-churn-synthetic", "data_origin": "synthetic"}).conf
    assert conf["model_package_group"] == "telecom-churn"
    assert conf["on_missing_data"] == "synthetic"


@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.text(max_size=600), max_size=40), sentence=st.text(max_size=3000))
def test_conf_when_names_are_hostile_then_churn_retraining_takes_it(names, sentence):
    document = drifted()
    document["alert"] |= {
        "columns": names,
        "changes": [change(name) for name in names],
        "sentence": sentence,
    }
    decision = decide(document)
    assert RetrainingParameters.from_conf(conf=decision.conf).reason == decision.conf["reason"]
    assert 0 < len(decision.conf["reason"]) <= LONGEST_REASON


def test_request_when_turned_into_json_and_back_then_is_the_same():
    assert RetrainingRequest.from_mapping(request(DATE).to_mapping()) == request(DATE)


@pytest.mark.parametrize("change", [{"contract": "x"}, {"version": 2}, {"date": None}, {"more": 1}])
def test_request_when_it_breaks_its_contract_then_is_refused(change):
    with pytest.raises(ContractError):
        RetrainingRequest.from_mapping({**request(DATE).to_mapping(), **change})
