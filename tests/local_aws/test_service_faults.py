"""A service that is made to refuse its requests, and comes back."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import Server

SERVICES = {
    "sns": lambda server: server.client("sns").list_topics(),
    "monitoring": lambda server: server.client("cloudwatch").list_metrics(),
    "sagemaker": lambda server: server.client("sagemaker").list_processing_jobs(),
    "s3": lambda server: server.client("s3").list_buckets(),
}


def control(server: Server, method: str, path: str, content: Any = None) -> dict[str, Any]:
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(f"{server.url}/_local_aws/faults{path}", body, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("service", SERVICES)
def test_service_when_it_is_out_then_refuses_and_answers_again_afterwards(server: Server, service: str):
    control(server, "PUT", f"/{service}")
    with pytest.raises(ClientError) as refused:
        SERVICES[service](server)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert control(server, "DELETE", f"/{service}") == {"refused": 1}
    SERVICES[service](server)


def test_service_when_it_is_out_for_some_requests_then_the_next_one_is_answered(server: Server):
    control(server, "PUT", "/sns", {"requests": 2, "status": 500})
    sns = server.client("sns")
    for _ in range(2):
        with pytest.raises(ClientError):
            sns.list_topics()
    sns.list_topics()
    assert control(server, "GET", "")["sns"] == {"status": 500, "requests": 2, "refused": 2}


def test_message_when_the_topic_service_is_out_then_does_not_reach_the_outbox(server: Server):
    sns = server.client("sns")
    topic = sns.create_topic(Name="during-the-outage")["TopicArn"]
    control(server, "PUT", "/sns", {"requests": 1})
    with pytest.raises(ClientError):
        sns.publish(TopicArn=topic, Message="lost")
    sns.publish(TopicArn=topic, Message="kept")
    texts = [
        json.loads(path.read_text())["message"]
        for path in (server.state_directory / "outbox").glob("*during-the-outage*.json")
    ]
    assert texts == ["kept"]


def test_other_services_when_one_is_out_then_answer(server: Server):
    control(server, "PUT", "/sns", {"requests": 1})
    answer = server.client("s3").list_buckets()
    control(server, "DELETE", "/sns")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    "content",
    [{"status": 200}, {"requests": 0}, {"seconds": 3}, [1]],
    ids=json.dumps,
)
def test_fault_when_it_makes_no_sense_then_is_refused(server: Server, content: Any):
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(server, "PUT", "/sns", content)
    assert refused.value.code == 400
