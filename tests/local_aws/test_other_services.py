"""Services that moto answers: what a laptop run and drift alerts need of them."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local_aws.stand_in import Server


def outbox(server: Server) -> list[dict[str, Any]]:
    files = sorted((server.state_directory / "outbox").glob("*.json"))
    return [json.loads(path.read_text()) for path in files]


def test_topic_when_a_message_is_published_then_it_lies_readable_in_the_outbox_once_also_after_a_restart(
    server: Server,
):
    sns = server.client("sns")
    topic = sns.create_topic(Name="drift")["TopicArn"]
    attributes = {"verdict": {"DataType": "String", "StringValue": "drift"}}
    published = sns.publish(
        TopicArn=topic,
        Subject="Drift: tenure",
        Message="tenure ×3\nsince Monday",
        MessageAttributes=attributes,
    )
    server.restart_after(signal.SIGKILL)
    assert server.client("sns").list_topics()["Topics"] == [{"TopicArn": topic}]
    messages = [message for message in outbox(server) if message["topic_arn"] == topic]
    assert [{k: v for k, v in message.items() if k != "published_at"} for message in messages] == [
        {
            "message_id": published["MessageId"],
            "topic_arn": topic,
            "subject": "Drift: tenure",
            "lines": ["tenure ×3", "since Monday"],
            "attributes": {"verdict": "drift"},
            "message": "tenure ×3\nsince Monday",
        }
    ]


def test_topic_when_unknown_then_publishing_is_refused_and_the_outbox_stays_empty(server: Server):
    sns = server.client("sns")
    unknown = "arn:aws:sns:eu-west-1:123456789012:nobody"
    try:
        sns.publish(TopicArn=unknown, Message="x")
    except sns.exceptions.NotFoundException:
        pass
    else:
        raise AssertionError("publishing to an unknown topic was accepted")
    assert not [message for message in outbox(server) if message["topic_arn"] == unknown]


def test_topic_when_a_batch_is_published_then_every_message_has_its_file(server: Server):
    sns = server.client("sns")
    topic = sns.create_topic(Name="batch")["TopicArn"]
    sns.publish_batch(
        TopicArn=topic, PublishBatchRequestEntries=[{"Id": str(n), "Message": f"m{n}"} for n in range(3)]
    )
    assert sorted(m["message"] for m in outbox(server) if m["topic_arn"] == topic) == ["m0", "m1", "m2"]


def test_fifo_topic_when_the_same_message_comes_twice_then_the_outbox_has_it_once_also_after_a_restart(
    server: Server,
):
    topic = server.client("sns").create_topic(Name="alerts.fifo", Attributes={"FifoTopic": "true"})[
        "TopicArn"
    ]

    def publish(deduplication_id: str) -> None:
        server.client("sns").publish(
            TopicArn=topic,
            Message=f"about {deduplication_id}",
            MessageGroupId="group",
            MessageDeduplicationId=deduplication_id,
        )

    publish("one")
    publish("one")
    server.restart_after(signal.SIGKILL)
    publish("one")
    publish("two")
    found = [message["message"] for message in outbox(server) if message["topic_arn"] == topic]
    assert found == ["about one", "about two"]


def test_subscription_when_it_filters_by_attribute_then_gets_what_it_asked_for_also_after_a_restart(
    server: Server,
):
    sns, sqs = server.client("sns"), server.client("sqs")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    queue = sqs.create_queue(QueueName="filtered")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"transition": ["new", "worse"]})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": policy})
    server.restart_after(signal.SIGKILL)
    for transition in ("new", "cleared"):
        attributes = {"transition": {"DataType": "String", "StringValue": transition}}
        server.client("sns").publish(TopicArn=topic, Message=transition, MessageAttributes=attributes)
    got = server.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"])["Message"] for message in got] == ["new"]


# A client compresses a body of more than 10 KB by itself, a smaller one when it is told to.
@pytest.mark.parametrize(
    ("metrics", "configuration"),
    [(2, {}), (2, {"request_min_compression_size_bytes": 1}), (1000, {})],
    ids=["small", "small and compressed", "large and compressed"],
)
def test_metrics_when_published_then_are_read_back_also_after_a_restart(
    server: Server, metrics: int, configuration: dict[str, Any]
):
    namespace = f"Churn{metrics}{len(configuration)}"
    moment = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=5)
    data = [
        {
            "MetricName": "FeatureEffectSize",
            # moto's GetMetricData looks at dimensions, not at the namespace.
            "Dimensions": [
                {"Name": "Feature", "Value": f"column {number} (%25)"},
                {"Name": "ModelPackageGroup", "Value": namespace},
            ],
            "Timestamp": moment,
            "Value": number / 1000,
            "Unit": "None",
        }
        for number in range(metrics)
    ]
    server.client("cloudwatch", **configuration).put_metric_data(Namespace=namespace, MetricData=data)
    server.restart_after(signal.SIGKILL)
    cloudwatch = server.client("cloudwatch")
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
    assert sum(len(page["Metrics"]) for page in pages) == metrics
    metric = {"Namespace": namespace, "MetricName": "FeatureEffectSize", "Dimensions": data[1]["Dimensions"]}
    queries = [
        {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": 3600, "Stat": name}}
        for name in ("Sum", "SampleCount")
    ]
    found = cloudwatch.get_metric_data(
        MetricDataQueries=queries,
        StartTime=moment - timedelta(hours=1),
        EndTime=moment + timedelta(hours=1),
    )
    assert {entry["Id"]: entry["Values"] for entry in found["MetricDataResults"]} == {
        "sum": [0.001],
        "samplecount": [1.0],
    }


def test_caller_when_asked_who_it_is_then_the_account_is_the_local_one(server: Server):
    assert server.client("sts").get_caller_identity()["Account"] == "123456789012"
