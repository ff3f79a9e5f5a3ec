import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.sdk.bases.operator import TRIGGER_FAIL_REPR
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferralTimeout,
    TaskDeferred,
)
from airflow.sdk.execution_time.timeout import timeout
from airflow.sdk.module_loading import import_string

from include.airflow_tasks import sagemaker_job_mixin
from include.airflow_tasks.job_kinds import START_UP_MARGIN_SECONDS
from include.airflow_tasks.sagemaker_job_operators import ProcessingJobOperator, TrainingJobOperator
from include.data_contracts.retraining_plan import RetrainingPlan
from tests.unit.airflow_tasks.plans import make_plan, make_result
from tests.unit.airflow_tasks.sagemaker_server import Fault

RETRIES = 2


def build_processing(plan, job_name, **upstream):
    return {
        "ProcessingJobName": job_name,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "train",
                    "S3Output": {
                        "S3Uri": f"{plan.run_prefix}/{job_name}/train",
                        "LocalPath": "/opt/ml/processing/output/train",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": "arn:aws:iam::123456789012:role/churn-sagemaker-job",
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def build_training(plan, job_name, preprocess):
    return {
        "TrainingJobName": job_name,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/churn-sagemaker-job",
        "OutputDataConfig": {"S3OutputPath": f"{plan.run_prefix}/train"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
        "Environment": {"TRAIN_URI": preprocess.outputs["train"]},
    }


def processing(**changed):
    arguments = {
        "task_id": "preprocess",
        "stage": "preprocess",
        "plan": make_plan().to_mapping(),
        "read_plan": RetrainingPlan.from_mapping,
        "build_request": build_processing,
        "poll_interval_seconds": 0.05,
        "deferrable": True,
        "retries": RETRIES,
        "aws_conn_id": None,
        "region_name": "eu-west-1",
    }
    return ProcessingJobOperator(**{**arguments, **changed})


def training(**changed):
    return TrainingJobOperator(
        task_id="train",
        stage="train",
        plan=make_plan().to_mapping(),
        read_plan=RetrainingPlan.from_mapping,
        build_request=build_training,
        upstream_results={"preprocess": make_result("preprocess").to_mapping()},
        poll_interval_seconds=0.05,
        deferrable=changed.pop("deferrable", True),
        retries=RETRIES,
        aws_conn_id=None,
        region_name="eu-west-1",
        **changed,
    )


def context(try_number=1, max_tries=RETRIES):
    return {"ti": SimpleNamespace(try_number=try_number, max_tries=max_tries)}


def defer(operator, **tries):
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(context(**tries))
    return deferred.value


def resume(operator, sagemaker, outcome="ended", **tries):
    event = {"job_name": only_job(sagemaker), "outcome": outcome, "message": ""}
    return operator.resume_execution("execute_complete", {"event": event}, context(**tries))


def only_job(sagemaker):
    (name,) = sagemaker.jobs
    return name


# --- what must hold before a job starts ----------------------------------------------------------------
def refuse(plan):
    raise AirflowFailException(f"not for {plan.run_id}")


def test_execute_when_the_start_is_refused_then_no_job_is_created(sagemaker):
    with pytest.raises(AirflowFailException, match=f"not for {make_plan().run_id}"):
        processing(check_start=refuse).execute(context())
    assert sagemaker.count("CreateProcessingJob") == 0


def test_execute_when_the_job_runs_already_then_its_start_is_not_checked_again(sagemaker):
    defer(processing())
    defer(processing(check_start=refuse), try_number=2)
    assert sagemaker.count("CreateProcessingJob") == 1


# --- which job a task means ----------------------------------------------------------------------------
def test_execute_when_no_job_exists_then_one_is_created_and_awaited(sagemaker):
    deferred = defer(processing())
    assert deferred.trigger.job_name == only_job(sagemaker)
    assert deferred.method_name == "execute_complete"


def test_execute_when_the_job_runs_already_then_it_is_followed(sagemaker):
    first = defer(processing())
    second = defer(processing(), try_number=2)
    assert second.trigger.job_name == first.trigger.job_name
    assert sagemaker.count("CreateProcessingJob") == 1


def test_execute_when_the_job_has_completed_meanwhile_then_its_result_is_returned_at_once(sagemaker):
    defer(processing())
    sagemaker.end(only_job(sagemaker), "Completed")
    result = processing().execute(context(try_number=2))
    assert result["job_name"] == only_job(sagemaker)
    assert sagemaker.count("CreateProcessingJob") == 1


@pytest.mark.parametrize("status", ["Failed", "Stopped", "Stopping"])
def test_execute_when_the_last_attempt_was_in_vain_then_the_next_one_is_created(sagemaker, status):
    first = defer(processing()).trigger.job_name
    sagemaker.end(first, status)
    second = defer(processing(), try_number=2).trigger.job_name
    assert second != first
    assert list(sagemaker.jobs) == [first, second]


def test_execute_when_two_attempts_were_in_vain_then_the_third_is_created(sagemaker):
    names = []
    for try_number in (1, 2, 3):
        names.append(defer(processing(), try_number=try_number).trigger.job_name)
        sagemaker.end(names[-1], "Failed")
    assert len(set(names)) == 3


def test_execute_when_a_finished_task_was_cleared_then_the_job_runs_anew(sagemaker):
    first = defer(processing()).trigger.job_name
    sagemaker.end(first, "Completed")
    # What the scheduler does on clearing: max_tries = try_number so far + retries.
    second = defer(processing(), try_number=2, max_tries=1 + RETRIES).trigger.job_name
    assert second != first


def test_execute_when_a_waiting_task_was_cleared_then_the_job_nobody_awaits_is_stopped(sagemaker):
    first = defer(processing()).trigger.job_name
    second = defer(processing(), try_number=2, max_tries=1 + RETRIES).trigger.job_name
    assert sagemaker.jobs[first]["ProcessingJobStatus"] == "Stopping"
    assert sagemaker.jobs[second]["ProcessingJobStatus"] == "InProgress"


def test_execute_when_retries_were_raised_between_two_tries_then_the_job_is_still_found(sagemaker):
    first = defer(processing()).trigger.job_name
    assert defer(processing(retries=5), try_number=2, max_tries=RETRIES).trigger.job_name == first


def test_execute_when_another_creates_the_job_at_the_same_moment_then_that_job_is_followed(sagemaker):
    # Both see a free name; the other's request is carried out first.
    sagemaker.faults["CreateProcessingJob"] = [Fault(400, "ResourceInUse", "taken", after_work=True)]
    assert defer(processing()).trigger.job_name == only_job(sagemaker)


def test_execute_when_the_answer_to_the_request_is_lost_then_there_is_one_job(sagemaker):
    sagemaker.faults["CreateProcessingJob"] = [Fault(cut=True, after_work=True)]
    defer(processing())
    assert len(sagemaker.jobs) == 1


def test_execute_when_sagemaker_refuses_the_request_then_one_line_says_so(sagemaker):
    sagemaker.faults["CreateProcessingJob"] = [
        Fault(400, "ValidationException", "Could not assume role\narn:…")
    ]
    with pytest.raises(
        AirflowException, match=r"preprocess: SageMaker refused .* Could not assume role"
    ) as refused:
        processing().execute(context())
    assert "\n" not in str(refused.value)
    assert not sagemaker.jobs


def test_request_when_built_then_upstream_results_arrive_as_types(sagemaker):
    defer(training())
    (job,) = sagemaker.jobs.values()
    assert job["Environment"]["TRAIN_URI"] == make_result("preprocess").outputs["train"]


# --- what survives deferral ----------------------------------------------------------------------------
def test_defer_when_the_operator_has_its_own_connection_then_the_rebuilt_trigger_has_it_too(sagemaker):
    operator = processing(region_name="eu-central-1", verify=False, botocore_config={"read_timeout": 9})
    path, arguments = defer(operator).trigger.serialize()
    rebuilt = import_string(path)(**arguments)
    client = rebuilt.hook().get_conn()
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.config.read_timeout == 9
    assert rebuilt.verify is False


def test_defer_when_the_job_has_a_maximum_then_waiting_is_limited_by_it(sagemaker):
    deferred = defer(processing())
    created = sagemaker.jobs[only_job(sagemaker)]["CreationTime"]
    assert deferred.trigger.deadline_epoch_seconds == pytest.approx(
        created + 600 + START_UP_MARGIN_SECONDS, abs=1
    )
    assert deferred.timeout > timedelta(seconds=600 + START_UP_MARGIN_SECONDS)


def test_defer_when_a_spot_job_may_wait_longer_then_its_waiting_time_counts(sagemaker):
    deferred = defer(training())
    created = sagemaker.jobs[only_job(sagemaker)]["CreationTime"]
    assert deferred.trigger.deadline_epoch_seconds == pytest.approx(
        created + 900 + START_UP_MARGIN_SECONDS, abs=1
    )


def test_defer_when_a_later_try_follows_the_job_then_the_deadline_has_not_moved(sagemaker):
    first = defer(processing()).trigger.deadline_epoch_seconds
    sagemaker.jobs[only_job(sagemaker)]["CreationTime"] -= 100
    assert defer(processing(), try_number=2).trigger.deadline_epoch_seconds == pytest.approx(
        first - 100, abs=0.01
    )


def test_defer_when_the_task_has_an_execution_timeout_then_the_deferral_has_it(sagemaker):
    assert defer(processing(execution_timeout=timedelta(minutes=7))).timeout == timedelta(minutes=7)


# --- how it ends ---------------------------------------------------------------------------------------
def test_resume_when_the_job_completed_then_the_result_has_arn_outputs_and_seconds(sagemaker):
    defer(processing())
    name = only_job(sagemaker)
    sagemaker.end(name, "Completed", ProcessingStartTime=1000.0, ProcessingEndTime=1012.5)
    result = resume(processing(), sagemaker)
    assert result["job_arn"] == f"arn:aws:sagemaker:eu-west-1:123456789012:processing-job/{name}"
    assert result["outputs"] == {"train": f"{make_plan().run_prefix}/{name}/train"}
    assert result["seconds"] == 12.5


def test_resume_when_training_completed_then_the_result_has_model_and_output_archives(sagemaker):
    defer(training())
    name = only_job(sagemaker)
    sagemaker.end(name, "Completed")
    result = resume(training(), sagemaker)
    assert result["model_artifact_uri"] == f"{make_plan().run_prefix}/train/{name}/output/model.tar.gz"
    assert result["training_output_uri"] == f"{make_plan().run_prefix}/train/{name}/output/output.tar.gz"


def test_resume_when_the_job_failed_then_one_line_has_its_reason_and_the_log(sagemaker, capsys):
    defer(processing())
    name = only_job(sagemaker)
    sagemaker.end(name, "Failed", ExitMessage="KeyError: 'x'", FailureReason="AlgorithmError: see logs")
    sagemaker.log_lines[f"{name}/algo-1-1"] = ["reading", "Traceback …"]
    with pytest.raises(AirflowException) as failed:
        resume(processing(), sagemaker)
    message = str(failed.value)
    assert message.startswith(
        f"preprocess: the processing job {name} failed: KeyError: 'x'; AlgorithmError: see logs"
    )
    assert f"logStreamNameFilter$3D{name}" in message
    assert "\n" not in message
    assert not isinstance(failed.value, AirflowFailException)
    assert "reading\nTraceback …" in capsys.readouterr().out


def test_resume_when_the_job_refused_its_input_then_it_is_not_tried_again(sagemaker):
    defer(processing())
    sagemaker.end(only_job(sagemaker), "Failed", ExitMessage="invalid input: a.csv, line 7: …")
    with pytest.raises(AirflowFailException, match=r"a\.csv, line 7"):
        resume(processing(), sagemaker)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, "a person or another program stopped it"),
        ({"FailureReason": "CapacityError: no capacity"}, "CapacityError: no capacity"),
        ({"SecondaryStatus": "MaxRuntimeExceeded"}, "it ran longer than MaxRuntimeInSeconds = 600"),
        ({"SecondaryStatus": "Interrupted"}, "Interrupted"),
    ],
)
def test_resume_when_the_job_was_stopped_then_it_is_a_failure_with_its_reason(sagemaker, facts, reason):
    defer(training())
    sagemaker.end(only_job(sagemaker), "Stopped", **{"SecondaryStatus": "Stopped", **facts})
    with pytest.raises(AirflowException, match=f"was stopped: {reason}"):
        resume(training(), sagemaker)


def test_resume_when_woken_too_early_then_it_waits_on(sagemaker):
    deferred = defer(processing())
    with pytest.raises(TaskDeferred) as again:
        resume(processing(), sagemaker, outcome="unreachable")
    assert again.value.trigger.deadline_epoch_seconds == deferred.trigger.deadline_epoch_seconds


def test_resume_when_the_deadline_has_passed_then_the_job_is_stopped(sagemaker):
    defer(processing())
    with pytest.raises(AirflowException, match="did not end within"):
        resume(processing(), sagemaker, outcome="time_limit")
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


# --- nobody waits any more -----------------------------------------------------------------------------
def fail_deferral(operator, error, **tries):
    operator.resume_execution(TRIGGER_FAIL_REPR, {"error": error}, context(**tries))


def test_resume_when_the_deferral_timed_out_then_the_job_is_stopped(sagemaker):
    defer(processing())
    with pytest.raises(TaskDeferralTimeout):
        fail_deferral(processing(), "Trigger timeout")
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


def test_resume_when_the_deferral_of_a_second_attempt_timed_out_then_that_one_is_stopped(sagemaker):
    first = defer(processing()).trigger.job_name
    sagemaker.end(first, "Failed")
    second = defer(processing(), try_number=2).trigger.job_name
    with pytest.raises(TaskDeferralTimeout):
        fail_deferral(processing(), "Trigger timeout", try_number=2)
    assert sagemaker.jobs[first]["ProcessingJobStatus"] == "Failed"
    assert sagemaker.jobs[second]["ProcessingJobStatus"] == "Stopping"


@pytest.mark.parametrize(("try_number", "stops"), [(1, 0), (RETRIES, 0), (RETRIES + 1, 1)])
def test_resume_when_the_trigger_was_lost_then_the_job_is_stopped_only_if_nobody_follows_it(
    sagemaker, try_number, stops
):
    defer(processing())
    with pytest.raises(TaskDeferralError):
        fail_deferral(processing(), "Trigger failure", try_number=try_number)
    assert sagemaker.count("StopProcessingJob") == stops


def test_resume_when_the_stop_itself_fails_then_the_timeout_stays_the_error(sagemaker):
    defer(processing())
    sagemaker.faults["StopProcessingJob"] = [Fault(400, "AccessDeniedException")]
    with pytest.raises(TaskDeferralTimeout):
        fail_deferral(processing(), "Trigger timeout")


def test_on_kill_when_the_worker_waits_then_the_job_is_stopped_and_the_wait_ends(sagemaker):
    operator = processing(deferrable=False, poll_interval_seconds=0.2)
    outcome = []

    def run():
        try:
            operator.execute(context())
        except AirflowException as error:
            outcome.append(str(error))

    waiting = threading.Thread(target=run)
    waiting.start()
    wait_until(lambda: sagemaker.count("DescribeProcessingJob") >= 4)
    operator.on_kill()
    waiting.join(timeout=5)
    assert "was asked to stop" in outcome[0]
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


def test_on_kill_when_the_task_has_not_started_a_job_then_nothing_happens(sagemaker):
    processing().on_kill()
    assert sagemaker.calls == []


def test_on_kill_when_it_comes_while_the_job_is_being_started_then_the_job_is_stopped(sagemaker):
    operator = processing()
    work = sagemaker.work

    def killed_meanwhile(operation, body):
        operator._killed = operator._killed or operation.startswith("Create")
        return work(operation, body)

    sagemaker.work = killed_meanwhile
    with pytest.raises(AirflowException, match="was asked to stop"):
        operator.execute(context())
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


def test_on_kill_when_a_resumed_task_is_killed_then_its_job_is_stopped(sagemaker):
    defer(processing())
    operator = processing()
    with pytest.raises(TaskDeferred):
        resume(operator, sagemaker, outcome="unreachable")
    operator.on_kill()
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


def test_execution_timeout_when_it_passes_in_the_worker_then_the_job_is_stopped(sagemaker):
    operator = processing(deferrable=False, execution_timeout=timedelta(seconds=1))
    # What Airflow's task runner does around execute: its own timer, then on_kill.
    try:
        with timeout(1):
            operator.execute(context())
    except AirflowTaskTimeout:
        operator.on_kill()
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


# --- waiting in the worker (laptop) --------------------------------------------------------------------
def test_execute_when_not_deferrable_then_it_waits_and_returns_the_result(sagemaker):
    sagemaker.completes_after_looks = 3
    assert processing(deferrable=False).execute(context())["kind"] == "processing"


@pytest.mark.parametrize(
    "fault",
    [Fault(400, "ThrottlingException"), Fault(500, "InternalFailure"), Fault(cut=True)],
    ids=["throttled", "internal", "cut"],
)
def test_execute_when_aws_fails_for_a_while_then_the_worker_waits_on(sagemaker, fault):
    defer(processing())
    sagemaker.completes_after_looks = 2
    work = sagemaker.work

    def then_fail(operation, body):
        if sagemaker.count("DescribeProcessingJob") == 4:
            sagemaker.faults["DescribeProcessingJob"] = [fault, fault]
        return work(operation, body)

    sagemaker.work = then_fail
    assert processing(deferrable=False).execute(context(try_number=2))["job_name"]
    assert sagemaker.count("CreateProcessingJob") == 1
    assert not sagemaker.faults["DescribeProcessingJob"]


def test_execute_when_the_deadline_passes_in_the_worker_then_the_job_is_stopped(sagemaker, monkeypatch):
    monkeypatch.setattr(sagemaker_job_mixin, "deadline_epoch_seconds", lambda _: time.time() - 1)
    with pytest.raises(AirflowException, match="did not end within"):
        processing(deferrable=False).execute(context())
    assert sagemaker.jobs[only_job(sagemaker)]["ProcessingJobStatus"] == "Stopping"


def test_execute_when_the_server_speaks_to_boto3_then_requests_are_signed_for_the_region(sagemaker):
    defer(processing(region_name="us-west-2"))
    assert all("/us-west-2/sagemaker/" in headers["Authorization"] for headers in sagemaker.headers)


def wait_until(condition):
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_server_when_used_by_these_tests_then_it_refuses_a_second_job_of_a_name(sagemaker):
    client = boto3.client("sagemaker", region_name="eu-west-1")
    request = build_processing(make_plan(), "job-1")
    client.create_processing_job(**request)
    with pytest.raises(client.exceptions.ResourceInUse):
        client.create_processing_job(**request)
