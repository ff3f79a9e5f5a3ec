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
    fault = control(server, "GET", "")["sns"]
    assert (fault["status"], fault["requests"], fault["refused"]) == (500, 2, 2)


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


@pytest.mark.parametrize(
    ("service", "operation", "refused", "answered"),
    [
        pytest.param(
            "sagemaker",
            "CreateModelPackageGroup",
            lambda client: client.create_model_package_group(ModelPackageGroupName="refused"),
            lambda client: client.list_model_package_groups(),
            id="named in a header",
        ),
        pytest.param(
            "sns",
            "CreateTopic",
            lambda client: client.create_topic(Name="refused"),
            lambda client: client.list_topics(),
            id="named in the body",
        ),
    ],
)
def test_service_when_one_operation_is_out_then_the_others_are_answered(
    server: Server, service: str, operation: str, refused: Any, answered: Any
):
    client = server.client(service)
    control(server, "PUT", f"/{service}", {"operation": operation})
    assert "refused" not in json.dumps(answered(client), default=str)
    with pytest.raises(ClientError):
        refused(client)
    assert "refused" not in json.dumps(answered(client), default=str)
    assert control(server, "DELETE", f"/{service}") == {"refused": 1}
    refused(client)


def test_request_when_only_its_answer_is_lost_then_it_was_carried_out(server: Server):
    sagemaker = server.client("sagemaker")
    control(server, "PUT", "/sagemaker", {"operation": "CreateModelPackageGroup", "carried_out": True})
    with pytest.raises(ClientError) as lost:
        sagemaker.create_model_package_group(ModelPackageGroupName="made-in-silence")
    assert lost.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert control(server, "DELETE", "/sagemaker") == {"refused": 1}
    assert sagemaker.describe_model_package_group(ModelPackageGroupName="made-in-silence")


def test_object_when_only_the_answer_is_lost_then_it_is_there(server: Server):
    control(server, "PUT", "/s3", {"requests": 2, "carried_out": True})
    with pytest.raises(ClientError):
        server.put("kept", "content of an object")
    with pytest.raises(ClientError):
        server.read("kept")
    assert server.read("kept") == b"content of an object"


def test_other_services_when_one_is_out_then_answer(server: Server):
    control(server, "PUT", "/sns", {"requests": 1})
    answer = server.client("s3").list_buckets()
    control(server, "DELETE", "/sns")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    "content",
    [
        {"status": 200},
        {"requests": 0},
        {"seconds": 3},
        {"operation": "list topics"},
        {"operation": 3},
        {"carried_out": "yes"},
        [1],
    ],
    ids=json.dumps,
)
def test_fault_when_it_makes_no_sense_then_is_refused(server: Server, content: Any):
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(server, "PUT", "/sns", content)
    assert refused.value.code == 400


def test_fault_when_an_operation_of_s3_is_named_then_is_refused(server: Server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(server, "PUT", "/s3", {"operation": "PutObject"})
    assert "do not name their operation" in json.load(refused.value)["message"]
