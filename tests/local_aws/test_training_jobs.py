"""Training jobs: script mode, archives, metrics, and what Describe tells about them."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import BUCKET, Server, archive_members, source_archive

GOOD_SCRIPT = """
import json, os, pathlib, sys
model, data = pathlib.Path(os.environ["SM_MODEL_DIR"]), pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"])
(model / "code").mkdir()
(model / "code" / "inference.py").write_text("pass")
(model / "model.json").write_text(json.dumps(sys.argv[1:]))
(data / "log.txt").write_text(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "part.csv").read_text())
print("epoch 1 loss=0.9 auc=0.5")
print("epoch 2 loss=0.25 auc=0.75")
"""


def channel(name: str, uri: str) -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def test_training_job_when_it_succeeds_then_archives_metrics_times_and_transitions_are_there(server: Server):
    server.put("train-data/part.csv", "1,2\n")
    server.create_training(
        "good-1",
        GOOD_SCRIPT,
        InputDataConfig=[channel("train", f"s3://{BUCKET}/train-data")],
        hyperparameters={"learning_rate": "0.10", "algorithm": "forest", "flag": "true"},
        metrics=[{"Name": "loss", "Regex": r"loss=([0-9.]+)"}, {"Name": "auc", "Regex": r"auc=([0-9.]+)"}],
    )
    described = server.wait_for("training", "good-1")
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    assert [entry["Status"] for entry in described["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert all(entry["StartTime"] <= entry["EndTime"] for entry in described["SecondaryStatusTransitions"])
    assert (
        described["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/models/good-1/output/model.tar.gz"
    )
    members = archive_members(server.read("models/good-1/output/model.tar.gz"))
    assert json.loads(members["model.json"]) == [
        "--algorithm", "forest", "--flag", "True", "--learning_rate", "0.1",
    ]  # fmt: skip
    assert "code/inference.py" in members
    assert archive_members(server.read("models/good-1/output/output.tar.gz")) == {"log.txt": b"1,2\n"}
    metrics = {entry["MetricName"]: entry["Value"] for entry in described["FinalMetricDataList"]}
    assert metrics == {"loss": 0.25, "auc": 0.75}
    assert described["BillableTimeInSeconds"] == described["TrainingTimeInSeconds"] == 1


def test_training_job_when_described_then_everything_that_was_sent_comes_back(server: Server):
    sent = {
        "Environment": {"A_B": "x"},
        "EnableNetworkIsolation": True,
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 70, "MaxWaitTimeInSeconds": 80},
        "RetryStrategy": {"MaximumRetryAttempts": 2},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 31},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    server.create_training("kept-1", "pass", metrics=metrics, Tags=[{"Key": "a", "Value": "b"}], **sent)
    described = server.wait_for("training", "kept-1")
    assert {name: described[name] for name in sent} == sent
    assert described["AlgorithmSpecification"]["MetricDefinitions"] == metrics
    tags = server.client("sagemaker").list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    ("name", "script", "reason"),
    [
        (
            "raises",
            "raise ValueError('x')",
            'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage ""',
        ),
        ("exits-7", "raise SystemExit(7)", "AlgorithmError: ExecuteUserScriptError:\nExitCode 7\n"),
        (
            "explains",
            "import pathlib, sys; pathlib.Path('../output/failure').write_text('row 7: bad'); sys.exit(2)",
            "AlgorithmError: row 7: bad, exit code: 1",
        ),
        (
            "killed",
            "import os; os.kill(os.getpid(), 9)",
            "AlgorithmError: ExecuteUserScriptError:\nExitCode 137\n",
        ),
    ],
)
def test_training_job_when_its_script_fails_then_the_failure_reason_says_how(
    server: Server, name: str, script: str, reason: str
):
    server.create_training(name, script)
    described = server.wait_for("training", name)
    assert described["TrainingJobStatus"] == described["SecondaryStatus"] == "Failed"
    assert described["FailureReason"].startswith(reason)
    assert len(described["FailureReason"]) <= 1024
    assert "ModelArtifacts" not in described


def test_training_job_when_its_failure_text_is_long_then_the_reason_holds_its_beginning(server: Server):
    server.create_training(
        "long", "import pathlib, sys; pathlib.Path('../output/failure').write_text('é' * 9000); sys.exit(1)"
    )
    reason = server.wait_for("training", "long")["FailureReason"]
    assert reason.startswith("AlgorithmError: éééé")
    assert 1000 <= len(reason) <= 1024


@pytest.mark.parametrize(
    ("name", "hyperparameters", "files", "reason"),
    [
        (
            "no-program",
            {"sagemaker_program": "other.py"},
            {"train.py": ""},
            "the source archive holds no other.py",
        ),
        ("no-archive", {"sagemaker_submit_directory": f"s3://{BUCKET}/none"}, {}, "does not exist"),
        (
            "requirements",
            {},
            {"train.py": "", "requirements.txt": "x"},
            "the local stand-in installs nothing",
        ),
    ],
)
def test_training_job_when_its_source_cannot_be_used_then_the_failure_reason_says_why(
    server: Server, name: str, hyperparameters: dict, files: dict, reason: str
):
    source = server.put(f"sources/{name}.tar.gz", source_archive(files))
    server.create_training(
        name, "pass", hyperparameters={"sagemaker_submit_directory": source, **hyperparameters}
    )
    assert reason in server.wait_for("training", name)["FailureReason"]


def test_training_job_when_its_source_archive_leaves_its_directory_then_it_is_refused(server: Server):
    source = server.put("sources/evil.tar.gz", source_archive({"../../../evil.py": "", "train.py": ""}))
    server.create_training("evil", "pass", hyperparameters={"sagemaker_submit_directory": source})
    assert "cannot open the source archive" in server.wait_for("training", "evil")["FailureReason"]


def test_training_job_when_it_exceeds_its_runtime_then_it_is_stopped_and_its_model_is_kept(server: Server):
    script = """
import pathlib, signal, sys, time
def save(*_):
    pathlib.Path("../model/partial.txt").write_text("so far")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
time.sleep(60)
"""
    server.create_training("overtime", script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    described = server.wait_for("training", "overtime")
    assert described["TrainingJobStatus"] == "Stopped"
    assert described["SecondaryStatus"] == "MaxRuntimeExceeded"
    members = archive_members(server.read("models/overtime/output/model.tar.gz"))
    assert members == {"partial.txt": b"so far"}


def test_training_job_when_it_is_stopped_then_it_ends_stopped(server: Server):
    server.create_training("stop", "print('running', flush=True); import time; time.sleep(60)")
    server.wait_for_log("training", "stop", "running")
    server.client("sagemaker").stop_training_job(TrainingJobName="stop")
    described = server.wait_for("training", "stop")
    assert described["TrainingJobStatus"] == described["SecondaryStatus"] == "Stopped"
    statuses = [entry["Status"] for entry in described["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Stopping", "Stopped"]


def test_training_job_when_its_name_is_taken_then_it_is_refused_as_in_use(server: Server):
    server.create_training("twice", "pass")
    with pytest.raises(ClientError, match="Job name must be unique") as refused:
        server.create_training("twice", "pass")
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_training_job_when_it_writes_checkpoints_then_they_are_in_s3(server: Server):
    script = "import pathlib; pathlib.Path('../checkpoints/step-1').write_text('1')"
    server.create_training("points", script, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/points"})
    server.wait_for("training", "points")
    assert server.keys("points/") == ["points/step-1"]


def test_training_job_when_its_program_is_a_shell_script_then_it_gets_the_arguments(server: Server):
    script = 'echo "got $*" > ../model/out.txt'
    source = server.put("sources/shell.tar.gz", source_archive({"train.sh": f"#!/bin/sh\n{script}\n"}))
    hyperparameters = {"sagemaker_program": "train.sh", "sagemaker_submit_directory": source, "name": "a b"}
    server.create_training("shell", "pass", hyperparameters=hyperparameters)
    assert server.wait_for("training", "shell")["TrainingJobStatus"] == "Completed"
    assert archive_members(server.read("models/shell/output/model.tar.gz")) == {
        "out.txt": b"got --name a b\n"
    }
