"""Messages reach the topic once: through outages, kills, retries, re-runs and days that follow each other."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import ClientError

from include.airflow_tasks.alert_ledger import CLAIM_LASTS
from include.airflow_tasks.alert_publication import publish_day_alert
from include.airflow_tasks.published_documents import create_json
from include.data_contracts.batch_delivery import BatchDelivery
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.told_alert import ToldAlert
from include.settings.s3_layout import day_record_uri, delivery_uri
from tests.unit.airflow_tasks.alert_topics import KilledError, client, dying, make_topic, refusing
from tests.unit.airflow_tasks.monitored_models import put
from tests.unit.drift_alerts.days import RUN_URL, judged_day, outage_day, plan
from tests.unit.drift_alerts.drift_reports import DATE, alert, broken, drifted, report

FOLDER = "monitoring/telecom-churn/messages"
MESSAGE, PROOF = f"{FOLDER}/{DATE}/001.json", f"{FOLDER}/{DATE}/001-sent.json"
NOW = datetime(2026, 11, 25, 0, 20, tzinfo=UTC)
DENIED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>"
    b"<Message>not authorized to perform: SNS:Publish</Message></Error></ErrorResponse>"
)


@pytest.fixture
def topic(aws):
    return make_topic()


def publish(s3_hook, document=None, *, day=None, sns=None, now=NOW, **plan_options):
    """Keep the day's record as `record_day` does, and publish what it calls for."""
    if document is not None:
        day = day or judged_day(document)
        bucket, _, key = day.report_json_uri.removeprefix("s3://").partition("/")
        client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    of = plan(**{"date": day.date, **plan_options})
    keep_records(of, day)
    return publish_day_alert(
        of.to_mapping(), day.to_mapping(), s3=s3_hook, sns=sns or client(), run_url=RUN_URL, now=now
    )


def keep_records(of, day):
    delivery = BatchDelivery(day.date, day.batch_status, day.fingerprint, day.batch_alert, of.run_id)
    for uri, record in (
        (day_record_uri(of.monitoring_prefix, day.date), day),
        (delivery_uri(of.delivery_prefix, day.date), delivery),
    ):
        put(uri, json.dumps(record.to_mapping()).encode())


def on(date, transition="new"):
    document = drifted(transition)
    document["alert"]["date"] = document["batch"]["date"] = date
    return document


def kept(key=MESSAGE):
    body = client("s3").get_object(Bucket="churn-artifacts", Key=key)["Body"].read()
    return json.loads(body)


def quiet(date, **alert_changes):
    document = report(alert=alert("none", columns=[], since=None, **alert_changes))
    document["alert"]["date"] = document["batch"]["date"] = date
    return document


def headlines(topic):
    return [text.splitlines()[0].rstrip(".") for text in topic.texts()]


def test_alert_when_drift_is_new_then_the_topic_gets_it_and_the_marker_says_sent(s3_hook, topic):
    result = publish(s3_hook, drifted())
    assert result["published"]
    assert (result["transition"], result["kind"]) == ("new", "drift")
    (text,) = topic.texts()
    assert text.startswith("DRIFT (new): tenure.")
    assert kept(PROOF)["message_id"] == result["message_id"]
    assert kept(PROOF)["alert_id"] == kept()["alert_id"] == f"telecom-churn/3/{DATE}/drift-new"


def test_alert_when_nothing_changed_then_nothing_is_sent_or_marked(s3_hook, topic):
    result = publish(s3_hook, report())
    assert (result["published"], result["transition"], result["message_id"]) == (False, "none", None)
    assert topic.texts() == []
    with pytest.raises(ClientError):
        kept()


def test_alert_when_alerts_are_off_then_nothing_is_sent(s3_hook, topic):
    result = publish(s3_hook, drifted(), publish_alerts=False)
    assert (result["published"], result["reason"]) == (False, "publish_alerts is off")
    assert topic.texts() == []


def test_alert_when_the_same_run_tries_again_then_says_it_was_sent_and_sends_nothing(s3_hook, topic):
    first = publish(s3_hook, drifted())
    again = publish(s3_hook, drifted())
    assert again["published"]
    assert again["message_id"] == first["message_id"]
    assert len(topic.texts()) == 1


def test_alert_when_another_run_judges_the_day_again_then_sends_nothing(s3_hook, topic):
    publish(s3_hook, drifted())
    again = publish(s3_hook, drifted(), run_id="manual__later")
    assert not again["published"]
    assert "was sent by run scheduled__2026-11-25" in again["reason"]
    assert len(topic.texts()) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_alert_when_the_topic_is_out_for_a_while_then_exactly_one_is_sent(s3_hook, topic, status):
    for _ in range(2):
        with pytest.raises(AirflowException, match="AWS cannot be reached") as failed:
            publish(s3_hook, drifted(), sns=refusing("Publish", status))
        assert not isinstance(failed.value, AirflowFailException)
    with pytest.raises(ClientError):
        kept(PROOF)
    assert publish(s3_hook, drifted())["published"]
    assert publish(s3_hook, drifted())["published"]
    assert len(topic.texts()) == 1


def test_alert_when_the_topic_cannot_be_connected_to_then_is_retried_and_sent(s3_hook, topic):
    unreachable = boto3.client("sns", region_name="eu-west-1", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(AirflowException, match="AWS cannot be reached") as failed:
        publish(s3_hook, drifted(), sns=unreachable)
    assert not isinstance(failed.value, AirflowFailException)
    assert publish(s3_hook, drifted())["published"]
    assert len(topic.texts()) == 1


def test_alert_when_the_worker_is_killed_before_it_is_sent_then_its_retry_sends_exactly_one(s3_hook, topic):
    with pytest.raises(KilledError):
        publish(s3_hook, drifted(), sns=dying("Publish", after_the_answer=False))
    assert topic.texts() == []
    assert publish(s3_hook, drifted())["published"]
    publish(s3_hook, drifted())
    assert len(topic.texts()) == 1


def test_alert_when_the_worker_is_killed_for_good_then_another_run_sends_it_when_no_try_can_live_any_more(
    s3_hook, topic
):
    with pytest.raises(KilledError):
        publish(s3_hook, drifted(), sns=dying("Publish", after_the_answer=False))
    with pytest.raises(AirflowException, match=r"run scheduled__2026-11-25.* is sending") as held:
        publish(s3_hook, drifted(), run_id="manual__later", now=NOW + CLAIM_LASTS / 2)
    assert not isinstance(held.value, AirflowFailException)
    assert topic.texts() == []
    assert publish(s3_hook, drifted(), run_id="manual__later", now=NOW + CLAIM_LASTS)["published"]
    assert not publish(s3_hook, drifted())["published"]
    assert len(topic.texts()) == 1


def test_alert_when_the_topic_was_out_all_day_then_the_next_days_run_sends_it_first_and_once(s3_hook, topic):
    for _ in range(3):
        with pytest.raises(AirflowException, match="cannot be reached"):
            publish(s3_hook, on("2026-11-23"), sns=refusing("Publish", 503))
    tomorrow = NOW + timedelta(minutes=1)
    result = publish(s3_hook, broken(), run_id="scheduled__next", now=tomorrow)
    assert result["others"] == ["telecom-churn/3/2026-11-23/drift-new"]
    assert headlines(topic) == ["DRIFT (new): tenure", "DATA BREAK (worse): tenure; do not retrain"]
    assert not publish(s3_hook, on("2026-11-23"))["published"]
    assert topic.texts() == []


def test_alert_when_a_quiet_day_finds_an_unsent_one_then_sends_it_and_says_so(s3_hook, topic):
    with pytest.raises(AirflowFailException, match="correct CHURN_ALERT_TOPIC_ARN"):
        publish(s3_hook, on("2026-11-23"), variables={"CHURN_ALERT_TOPIC_ARN": f"{topic.arn}-gone"})
    result = publish(s3_hook, on("2026-11-24", "none"), run_id="scheduled__next")
    assert not result["published"]
    assert result["others"] == ["telecom-churn/3/2026-11-23/drift-new"]
    assert headlines(topic) == ["DRIFT (new): tenure"]


def test_alert_when_alerts_are_off_then_unsent_ones_of_other_days_stay_too(s3_hook, topic):
    with pytest.raises(AirflowException):
        publish(s3_hook, on("2026-11-23"), sns=refusing("Publish", 503))
    publish(s3_hook, on("2026-11-24", "none"), publish_alerts=False)
    assert topic.texts() == []


def test_alert_when_sns_refuses_one_message_for_good_then_the_others_are_sent_and_the_task_fails(
    s3_hook, topic
):
    with pytest.raises(AirflowException):
        publish(s3_hook, on("2026-11-23"), sns=refusing("Publish", 503))
    spoilt = f"{FOLDER}/2026-11-23/001.json"
    body = json.dumps({**kept(spoilt), "text": "x" * 300_000}).encode()
    client("s3").put_object(Bucket="churn-artifacts", Key=spoilt, Body=body)
    with pytest.raises(AirflowFailException, match="was refused"):
        publish(s3_hook, broken(), run_id="scheduled__next")
    assert headlines(topic) == ["DATA BREAK (worse): tenure; do not retrain"]


def test_alert_when_many_runs_publish_the_same_day_at_once_then_exactly_one_is_sent(s3_hook, topic):
    day = judged_day(drifted())
    publish(s3_hook, drifted(), publish_alerts=False)  # leaves the report and the records

    def one(number):
        try:
            return publish(s3_hook, day=day, run_id=f"manual__{number}")["published"]
        except AirflowException:
            return False  # another run is at it: a retry would find the message sent

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(8))) == 1
    assert len(topic.texts()) == 1


def test_alert_when_the_worker_is_killed_after_the_answer_then_none_is_lost_and_a_second_names_the_same_alert(
    s3_hook, topic
):
    with pytest.raises(KilledError):
        publish(s3_hook, drifted(), sns=dying("Publish", after_the_answer=True))
    publish(s3_hook, drifted())
    assert {text.splitlines()[-1] for text in topic.texts()} == {f"Alert: telecom-churn/3/{DATE}/drift-new"}


def test_alert_when_the_worker_is_killed_after_the_answer_of_a_fifo_topic_then_exactly_one_arrives(
    s3_hook, aws
):
    topic = make_topic(fifo=True)
    variables = {"CHURN_ALERT_TOPIC_ARN": topic.arn}
    with pytest.raises(KilledError):
        publish(s3_hook, drifted(), sns=dying("Publish", after_the_answer=True), variables=variables)
    publish(s3_hook, drifted(), variables=variables)
    assert len(topic.texts()) == 1


def test_alert_when_drift_grows_worse_on_another_day_then_one_more_is_sent(s3_hook, topic):
    publish(s3_hook, on("2026-11-23"))
    publish(s3_hook, on("2026-11-24", "none"))
    publish(s3_hook, on("2026-11-25", "worse"))
    publish(s3_hook, on("2026-11-25", "worse"), run_id="manual__again")
    assert headlines(topic) == ["DRIFT (new): tenure", "DRIFT (worse): tenure"]


# --- against what people know --------------------------------------------------------------------------
def test_alert_when_an_older_day_comes_late_then_the_drift_that_people_know_of_is_not_told_again(
    s3_hook, topic
):
    publish(s3_hook, on("2026-11-25"))
    result = publish(s3_hook, on("2026-11-24"), run_id="manual__late")
    assert not result["published"]
    assert "people know of it from telecom-churn/3/2026-11-25/drift-new" in result["reason"]
    publish(s3_hook, on("2026-11-26", "none"), run_id="scheduled__next")
    assert len(topic.texts()) == 1


def test_alert_when_an_older_day_comes_late_and_broke_then_that_is_told(s3_hook, topic):
    publish(s3_hook, on("2026-11-25"))
    publish(s3_hook, broken(), run_id="manual__late")
    assert headlines(topic) == ["DRIFT (new): tenure", "DATA BREAK (new): tenure; do not retrain"]


def test_alert_when_a_late_day_made_a_later_one_drift_then_the_next_run_tells_what_nobody_knows(
    s3_hook, topic
):
    """The evidence of the late day moved the beginning behind days that were told as quiet."""
    publish(s3_hook, quiet("2026-11-25"))
    publish(s3_hook, on("2026-11-26", "none"), run_id="scheduled__next")
    assert headlines(topic) == ["DRIFT (new): tenure"]


def test_alert_when_alerts_were_off_while_drift_began_then_is_told_when_they_are_on(s3_hook, topic):
    publish(s3_hook, on("2026-11-23"), publish_alerts=False)
    publish(s3_hook, on("2026-11-24", "none"))
    assert headlines(topic) == ["DRIFT (new): tenure"]


def test_alert_when_nobody_was_told_of_the_drift_then_nobody_is_told_that_it_is_over(s3_hook, topic):
    assert not publish(s3_hook, report(alert=alert("cleared", columns=[], since=None)))["published"]
    assert topic.texts() == []


def test_alert_when_a_broken_day_was_mended_and_run_again_then_people_are_told_that_it_is_over(
    s3_hook, topic
):
    publish(s3_hook, broken())
    publish(s3_hook, quiet(DATE), run_id="manual__mended")
    publish(s3_hook, quiet(DATE), run_id="manual__mended_again")
    assert headlines(topic) == ["DATA BREAK (new): tenure; do not retrain", "DRIFT CLEARED: as before"]


def test_alert_when_it_breaks_again_after_it_was_mended_then_its_second_message_has_a_name_of_its_own(
    s3_hook, topic
):
    for number, document in enumerate((broken(), quiet(DATE), broken())):
        publish(s3_hook, document, run_id=f"manual__{number}")
    names = [text.splitlines()[-1] for text in topic.texts()]
    assert names[0::2] == [f"Alert: telecom-churn/3/{DATE}/data_break-new{again}" for again in ("", "-2")]


def test_alert_when_a_day_in_between_turns_out_quiet_then_what_is_open_today_stays_open(s3_hook, topic):
    publish(s3_hook, on("2026-11-23"))
    publish(s3_hook, on("2026-11-25", "none"))
    publish(s3_hook, quiet("2026-11-24"), run_id="manual__late")
    assert headlines(topic) == ["DRIFT (new): tenure"]


def test_alert_when_all_days_are_judged_again_then_nothing_is_sent(s3_hook, topic):
    over = report(alert=alert("cleared", columns=[], since=None))
    over["alert"]["date"] = over["batch"]["date"] = "2026-11-24"
    days = [on("2026-11-22"), on("2026-11-23", "none"), over, quiet("2026-11-25"), on("2026-11-26")]
    for document in days:
        publish(s3_hook, document)
    assert headlines(topic) == ["DRIFT (new): tenure", "DRIFT CLEARED: as before", "DRIFT (new): tenure"]
    for order in (days, list(reversed(days))):
        for document in order:
            assert not publish(s3_hook, document, run_id="backfill__again")["published"]
    assert topic.texts() == []


# --- another version takes over ------------------------------------------------------------------------
def of_version(version, **options):
    return {"model_changes": {"version": version}, "run_after": "2026-11-26T00:00:00+00:00", **options}


def test_alert_when_a_new_version_takes_over_then_the_old_ones_open_alert_is_closed_once(s3_hook, topic):
    publish(s3_hook, on("2026-11-23"))
    topic.texts()
    for date in ("2026-11-24", "2026-11-25"):
        publish(s3_hook, quiet(date), run_id=f"scheduled__{date}", **of_version("4"))
    (text,) = topic.texts()
    assert text.startswith("DRIFT CLEARED: superseded by version 4.")
    assert "told as telecom-churn/3/2026-11-23/drift-new" in text
    assert kept(f"{FOLDER}/2026-11-24/001.json")["attributes"]["model_version"] == "3"


def test_alert_when_the_new_version_drifts_too_then_the_old_alert_is_closed_before_the_new_is_told(
    s3_hook, topic
):
    publish(s3_hook, on("2026-11-23"))
    publish(s3_hook, on("2026-11-24"), run_id="scheduled__next", **of_version("4"))
    assert headlines(topic) == [
        "DRIFT (new): tenure",
        "DRIFT CLEARED: superseded by version 4",
        "DRIFT (new): tenure",
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"reference_version": "4"},
        {"model_changes": {"version": "4", "approval_status": "PendingManualApproval"}},
        {"run_after": "2026-11-01T00:00:00+00:00"},
    ],
)
def test_alert_when_a_trial_or_a_run_of_days_gone_by_finds_anothers_alert_then_leaves_it_open(
    s3_hook, topic, options
):
    publish(s3_hook, on("2026-11-23"))
    publish(s3_hook, quiet("2026-11-24"), run_id="manual__trial", **{**of_version("4"), **options})
    assert headlines(topic) == ["DRIFT (new): tenure"]


def test_alert_when_a_new_version_is_approved_during_an_outage_then_it_is_told_and_cleared_once(
    s3_hook, topic
):
    publish(s3_hook, day=outage_day(date="2026-11-23"))
    for date in ("2026-11-24", "2026-11-25"):
        day = outage_day(transition="none", date=date)
        publish(s3_hook, day=day, run_id=f"scheduled__{date}", **of_version("4"))
    come = quiet("2026-11-26")
    day = judged_day(come, batch_transition="cleared", since="2026-11-23")
    publish(s3_hook, come, day=day, run_id="scheduled__26", **of_version("4"))
    assert headlines(topic) == ["BATCH MISSING (new)", "BATCH CLEARED: batches come again"]


def test_alert_when_a_late_batch_ends_no_outage_that_goes_on_or_is_over_then_nothing_is_told(s3_hook, topic):
    publish(s3_hook, day=outage_day(date="2026-11-23"))
    publish(s3_hook, day=outage_day(transition="none", date="2026-11-24"))
    late = judged_day(quiet("2026-11-23"), batch_transition="cleared", since="2026-11-23")
    publish(s3_hook, quiet("2026-11-23"), day=late, run_id="manual__late")
    assert headlines(topic) == ["BATCH MISSING (new)"]
    come = judged_day(quiet("2026-11-25"), batch_transition="cleared", since="2026-11-23")
    publish(s3_hook, quiet("2026-11-25"), day=come)
    publish(s3_hook, quiet("2026-11-23"), day=late, run_id="manual__later")
    assert headlines(topic) == ["BATCH CLEARED: batches come again"]


def test_alert_when_the_batch_is_replaced_by_a_broken_one_then_that_is_sent_too(s3_hook, topic):
    publish(s3_hook, drifted())
    publish(s3_hook, broken(), run_id="manual__again")
    assert headlines(topic) == ["DRIFT (new): tenure", "DATA BREAK (worse): tenure; do not retrain"]


def test_alert_when_no_batch_came_then_one_is_sent_without_a_report(s3_hook, topic):
    result = publish(s3_hook, day=outage_day())
    assert (result["published"], result["kind"], result["transition"]) == (True, "batch", "new")
    publish(s3_hook, day=outage_day(), run_id="manual__again")
    assert len(topic.texts()) == 1


def test_alert_when_a_batch_comes_again_and_drifts_then_both_are_sent_and_drift_is_what_is_told_first(
    s3_hook, topic
):
    publish(s3_hook, day=outage_day(date="2026-11-20"))
    topic.texts()
    day = judged_day(drifted(), batch_transition="cleared", since="2026-11-20")
    result = publish(s3_hook, drifted(), day=day)
    assert (result["kind"], result["transition"]) == ("drift", "new")
    assert [text.split(" (")[0].split(":")[0] for text in topic.texts()] == ["BATCH CLEARED", "DRIFT"]
    assert result["message_id"] == ", ".join(one["message_id"] for one in result["messages"])
    again = publish(s3_hook, drifted(), day=day, run_id="manual__again")
    assert not again["published"]
    assert topic.texts() == []


def test_alert_when_it_is_over_then_is_sent(s3_hook, topic):
    publish(s3_hook, on("2026-11-23"))
    topic.texts()
    result = publish(s3_hook, report(alert=alert("cleared", columns=[], since=None)))
    assert result["transition"] == "cleared"
    assert topic.texts()[0].startswith("DRIFT CLEARED")


def test_alert_when_the_topic_is_denied_then_one_line_names_the_permission(s3_hook, topic):
    with pytest.raises(AirflowFailException, match="grant sns:Publish on arn:aws:sns") as failed:
        publish(s3_hook, drifted(), sns=refusing("Publish", 403, DENIED))
    assert "\n" not in str(failed.value)
    assert publish(s3_hook, drifted())["published"]
    assert len(topic.texts()) == 1


def test_alert_when_the_topic_does_not_exist_then_one_line_says_what_to_set(s3_hook, aws):
    with pytest.raises(AirflowFailException, match="correct CHURN_ALERT_TOPIC_ARN") as failed:
        publish(s3_hook, drifted())
    assert "\n" not in str(failed.value)


def test_alert_when_the_report_is_gone_then_one_line_says_so(s3_hook, topic):
    with pytest.raises(AirflowFailException, match="the drift report is missing: s3://"):
        publish(s3_hook, day=judged_day(drifted()))


def test_alert_when_the_report_breaks_its_contract_then_one_line_names_file_and_key(s3_hook, topic):
    with pytest.raises(AirflowFailException, match=r"drift_report.json, key 'verdict'") as failed:
        publish(s3_hook, {**drifted(), "verdict": "odd"})
    assert "\n" not in str(failed.value)
    assert topic.texts() == []


def test_alert_when_a_kept_message_is_damaged_then_nothing_is_sent_and_one_line_names_it(s3_hook, topic):
    client("s3").put_object(Bucket="churn-artifacts", Key=MESSAGE, Body=b'{"contract": "other"}')
    with pytest.raises(AirflowFailException, match=r"messages/2026-11-24/001\.json"):
        publish(s3_hook, drifted())
    assert topic.texts() == []


def test_create_json_when_many_do_it_at_once_then_one_of_them_wins(s3_hook):
    def create(number):
        return create_json(s3_hook, "s3://churn-artifacts/one.json", {"writer": number}, what="it")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(create, range(4))) == [False, False, False, True]


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_create_json_when_s3_says_another_was_first_then_it_was_not_written(s3_hook, code):
    def taken(params, **_):
        raise ClientError({"Error": {"Code": code, "Message": "x"}}, "PutObject")

    s3_hook.get_conn().meta.events.register("before-call.s3.PutObject", taken)
    assert not create_json(s3_hook, "s3://churn-artifacts/one.json", {}, what="it")


@pytest.mark.parametrize("change", [{"kind": "odd"}, {"version": 2}, {"run_id": None}, {"attributes": []}])
def test_kept_message_when_it_breaks_its_contract_then_is_refused(s3_hook, topic, change):
    publish(s3_hook, drifted())
    sound = ToldAlert.from_mapping(kept())
    assert sound.to_mapping() == kept()
    with pytest.raises(ContractError):
        ToldAlert.from_mapping({**kept(), **change})
