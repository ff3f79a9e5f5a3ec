"""Processing jobs: the container contract, and what Describe tells about it."""

import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import BUCKET, IMAGE, Server, is_running, wait_until

OUTPUT = "/opt/ml/processing/output"
REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"


def output(name: str, path: str, prefix: str) -> dict:
    target = {"S3Uri": f"s3://{BUCKET}/{prefix}", "LocalPath": path, "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": target}


def s3_input(name: str, uri: str, path: str) -> dict:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def application(image: str = IMAGE) -> dict:
    return {
        "ImageUri": image,
        "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
    }


def test_processing_job_when_it_succeeds_then_outputs_message_and_times_are_there(server: Server):
    server.put("raw/a.csv", "1,2\n")
    server.put("raw/deep/b.csv", "3,4\n")
    script = """
import os, pathlib, sys
data = pathlib.Path(sys.argv[1])
target = pathlib.Path(os.environ["OUTPUT"])
(target / "sub").mkdir()
(target / "sub" / "all.csv").write_text("".join(p.read_text() for p in sorted(data.rglob("*.csv"))))
pathlib.Path(os.environ["SM_OUTPUT_DIR"], "message").write_text("rows: 2")
print("working on", len(list(data.rglob("*.csv"))), "files")
"""
    server.create_processing(
        "ok-1",
        script,
        arguments=["/opt/ml/processing/input/raw"],
        inputs=[s3_input("raw", f"s3://{BUCKET}/raw/", "/opt/ml/processing/input/raw")],
        ProcessingOutputConfig={"Outputs": [output("out", OUTPUT, "ok-1/out")]},
        Environment={"OUTPUT": OUTPUT},
    )
    described = server.wait_for("processing", "ok-1")
    assert described["ProcessingJobStatus"] == "Completed", server.log_text("processing", "ok-1")
    assert described["ExitMessage"] == "rows: 2"
    assert described["CreationTime"] <= described["ProcessingStartTime"] <= described["ProcessingEndTime"]
    assert server.read("ok-1/out/sub/all.csv") == b"1,2\n3,4\n"
    assert server.log_text("processing", "ok-1") == "working on 2 files"


def test_processing_job_when_it_fails_then_reason_and_message_are_given_and_nothing_is_uploaded(
    server: Server,
):
    script = """
import os, pathlib, sys
pathlib.Path(os.environ["SM_OUTPUT_DIR"], "message").write_text("line 7: no such column")
pathlib.Path(os.environ["OUTPUT"], "half.csv").write_text("1")
sys.exit(2)
"""
    server.create_processing(
        "fails-1",
        script,
        ProcessingOutputConfig={"Outputs": [output("out", OUTPUT, "fails-1/out")]},
        Environment={"OUTPUT": OUTPUT},
    )
    described = server.wait_for("processing", "fails-1")
    assert described["ProcessingJobStatus"] == "Failed"
    assert described["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert described["ExitMessage"] == "line 7: no such column"
    assert server.keys("fails-1/") == []


def test_processing_job_when_described_then_everything_that_was_sent_comes_back(server: Server):
    sent = {
        "Environment": {"A_B": "x", "LONG": "y" * 200},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 33}
        },
        "NetworkConfig": {
            "EnableNetworkIsolation": True,
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        },
        "ExperimentConfig": {"TrialComponentDisplayName": "shown"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 77},
        "AppSpecification": {**application(), "ContainerArguments": ["--a", "/opt/ml/x", "--b=é"]},
    }
    server.create_processing("kept-1", "pass", Tags=[{"Key": "churn:stage", "Value": "x"}], **sent)
    described = server.wait_for("processing", "kept-1")
    assert {name: described[name] for name in sent} == sent
    tags = server.client("sagemaker").list_tags(ResourceArn=described["ProcessingJobArn"])["Tags"]
    assert tags == [{"Key": "churn:stage", "Value": "x"}]


def test_processing_job_when_it_runs_then_its_environment_is_clean(server: Server):
    server.create_processing(
        "clean-1", "import os\nprint('NAMES', *sorted(os.environ))", Environment={"MINE": "1"}
    )
    server.wait_for("processing", "clean-1")
    printed = server.log_text("processing", "clean-1")
    names = set(printed.removeprefix("NAMES ").split())
    assert {"MINE", "AWS_ENDPOINT_URL", "AWS_REGION", "PATH", "HOME"} <= names
    allowed = {
        "MINE",
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "LC_ALL",
        "VIRTUAL_ENV",
        "SM_OUTPUT_DIR",
        "PROCESSING_JOB_ARN",
    }
    # what the shell of the gate itself adds
    allowed |= {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}
    assert {name for name in names if not name.startswith(("AWS_", "PYTHON"))} <= allowed


def test_processing_job_when_it_uses_boto3_then_it_talks_to_the_stand_in(server: Server):
    script = f"import boto3; boto3.client('s3').put_object(Bucket='{BUCKET}', Key='from-job', Body=b'x')"
    server.create_processing("boto-1", script)
    assert server.wait_for("processing", "boto-1")["ProcessingJobStatus"] == "Completed"
    assert server.read("from-job") == b"x"


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (
            "no-image",
            {"AppSpecification": application(f"{REGISTRY}/other:1")},
            "no local environment answers to the image",
        ),
        (
            "no-input",
            {"inputs": [s3_input("raw", f"s3://{BUCKET}/nothing/here/", "/opt/ml/processing/input/raw")]},
            "ClientError: Failed to download data. No S3 objects found under s3://test-bucket/nothing/here/",
        ),
        (
            "no-output-bucket",
            {
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {
                            "OutputName": "o",
                            "S3Output": {
                                "S3Uri": "s3://no-such-bucket/x",
                                "LocalPath": "/opt/ml/processing/input",
                                "S3UploadMode": "EndOfJob",
                            },
                        }
                    ]
                }
            },
            "ClientError: Failed to upload output to s3://no-such-bucket/x",
        ),
        (
            "broken-environment",
            {"AppSpecification": application(f"{REGISTRY}/broken:1")},
            "failed with exit status 3",
        ),
    ],
)
def test_processing_job_when_it_cannot_run_then_the_failure_reason_says_why(
    server: Server, name: str, changes: dict, reason: str
):
    server.create_processing(name, "pass", **changes)
    described = server.wait_for("processing", name)
    assert described["ProcessingJobStatus"] == "Failed"
    assert reason in described["FailureReason"]


def test_processing_job_when_its_message_is_not_utf8_then_it_fails_with_a_client_error(server: Server):
    script = (
        "import os, pathlib; pathlib.Path(os.environ['SM_OUTPUT_DIR'], 'message').write_bytes(b'\\xff\\xfe')"
    )
    server.create_processing("latin", script)
    assert "not UTF-8" in server.wait_for("processing", "latin")["FailureReason"]


def test_processing_job_when_its_environment_is_absent_then_it_is_prepared_and_the_log_shows_it(
    server: Server,
):
    server.create_processing(
        "made-1", "print('ran')", AppSpecification=application(f"{REGISTRY}/made-on-demand:1")
    )
    assert server.wait_for("processing", "made-1")["ProcessingJobStatus"] == "Completed"
    printed = server.log_text("processing", "made-1")
    assert "making it" in printed
    assert printed.endswith("ran")


def test_processing_job_when_it_is_stopped_then_it_goes_through_stopping_to_stopped(server: Server):
    script = """
import signal, sys, time
def end(*_):
    print("asked to end", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("running", flush=True)
time.sleep(60)
"""
    server.create_processing("stop-1", script)
    server.wait_for_log("processing", "stop-1", "running")
    server.client("sagemaker").stop_processing_job(ProcessingJobName="stop-1")
    assert server.describe("processing", "stop-1")["ProcessingJobStatus"] in {"Stopping", "Stopped"}
    assert server.wait_for("processing", "stop-1")["ProcessingJobStatus"] == "Stopped"
    assert "asked to end" in server.log_text("processing", "stop-1")


def test_processing_job_when_it_ignores_sigterm_then_it_and_its_children_are_killed_after_the_grace(
    server: Server,
):
    script = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("pids", os.getpid(), child.pid, flush=True)
time.sleep(60)
"""
    server.create_processing("stubborn", script)
    printed = server.wait_for_log("processing", "stubborn", "pids")
    server.client("sagemaker").stop_processing_job(ProcessingJobName="stubborn")
    assert server.wait_for("processing", "stubborn")["ProcessingJobStatus"] == "Stopped"
    for process_id in map(int, printed.split()[1:]):
        wait_until(lambda process_id=process_id: not is_running(process_id), 5)


def test_processing_job_when_it_exceeds_its_runtime_then_it_fails_and_says_so(server: Server):
    started = time.monotonic()
    server.create_processing(
        "slow", "import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1}
    )
    described = server.wait_for("processing", "slow")
    assert described["ProcessingJobStatus"] == "Failed"
    assert "MaxRuntimeInSeconds of 1" in described["FailureReason"]
    assert time.monotonic() - started < 30


def test_processing_job_when_it_has_ended_then_stopping_it_is_refused(server: Server):
    server.create_processing("ended", "pass")
    server.wait_for("processing", "ended")
    with pytest.raises(ClientError, match="job is in status Completed") as refused:
        server.client("sagemaker").stop_processing_job(ProcessingJobName="ended")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_processing_jobs_when_all_slots_are_taken_then_a_waiting_job_can_be_stopped(server: Server):
    for number in (1, 2):
        server.create_processing(
            f"slot-{number}", "print('running', flush=True); import time; time.sleep(60)"
        )
    for number in (1, 2):
        server.wait_for_log("processing", f"slot-{number}", "running")
    server.create_processing("slot-3", "print('never')")
    client = server.client("sagemaker")
    client.stop_processing_job(ProcessingJobName="slot-3")
    for number in (1, 2):
        client.stop_processing_job(ProcessingJobName=f"slot-{number}")
    for number in (1, 2, 3):
        assert server.wait_for("processing", f"slot-{number}")["ProcessingJobStatus"] == "Stopped"
    assert server.log_text("processing", "slot-3") == ""


def test_processing_job_when_its_name_is_taken_then_it_is_refused_as_in_use(server: Server):
    server.create_processing("twice", "pass")
    with pytest.raises(ClientError, match="Job name must be unique") as refused:
        server.create_processing("twice", "pass")
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


@pytest.mark.parametrize("operation", ["describe_processing_job", "stop_processing_job"])
def test_processing_job_when_it_is_unknown_then_validation_says_so(server: Server, operation: str):
    with pytest.raises(ClientError, match="Could not find requested job with name: nobody") as refused:
        getattr(server.client("sagemaker"), operation)(ProcessingJobName="nobody")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_processing_job_when_a_child_outlives_it_then_the_child_is_ended(server: Server):
    script = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("pid", child.pid, flush=True)
"""
    server.create_processing("orphan", script)
    assert server.wait_for("processing", "orphan")["ProcessingJobStatus"] == "Completed"
    process_id = int(server.log_text("processing", "orphan").split()[1])
    wait_until(lambda: not is_running(process_id), 5)


def test_stand_in_when_jobs_have_ended_then_no_thread_no_zombie_and_no_directory_is_left(server: Server):
    server.create_processing("tidy", "pass")
    server.wait_for("processing", "tidy")
    tasks = Path(f"/proc/{server.process.pid}/task")

    def is_tidy() -> bool:
        try:
            children = [(task / "children").read_text() for task in tasks.iterdir()]
        except FileNotFoundError:  # a thread ended between the look at the list and the look at it
            return False
        # the server's own thread, two job slots, and one for the request that may just be ending
        return not "".join(children) and len(children) <= 4

    wait_until(is_tidy, 5)
    assert not list((server.state_directory / "jobs").glob("*/processing-job/tidy"))
