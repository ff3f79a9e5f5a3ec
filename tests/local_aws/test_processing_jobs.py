"""Processing jobs: the container contract, and what Describe tells about it."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import BUCKET, IMAGE, Server

OUTPUT = "/opt/ml/processing/output"


def output(name: str, path: str, prefix: str) -> dict:
    target = {"S3Uri": f"s3://{BUCKET}/{prefix}", "LocalPath": path, "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": target}


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
        inputs=[
            {
                "InputName": "raw",
                "S3Input": {
                    "S3Uri": f"s3://{BUCKET}/raw/",
                    "LocalPath": "/opt/ml/processing/input/raw",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        ProcessingOutputConfig={"Outputs": [output("out", OUTPUT, "ok-1/out")]},
        Environment={"OUTPUT": OUTPUT},
    )
    described = server.wait_for("processing", "ok-1")
    assert described["ProcessingJobStatus"] == "Completed", server.log_text("processing", "ok-1")
    assert described["ExitMessage"] == "rows: 2"
    assert described["ProcessingStartTime"] <= described["ProcessingEndTime"]
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
