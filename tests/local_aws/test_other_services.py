"""Services that moto answers: what a laptop run and drift alerts need of them."""

import json
import signal
from typing import Any

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
            "message": "tenure ×3\nsince Monday",
            "attributes": {"verdict": "drift"},
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


def test_caller_when_asked_who_it_is_then_the_account_is_the_local_one(server: Server):
    assert server.client("sts").get_caller_identity()["Account"] == "123456789012"
