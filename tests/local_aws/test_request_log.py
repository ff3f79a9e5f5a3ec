"""Who called what: the log by which permissions are judged."""

import json

import pytest

from tests.local_aws.stand_in import Server


@pytest.fixture
def logging_server(tmp_path):
    server = Server(tmp_path / "state", arguments=["--request-log", str(tmp_path / "requests.jsonl")])
    server.start()
    yield server, tmp_path / "requests.jsonl"
    server.process.kill()
    server.process.wait()
    server.process.stdout.close()


def test_request_log_when_asked_for_then_has_one_line_per_request_with_its_caller(logging_server):
    server, log = logging_server
    server.client("s3").create_bucket(
        Bucket="some-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    server.client("s3").put_object(Bucket="some-bucket", Key="folder/file", Body=b"secret content")
    server.client("sagemaker").list_processing_jobs(MaxResults=1)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["service"], line["method"], line["path"], line["action"]) for line in lines] == [
        ("s3", "PUT", "/some-bucket", ""),
        ("s3", "PUT", "/some-bucket/folder/file", ""),
        ("sagemaker", "POST", "/", "ListProcessingJobs"),
    ]
    assert all(line["caller"] for line in lines)
    assert lines[1]["body"] == ""
    assert lines[2]["body"] != ""
