"""An SNS topic with a queue behind it, so that what subscribers get can be counted; and ways to break it."""

import functools
import json
import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

REGION = "eu-west-1"


@dataclass(frozen=True)
class Topic:
    arn: str
    queue_url: str

    def texts(self) -> list[str]:
        """What subscribers got since the last look."""
        sqs = client("sqs")
        got: list[str] = []
        while found := sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                got.append(json.loads(message["Body"])["Message"])
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return got


def make_topic(*, fifo: bool = False) -> Topic:
    ending, attributes = (".fifo", {"FifoTopic": "true"}) if fifo else ("", {})
    sns, sqs = client("sns"), client("sqs")
    arn = sns.create_topic(Name=f"churn-alerts{ending}", Attributes=attributes)["TopicArn"]
    queue_attributes = {"FifoQueue": "true"} if fifo else {}
    queue = sqs.create_queue(QueueName=f"subscriber{ending}", Attributes=queue_attributes)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    return Topic(arn, queue)


class KilledError(BaseException):
    """The worker died here."""


def client(service: str = "sns") -> Any:
    """A client of the server that AWS_ENDPOINT_URL names; making one costs more than most requests."""
    return _client(service, os.environ["AWS_ENDPOINT_URL"])


@functools.cache
def _client(service: str, url: str) -> Any:
    return boto3.client(service, region_name=REGION, endpoint_url=url)


def refusing(operation: str, status: int, body: bytes = b"", service: str = "sns") -> Any:
    """A client whose requests AWS answers with this."""
    made = boto3.client(service, region_name=REGION)

    class _Raw:
        def stream(self, *_: Any, **__: Any) -> Any:
            yield body

    def refuse(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, {}, _Raw())

    made.meta.events.register(f"before-send.{service}.{operation}", refuse)
    return made


def dying(operation: str, *, after_the_answer: bool, service: str = "sns", survives: int = 0) -> Any:
    """A client whose process is killed before a request leaves, or when its answer is there.

    It `survives` so many requests before.
    """
    made = boto3.client(service, region_name=REGION)

    lives = iter(range(survives))

    def die(**_: Any) -> None:
        if next(lives, None) is None:
            raise KilledError

    event = "after-call" if after_the_answer else "before-send"
    made.meta.events.register(f"{event}.{service}.{operation}", die)
    return made
