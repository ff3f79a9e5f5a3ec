import asyncio
import time

import boto3
import pytest
from airflow.sdk.module_loading import import_string

from include.airflow_tasks import sagemaker_job_trigger
from include.airflow_tasks.sagemaker_job_trigger import SageMakerJobTrigger
from tests.unit.airflow_tasks.sagemaker_server import Fault

ARGUMENTS = {
    "job_name": "job-1",
    "job_type": "processing",
    "waiter_delay": 0.01,
    "deadline_epoch_seconds": 4_000_000_000.0,
    "aws_conn_id": None,
    "region_name": "eu-west-1",
    "verify": None,
    "botocore_config": {"retries": {"max_attempts": 1}},
}
REQUEST = {
    "ProcessingJobName": "job-1",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": "arn:aws:iam::123456789012:role/churn-sagemaker-job",
}


@pytest.fixture
def job(sagemaker):
    boto3.client("sagemaker", region_name="eu-west-1").create_processing_job(**REQUEST)
    return sagemaker.jobs["job-1"]


def first_event(trigger, during=lambda: None):
    async def run():
        stream = trigger.run()
        event = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        during()
        return (await asyncio.wait_for(event, timeout=10)).payload

    return asyncio.run(run())


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"verify": False, "region_name": "us-east-1"},
        {"verify": "/etc/bundle.pem", "aws_conn_id": "aws_churn"},
        {"botocore_config": {"read_timeout": 7, "retries": {"max_attempts": 3}}},
        {"region_name": None, "botocore_config": None},
    ],
)
def test_trigger_when_serialised_and_rebuilt_then_nothing_is_lost(changed):
    path, arguments = SageMakerJobTrigger(**{**ARGUMENTS, **changed}).serialize()
    assert arguments == {**ARGUMENTS, **changed}
    rebuilt = import_string(path)(**arguments)
    assert rebuilt.serialize() == (path, arguments)


def test_trigger_when_rebuilt_then_its_client_has_the_region_and_configuration(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    arguments = {**ARGUMENTS, "region_name": "ap-southeast-2", "botocore_config": {"read_timeout": 7}}
    path, kept = SageMakerJobTrigger(**arguments).serialize()
    client = import_string(path)(**kept).hook().get_conn()
    assert client.meta.region_name == "ap-southeast-2"
    assert client.meta.config.read_timeout == 7


def test_trigger_when_the_job_completes_then_it_fires_once(sagemaker, job):
    event = first_event(SageMakerJobTrigger(**ARGUMENTS), lambda: sagemaker.end("job-1", "Completed"))
    assert event == {"job_name": "job-1", "outcome": "ended", "message": "Completed"}


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_trigger_when_the_job_ends_in_vain_then_it_fires_too(sagemaker, job, status):
    sagemaker.end("job-1", status)
    assert first_event(SageMakerJobTrigger(**ARGUMENTS))["message"] == status


def test_trigger_when_aws_fails_for_a_while_then_it_waits_on(sagemaker, job):
    sagemaker.faults["DescribeProcessingJob"] = [
        Fault(400, "ThrottlingException"),
        Fault(500, "InternalFailure"),
        Fault(cut=True),
    ]
    sagemaker.end("job-1", "Completed")
    assert first_event(SageMakerJobTrigger(**ARGUMENTS))["outcome"] == "ended"
    assert not sagemaker.faults["DescribeProcessingJob"]


def test_trigger_when_aws_is_unreachable_for_too_long_then_it_says_so_and_leaves_the_job(
    sagemaker, job, monkeypatch
):
    monkeypatch.setattr(sagemaker_job_trigger, "UNREACHABLE_LIMIT_SECONDS", 0)
    sagemaker.faults["DescribeProcessingJob"] = [Fault(500, "InternalFailure", "down")] * 10
    event = first_event(SageMakerJobTrigger(**ARGUMENTS))
    assert (event["outcome"], event["message"]) == ("unreachable", "InternalFailure: down")
    assert not sagemaker.count("StopProcessingJob")


def test_trigger_when_access_is_denied_then_it_fails_instead_of_waiting(sagemaker, job):
    sagemaker.faults["DescribeProcessingJob"] = [Fault(400, "AccessDeniedException")]
    with pytest.raises(Exception, match="AccessDenied"):
        first_event(SageMakerJobTrigger(**ARGUMENTS))


def test_trigger_when_the_deadline_has_passed_then_it_says_so(sagemaker, job):
    trigger = SageMakerJobTrigger(**{**ARGUMENTS, "deadline_epoch_seconds": time.time() - 1})
    assert first_event(trigger)["outcome"] == "time_limit"


def test_trigger_when_cancelled_by_a_restart_then_the_job_goes_on(sagemaker, job):
    async def run():
        event = asyncio.ensure_future(anext(SageMakerJobTrigger(**ARGUMENTS).run()))
        await asyncio.sleep(0.05)
        event.cancel()
        with pytest.raises(asyncio.CancelledError):
            await event

    asyncio.run(run())
    assert not sagemaker.count("StopProcessingJob")


def test_trigger_when_killed_by_a_person_then_the_job_is_stopping(sagemaker, job):
    asyncio.run(SageMakerJobTrigger(**ARGUMENTS).on_kill())
    assert job["ProcessingJobStatus"] == "Stopping"


@pytest.mark.parametrize(("state", "stops"), [("deferred", 0), (None, 1), ("failed", 1), ("success", 1)])
def test_trigger_when_killed_then_it_stops_the_job_only_if_its_task_no_longer_waits(
    sagemaker, job, monkeypatch, state, stops
):
    from airflow.sdk.execution_time.comms import TaskStatesResult

    class Supervisor:
        """Answers the one question that crosses to Airflow."""

        def send(self, message):
            assert (message.dag_id, message.task_ids, message.run_ids) == ("dag", ["preprocess"], ["run"])
            return TaskStatesResult(task_states={"run": {"preprocess": state}})

    class TaskInstance:
        dag_id, task_id, run_id, map_index = "dag", "preprocess", "run", -1

    monkeypatch.setattr(
        "airflow.sdk.execution_time.task_runner.SUPERVISOR_COMMS", Supervisor(), raising=False
    )
    trigger = SageMakerJobTrigger(**ARGUMENTS)
    trigger._task_instance = TaskInstance()
    asyncio.run(trigger.on_kill())
    assert sagemaker.count("StopProcessingJob") == stops
