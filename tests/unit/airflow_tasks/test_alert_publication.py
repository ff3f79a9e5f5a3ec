"""Messages reach the topic once: through outages, kills, retries, re-runs and days that follow each other."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import ClientError

from include.airflow_tasks.alert_publication import publish_day_alert
from include.airflow_tasks.published_documents import create_json
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.publication_marker import AlertMarker
from tests.unit.airflow_tasks.alert_topics import KilledError, client, dying, make_topic, refusing
from tests.unit.drift_alerts.days import RUN_URL, judged_day, outage_day, plan
from tests.unit.drift_alerts.drift_reports import DATE, alert, broken, drifted, report

MARKER = f"monitoring/telecom-churn/3/days/{DATE}/alert-drift-new.json"
DENIED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>"
    b"<Message>not authorized to perform: SNS:Publish</Message></Error></ErrorResponse>"
)


@pytest.fixture
def topic(aws):
    return make_topic()


def publish(s3_hook, document=None, *, day=None, sns=None, **plan_options):
    if document is not None:
        day = day or judged_day(document)
        bucket, _, key = day.report_json_uri.removeprefix("s3://").partition("/")
        client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    of = plan(**{"date": day.date, **plan_options})
    return publish_day_alert(
        of.to_mapping(), day.to_mapping(), s3=s3_hook, sns=sns or client(), run_url=RUN_URL
    )


def on(date, transition="new"):
    document = drifted(transition)
    document["alert"]["date"] = document["batch"]["date"] = date
    return document


def marker():
    body = client("s3").get_object(Bucket="churn-artifacts", Key=MARKER)["Body"].read()
    return json.loads(body)


def test_alert_when_drift_is_new_then_the_topic_gets_it_and_the_marker_says_sent(s3_hook, topic):
    result = publish(s3_hook, drifted())
    assert result["published"]
    assert (result["transition"], result["kind"]) == ("new", "drift")
    (text,) = topic.texts()
    assert text.startswith("DRIFT (new): tenure.")
    assert marker()["state"] == "sent"
    assert marker()["message_id"] == result["message_id"]


def test_alert_when_nothing_changed_then_nothing_is_sent_or_marked(s3_hook, topic):
    result = publish(s3_hook, report())
    assert (result["published"], result["transition"], result["message_id"]) == (False, "none", None)
    assert topic.texts() == []
    with pytest.raises(ClientError):
        marker()


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
    assert marker()["state"] == "pending"
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


@pytest.mark.parametrize("run_id", ["scheduled__2026-11-25T00:00:00+00:00", "manual__later"])
def test_alert_when_the_worker_is_killed_before_it_is_sent_then_exactly_one_is_sent(s3_hook, topic, run_id):
    with pytest.raises(KilledError):
        publish(s3_hook, drifted(), sns=dying("Publish", after_the_answer=False))
    assert topic.texts() == []
    assert publish(s3_hook, drifted(), run_id=run_id)["published"]
    publish(s3_hook, drifted(), run_id=run_id)
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
    assert [text.split(":")[0] for text in topic.texts()] == ["DRIFT (new)", "DRIFT (worse)"]


def test_alert_when_the_batch_is_replaced_by_a_broken_one_then_that_is_sent_too(s3_hook, topic):
    publish(s3_hook, drifted())
    publish(s3_hook, broken(), run_id="manual__again")
    assert [text.split(" (")[0] for text in topic.texts()] == ["DRIFT", "DATA BREAK"]


def test_alert_when_no_batch_came_then_one_is_sent_without_a_report(s3_hook, topic):
    result = publish(s3_hook, day=outage_day())
    assert (result["published"], result["kind"], result["transition"]) == (True, "batch", "new")
    publish(s3_hook, day=outage_day(), run_id="manual__again")
    assert len(topic.texts()) == 1


def test_alert_when_a_batch_comes_again_and_drifts_then_both_are_sent_and_drift_is_what_is_told_first(
    s3_hook, topic
):
    day = judged_day(drifted(), batch_transition="cleared", since="2026-11-20")
    result = publish(s3_hook, drifted(), day=day)
    assert (result["kind"], result["transition"]) == ("drift", "new")
    assert [text.split(" (")[0].split(":")[0] for text in topic.texts()] == ["BATCH CLEARED", "DRIFT"]
    assert result["message_id"] == ", ".join(one["message_id"] for one in result["messages"])
    again = publish(s3_hook, drifted(), day=day, run_id="manual__again")
    assert not again["published"]
    assert topic.texts() == []


def test_alert_when_it_is_over_then_is_sent(s3_hook, topic):
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


def test_alert_when_the_marker_is_damaged_then_nothing_is_sent_and_one_line_names_it(s3_hook, topic):
    client("s3").put_object(Bucket="churn-artifacts", Key=MARKER, Body=b'{"contract": "other"}')
    with pytest.raises(AirflowFailException, match=r"alert-drift-new\.json"):
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


@pytest.mark.parametrize("change", [{"state": "lost"}, {"version": 2}, {"run_id": None}])
def test_marker_when_it_breaks_its_contract_then_is_refused(change):
    sound = AlertMarker("a", "sent", "run", "2026-11-25", "id")
    assert AlertMarker.from_mapping(sound.to_mapping()) == sound
    with pytest.raises(ContractError):
        AlertMarker.from_mapping({**sound.to_mapping(), **change})
