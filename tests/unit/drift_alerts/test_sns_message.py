"""A day's messages: what they say, when there is one, and that SNS takes every one of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.drift_alerts.message_text import MOST_CHARACTERS
from include.drift_alerts.sns_message import batch_message, drift_message, publish_request
from tests.unit.drift_alerts.days import RUN_URL, judged_day, outage_day, plan, summary
from tests.unit.drift_alerts.documented_rules import publish_breaches
from tests.unit.drift_alerts.drift_reports import (
    DATE,
    alert,
    broken,
    category,
    change,
    drifted,
    performance,
    quantity,
    report,
)

CONSOLE = "https://console.aws.amazon.com/s3/object/churn-artifacts?region=eu-west-1&prefix="
NEXT_STEP = (
    "Next: open the report and ask whether customers or the feed have changed. "
    "If the customers have changed, retrain: run churn_retraining."
)


def messages(document=None, *, day=None, of=None, **day_changes):
    """The messages of a day before which people knew where things stood: the job's transition is due."""
    day, of = day or judged_day(document, **day_changes), of or plan()
    found = []
    if day.batch_alert.transition != "none":
        found.append(batch_message(of, day, day.batch_alert.transition, RUN_URL))
    if document is not None and (transition := day.alert["transition"]) != "none":
        found.append(drift_message(of, day, summary(document), transition, RUN_URL))
    return tuple(found)


def only(document=None, **options):
    (message,) = messages(document, **options)
    return message


def test_message_when_drift_is_new_then_says_what_by_how_much_since_when_how_sure_and_where():
    message = only(drifted())
    assert message.subject == f"DRIFT (new): tenure; telecom-churn/3, {DATE}"
    assert message.text.splitlines() == [
        "DRIFT (new): tenure.",
        f"Batch of {DATE}: 1,000 rows, against the 5,634 that model telecom-churn/3 was trained on.",
        "",
        "- tenure: mean 32.4 -> 97.1; moved by 1.21 sd (counts from 0.05 sd)",
        "",
        f"Since: {DATE}.",
        "How sure: p = 1e-38 for the strongest change; 0.1 false alerts a year are expected.",
        "Predicted churn rate: 26.1% -> 26.4%.",
        "",
        NEXT_STEP,
        "",
        f"Report: {CONSOLE}monitoring-runs/run-1/detect_drift/job-1/drift/drift_report.html",
        "s3://churn-artifacts/monitoring-runs/run-1/detect_drift/job-1/drift/drift_report.html",
        f"Run: {RUN_URL}",
        f"Alert: telecom-churn/3/{DATE}/drift-new",
    ]
    assert message.attributes == {
        "kind": "drift",
        "transition": "new",
        "verdict": "drift",
        "model_package_group": "telecom-churn",
        "model_version": "3",
        "data_origin": "real",
        "batch_date": DATE,
        "alert_id": f"telecom-churn/3/{DATE}/drift-new",
    }


@pytest.mark.parametrize(
    ("one_change", "words"),
    [
        (change(effect=0.1, days=7), "moved by 0.10 sd over 7 days (counts from 0.05 sd)"),
        (change(statistic="groups", effect=0.2), "share of rows that moved 20.0% (counts from 2.0%)"),
        (change(statistic="missing", effect=0.03), "share of missing values changed by 3.0% (counts"),
        (change("tenure, contract", "correlation", effect=0.4), "tenure, contract: correlation changed by"),
        (change(statistic="of a later rule", effect=12345.6), "of a later rule changed by 12,346"),
    ],
)
def test_message_when_a_statistic_changed_then_is_told_with_its_size_and_floor(one_change, words):
    document = drifted()
    document["alert"] |= {"changes": [one_change], "columns": [one_change["column"]]}
    assert words in only(document).text


def test_message_when_the_mix_of_levels_moved_then_names_the_level_that_moved_most():
    document = drifted(features=[quantity(verdict="drift"), category(verdict="drift")])
    document["alert"] |= {
        "columns": ["contract"],
        "changes": [change("contract", "groups", effect=0.2)],
    }
    assert "- contract: Month-to-month higher; share of rows that moved 20.0%" in only(document).text


def test_message_when_performance_fell_then_tells_accuracy_and_what_was_registered():
    document = report(
        verdict="drift", performance=performance(), alert=alert("new", "drift", columns=["model performance"])
    )
    document["alert"]["changes"] = [change("model performance", "accuracy", effect=0.093)]
    message = only(document)
    assert message.subject.startswith("DRIFT (new): model performance; ")
    assert "accuracy 0.710 (0.680 to 0.740), registered 0.803" in message.text


def test_message_when_a_pair_changed_too_then_the_subject_names_the_columns_alone():
    document = report(
        verdict="drift",
        alert=alert("new", "drift", columns=["tenure", "tenure, contract", "model score"]),
    )
    document["alert"]["changes"] = [change(), change("tenure, contract", "correlation")]
    assert only(document).subject.startswith("DRIFT (new): tenure, model score; ")


def test_message_when_drift_grew_worse_then_says_so_and_still_says_since_when():
    document = drifted("worse")
    document["alert"]["since"] = "2026-11-20"
    message = only(document)
    assert message.subject.startswith("DRIFT (worse): tenure")
    assert "Since: 2026-11-20." in message.text
    assert message.alert_id.endswith("/drift-worse")


def test_message_when_the_data_broke_then_says_how_and_not_to_retrain():
    message = only(broken())
    assert message.subject == f"DATA BREAK (new): tenure; do not retrain; telecom-churn/3, {DATE}"
    assert "- tenure: 33.1% of the values are missing, 0.0% in the reference" in message.text
    assert "do not retrain on this batch" in message.text
    assert f'{{"batch_date": "{DATE}"}}' in message.text
    assert message.attributes["verdict"] == "data_break"


def test_message_when_the_batch_could_not_be_read_then_gives_the_sentence_about_the_file():
    said = "Data break: page.csv line 1 is HTML, not CSV"
    document = report(
        verdict="data_break",
        sentence=said,
        features=[],
        predictions=None,
        rows={"reference": 5634, "current": 0, "needed": None},
        alert=alert("new", "data_break", sentence=said),
    )
    message = only(document)
    assert message.subject.startswith("DATA BREAK (new): the batch cannot be read; do not retrain")
    assert f"- {said}" in message.text


def test_message_when_a_column_broke_in_several_ways_then_gives_the_first_and_counts_the_rest():
    document = broken()
    document["features"][0]["reasons"] += ["a second one", "a third one"]
    assert "0.0% in the reference (and 2 more reasons)" in only(document).text


def test_message_when_it_is_over_then_says_so_and_asks_for_nothing():
    document = report(alert=alert("cleared", columns=[], since=None, sentence="tenure: back at the baseline"))
    message = only(document)
    assert message.subject == f"DRIFT CLEARED: as before; telecom-churn/3, {DATE}"
    assert "tenure: back at the baseline" in message.text
    assert "Next: nothing" in message.text


def test_message_when_a_feed_is_whole_and_drift_is_still_open_then_says_both():
    document = drifted()
    document["alert"] |= {
        "status": "drift",
        "transition": "cleared",
        "sentence": "the data can be read again",
    }
    message = only(document)
    assert message.subject.startswith("DATA BREAK CLEARED: drift still open: tenure")
    assert "the data can be read again" in message.text
    assert "DRIFT CLEARED" not in message.text
    assert "nothing has to be done" not in message.text


def test_message_when_no_batch_came_then_says_where_and_until_when_it_was_looked_for():
    message = only(day=outage_day())
    assert message.subject == f"BATCH MISSING (new); telecom-churn/3, {DATE}"
    assert f"s3://churn-data/current/ibm_telco/{DATE}/" in message.text
    assert "2026-11-25T12:00:00+00:00" in message.text
    assert message.attributes["verdict"] == "missing"


def test_message_when_the_batch_is_stale_then_says_how_old_it_is():
    assert "Age of its newest file: 30.5 hours." in only(day=outage_day("stale")).text


def test_message_when_a_batch_comes_again_and_drifts_then_there_are_two():
    found = messages(drifted(), batch_transition="cleared", since="2026-11-20")
    assert [(message.kind, message.transition) for message in found] == [
        ("batch", "cleared"),
        ("drift", "new"),
    ]


def test_message_when_the_model_is_not_approved_or_synthetic_then_says_so():
    of = plan(model_changes={"approval_status": "PendingManualApproval", "data_origin": "synthetic"})
    message = only(drifted(), of=of)
    assert "(trial)" in message.subject
    assert "not approved" in message.text
    assert "SYNTHETIC" in message.text
    assert message.attributes["data_origin"] == "synthetic"


def test_message_when_a_retraining_is_asked_for_then_says_so():
    assert "A retraining is asked for" in only(drifted(), of=plan(retrain_on_drift=True)).text


def test_request_when_the_topic_is_fifo_then_carries_the_alert_id_against_repetition():
    request = publish_request(only(drifted()), "arn:aws:sns:eu-west-1:123456789012:churn.fifo")
    assert request["MessageDeduplicationId"] == f"telecom-churn/3/{DATE}/drift-new"
    assert request["MessageGroupId"] == "telecom-churn"
    assert publish_breaches(request) == []


def test_request_when_the_topic_is_ordinary_then_carries_nothing_of_fifo():
    assert not set(publish_request(only(drifted()), "arn:aws:sns:eu-west-1:123456789012:churn")) & {
        "MessageGroupId",
        "MessageDeduplicationId",
    }


def test_message_when_thousands_of_columns_drift_then_is_short_and_says_how_many_more():
    names = [f"column_{number}" for number in range(1500)]
    document = drifted(features=[quantity(name, "drift") for name in names], drifted_features=names)
    document["alert"] |= {"columns": names, "changes": [change(name) for name in names]}
    message = only(document)
    assert "and 1,492 more in the report" in message.text
    assert "DRIFT (new): column_0, column_1 and 1498 more" in message.subject
    assert len(message.text) < MOST_CHARACTERS + 400


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1"])
def test_message_when_in_another_partition_then_links_to_its_own_console(region):
    domain = {"cn-north-1": "amazonaws.cn", "us-gov-west-1": "amazonaws-us-gov.com"}.get(
        region, "aws.amazon.com"
    )
    message = only(drifted(), of=plan(variables={"AWS_DEFAULT_REGION": region}))
    assert f"https://console.{domain}/s3/object/churn-artifacts?region={region}" in message.text


HOSTILE = st.text(min_size=0, max_size=300)
KINDS = st.sampled_from(["drift", "data_break", "cleared"])


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(HOSTILE, min_size=1, max_size=12, unique=True),
    sentence=HOSTILE,
    kind=KINDS,
    p_value=st.floats(0, 1),
    effect=st.floats(0, 1e308),
    fifo=st.booleans(),
    run_url=st.text(max_size=300),
)
def test_request_when_names_are_hostile_then_sns_takes_it(
    names, sentence, kind, p_value, effect, fifo, run_url
):
    make = {"drift": drifted, "data_break": broken, "cleared": drifted}[kind]
    verdict = "data_break" if kind == "data_break" else "drift"
    document = make(features=[quantity(name, verdict) for name in names], drifted_features=names)
    document["alert"] |= {
        "sentence": sentence,
        "columns": names,
        "changes": [change(name, p_value=p_value, effect=effect) for name in names],
    }
    if kind == "cleared":
        document["alert"] |= {"status": "quiet", "transition": "cleared"}
    day = judged_day(document)
    message = drift_message(plan(), day, summary(document), day.alert["transition"], run_url)
    topic = "arn:aws:sns:eu-west-1:123456789012:churn" + (".fifo" if fifo else "")
    assert publish_breaches(publish_request(message, topic)) == []
    assert message.subject.endswith(DATE)
    addresses = sum(
        len(line) for line in message.text.splitlines() if line.startswith(("Report", "s3", "Run"))
    )
    assert len(message.text) - addresses <= MOST_CHARACTERS + 10
