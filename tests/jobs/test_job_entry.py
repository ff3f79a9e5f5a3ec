"""What a job leaves behind when it is started wrongly: one line where SageMaker looks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "named", "file"),
    [
        (["preprocess", "--output-dir", "out"], "--input-dir --synthetic-rows is required", "message"),
        (["preprocess", "--synthetic-rows", "many", "--output-dir", "out"], "--synthetic-rows", "message"),
        (["train", "--checkpoint-dir"], "--checkpoint-dir", "failure"),
        (["evaluate", "--no-such-option", "1"], "--no-such-option", "message"),
        (["detect_drift", "--current", "in"], "--reference", "message"),
        (["generate_synthetic_data", "--rows", "1.5"], "--rows", "message"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_job_when_an_argument_is_wrong_then_sagemaker_can_tell_which(tmp_path: Path, arguments, named, file):
    variables = {"TRAINING_JOB_NAME": "t"} if file == "failure" else {}
    done = subprocess.run(
        [sys.executable, "-m", "sagemaker_jobs", *arguments],
        cwd=CHECKOUT,
        env=os.environ | {"SM_OUTPUT_DIR": str(tmp_path)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    left = (tmp_path / file).read_text()
    assert left.startswith("invalid input: ")
    assert named in left
    assert done.stderr.rstrip("\n") == f"error: {left.removeprefix('invalid input: ')}"


def test_job_when_asked_for_help_then_tells_its_arguments_and_ends_well():
    done = subprocess.run(
        [sys.executable, "-m", "sagemaker_jobs", "preprocess", "--help"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--output-dir" in done.stdout
