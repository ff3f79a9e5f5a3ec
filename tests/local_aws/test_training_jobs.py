"""Training jobs: script mode, archives, metrics, and what Describe tells about them."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import BUCKET, IMAGE, ROLE, Server, archive_members

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
