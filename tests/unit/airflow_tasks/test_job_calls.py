import logging

import boto3
import pytest

from include.airflow_tasks.job_calls import (
    create_job_once,
    describe_job,
    log_tail,
    request_stop,
    with_patience,
)
from include.airflow_tasks.job_kinds import PROCESSING, TRAINING
from tests.unit.airflow_tasks.sagemaker_server import Fault

LOGGER = logging.getLogger(__name__)
REQUEST = {
    "TrainingJobName": "job-1",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/churn-sagemaker-job",
    "OutputDataConfig": {"S3OutputPath": "s3://artifacts/train"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@pytest.fixture
def client(sagemaker):
    return boto3.client("sagemaker", region_name="eu-west-1")


def create(client, patience_seconds=0.0):
    return create_job_once(client, TRAINING, REQUEST, patience_seconds=patience_seconds, logger=LOGGER)


def test_describe_job_when_no_such_job_then_none(client):
    assert describe_job(client, TRAINING, "job-1") is None


def test_create_job_once_when_name_is_free_then_the_description_has_the_arn(client):
    assert create(client)["TrainingJobArn"].endswith("training-job/job-1")


def test_create_job_once_when_name_is_taken_then_that_job_is_followed(client, sagemaker):
    create(client)
    assert create(client)["TrainingJobName"] == "job-1"
    assert len(sagemaker.jobs) == 1


def test_create_job_once_when_the_answer_is_lost_then_there_is_one_job(client, sagemaker):
    sagemaker.faults["CreateTrainingJob"] = [Fault(cut=True, after_work=True)]
    assert create(client, patience_seconds=5)["TrainingJobStatus"] == "InProgress"
    assert sagemaker.count("CreateTrainingJob") == 2
    assert len(sagemaker.jobs) == 1


def test_create_job_once_when_refused_for_a_quota_then_the_error_is_raised_at_once(client, sagemaker):
    sagemaker.faults["CreateTrainingJob"] = [Fault(400, "ResourceLimitExceeded", "no ml.m5.large left")]
    with pytest.raises(client.exceptions.ResourceLimitExceeded):
        create(client, patience_seconds=5)
    assert sagemaker.count("CreateTrainingJob") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(400, "ThrottlingException"),
        Fault(500, "InternalFailure"),
        Fault(503, "ServiceUnavailable"),
        Fault(cut=True),
    ],
    ids=["throttled", "internal", "unavailable", "connection-cut"],
)
def test_with_patience_when_the_error_passes_then_the_call_is_repeated(client, sagemaker, fault):
    create(client)
    sagemaker.faults["DescribeTrainingJob"] = [fault]
    found = with_patience(lambda: describe_job(client, TRAINING, "job-1"), patience_seconds=5, logger=LOGGER)
    assert found["TrainingJobName"] == "job-1"


def test_with_patience_when_patience_has_run_out_then_the_error_is_raised(client, sagemaker):
    sagemaker.faults["DescribeTrainingJob"] = [Fault(400, "ThrottlingException")]
    with pytest.raises(client.exceptions.ClientError, match="Throttling"):
        with_patience(lambda: describe_job(client, TRAINING, "job-1"), patience_seconds=0, logger=LOGGER)


def stop(client):
    return request_stop(client, TRAINING, "job-1", patience_seconds=5, logger=LOGGER)


def test_request_stop_when_the_job_runs_then_it_is_stopping_on_return(client, sagemaker):
    create(client)
    assert stop(client)
    assert sagemaker.jobs["job-1"]["TrainingJobStatus"] == "Stopping"


def test_request_stop_when_throttled_once_then_it_is_repeated_until_accepted(client, sagemaker):
    create(client)
    sagemaker.faults["StopTrainingJob"] = [Fault(400, "ThrottlingException")]
    assert stop(client)
    assert sagemaker.jobs["job-1"]["TrainingJobStatus"] == "Stopping"


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_request_stop_when_the_job_has_ended_then_there_is_nothing_to_do(client, sagemaker, status):
    create(client)
    sagemaker.end("job-1", status)
    assert stop(client)


def test_request_stop_when_there_is_no_such_job_then_there_is_nothing_to_do(client):
    assert stop(client)


def test_request_stop_when_access_is_denied_then_it_says_how_to_stop_by_hand_and_does_not_raise(
    client, sagemaker, caplog
):
    create(client)
    sagemaker.faults["StopTrainingJob"] = [Fault(400, "AccessDeniedException", "not yours")]
    assert not stop(client)
    assert "aws sagemaker stop-training-job --training-job-name job-1" in caplog.text


def test_log_tail_when_the_job_has_a_log_then_its_last_lines_in_order(sagemaker):
    sagemaker.log_lines["job-1/algo-1-1"] = [f"line {number}" for number in range(60)]
    logs = boto3.client("logs", region_name="eu-west-1")
    assert log_tail(logs, PROCESSING, "job-1", lines=3) == ["line 57", "line 58", "line 59"]


def test_log_tail_when_the_log_cannot_be_read_then_it_says_so_and_does_not_raise(sagemaker):
    sagemaker.faults["DescribeLogStreams"] = [Fault(400, "ResourceNotFoundException", "no such group")]
    logs = boto3.client("logs", region_name="eu-west-1")
    assert "could not be read" in log_tail(logs, PROCESSING, "job-1")[0]
