"""What SNS and CloudWatch say they refuse, beyond botocore's service models, which hold little of it.

From the API references of Publish (Subject, Message, MessageDeduplicationId), the developer guide's page on
message attributes, and the API references of PutMetricData, MetricDatum and Dimension.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from botocore.serialize import create_serializer

from tests.unit.sagemaker_requests.service_model import find_breaches, service_model

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_FIFO_ID = re.compile(r"[!-~]{1,128}")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def publish_breaches(request: Mapping[str, Any]) -> list[str]:
    """One sentence per breach of SNS's rules."""
    return [*find_breaches("Publish", request, "sns"), *_publish_rules(request)]


def _publish_rules(request: Mapping[str, Any]) -> Iterator[str]:
    subject, message = request["Subject"], request["Message"]
    if not 0 < len(subject) < 100 or not re.fullmatch(r"[!-~][ -~]*", subject):
        yield f"subject {subject!r} is not 1 to 99 characters of ASCII that begin with a visible one"
    if not message or _NOT_IN_XML.search(message):
        yield "the message is empty or holds what XML does not know"
    yield from _attribute_rules(request["MessageAttributes"])
    if len(message.encode()) + len(str(request["MessageAttributes"]).encode()) > 262_144:
        yield "larger than 256 KiB"
    if request["TopicArn"].endswith(".fifo"):
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            if not _FIFO_ID.fullmatch(request[name]):
                yield f"{name} {request[name]!r}"


def _attribute_rules(attributes: Mapping[str, Any]) -> Iterator[str]:
    if len(attributes) > 10:
        yield "more than ten attributes do not reach a queue"
    for name, value in attributes.items():
        reserved = name.lower().startswith(("aws.", "amazon."))
        if not _ATTRIBUTE_NAME.fullmatch(name) or len(name) > 256 or reserved:
            yield f"attribute name {name!r}"
        if value["DataType"] != "String" or not value["StringValue"]:
            yield f"attribute {name} is not a text with something in it"


def put_metric_data_breaches(request: Mapping[str, Any], now: datetime) -> list[str]:
    """One sentence per breach of CloudWatch's rules."""
    found = [*find_breaches("PutMetricData", request, "cloudwatch"), *_request_rules(request)]
    for datum in request["MetricData"]:
        found += _datum_rules(datum, now)
    return found


def _request_rules(request: Mapping[str, Any]) -> Iterator[str]:
    if request["Namespace"].startswith((":", "AWS/")):
        yield "the namespace is Amazon's own"
    data = request["MetricData"]
    if not 1 <= len(data) <= 1000:
        yield f"{len(data)} metrics in a request"
    keys = [
        (datum["MetricName"], *((entry["Name"], entry["Value"]) for entry in datum["Dimensions"]))
        for datum in data
    ]
    if len(set(keys)) != len(keys):
        yield "two figures of one metric at one time"
    operation = service_model("cloudwatch").operation_model("PutMetricData")
    for protocol in ("smithy-rpc-v2-cbor", "query", "json"):
        body = create_serializer(protocol, False).serialize_to_request(dict(request), operation)["body"]
        size = len(_encoded(body))
        if size > 1_000_000:
            yield f"{size} bytes as {protocol}"


def _encoded(body: Any) -> bytes:
    if isinstance(body, Mapping):
        return urlencode(body).encode()
    return body if isinstance(body, bytes) else str(body).encode()


def _datum_rules(datum: Mapping[str, Any], now: datetime) -> Iterator[str]:
    value = datum["Value"]
    if not abs(value) <= 2.0**360 or 0 < abs(value) < 2.0**-360:
        yield f"value {value}"
    age = now - datum["Timestamp"]
    if age > timedelta(days=14) or age < -timedelta(hours=2):
        yield f"timestamp {datum['Timestamp']} at {now}"
    for entry in datum["Dimensions"]:
        text = entry["Value"]
        if not re.fullmatch(r"[ -~]{1,1024}", text) or not text.strip() or text.startswith(":"):
            yield f"dimension value {text!r}"
