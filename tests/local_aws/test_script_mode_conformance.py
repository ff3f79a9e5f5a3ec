"""One training script through the real `sagemaker-training` toolkit and the stand-in: the same must come out.

Differences that are accepted are listed by name in ACCEPTED_DIFFERENCES, each with its reason.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local_aws.stand_in import (
    BUCKET,
    CHECKOUT,
    REGION,
    ROLE,
    Server,
    archive_members,
    source_archive,
)

TOOLKIT_PYTHON = CHECKOUT / ".venvs/sklearn_job/bin/python"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/toolkit-image:1"

ACCEPTED_DIFFERENCES = {
    "PYTHONPATH": "the toolkit passes on its own sys.path; the stand-in has no toolkit process and passes "
    "the code directory",
}

# Written to the model directory, so that it comes out of model.tar.gz: what a script can see.
SCRIPT = """
import json, os, pathlib, sys
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
base = model.parent
seen = {
    "arguments": sys.argv[1:],
    "program": sys.argv[0],
    "environment": dict(os.environ),
    "directory": os.getcwd(),
    "code": sorted(p.relative_to(base / "code").as_posix() for p in (base / "code").rglob("*")),
    "configuration": {p.name: json.loads(p.read_text()) for p in (base / "input" / "config").iterdir()},
    "channels": sorted(p.relative_to(base).as_posix() for p in (base / "input" / "data").rglob("*")),
}
(model / "seen.json").write_text(json.dumps(seen).replace(str(base), "/opt/ml"))
(model / "code").mkdir()
(model / "code" / "inference.py").write_text("pass")
(pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "log.txt").write_text("done")
ending = json.loads(os.environ["SM_HPS"])["ending"]
if ending == "exception":
    raise ValueError("no such column")
if ending == "exit 7":
    sys.exit(7)
if ending == "failure file":
    (base / "output" / "failure").write_text("line 3: tenure is 'x', give a number of months")
    sys.exit(2)
"""

HYPERPARAMETERS = {
    "sagemaker_program": "train.py",
    "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
    "sagemaker_container_log_level": "20",
    "sagemaker_region": '"eu-west-1"',
    "sagemaker_custom_switch": "true",
    "learning_rate": "0.10",
    "scientific": "1e3",
    "leading_zeros": "007",
    "flag": "true",
    "nothing": "null",
    "text": "hist_gradient_boosting",
    "quoted": '"quoted text"',
    "list_value": "[1, 2]",
    "nested": '{"b": 1, "a": "x"}',
    "a": "one letter",
    "with-hyphen": "yes",
    "unicode": "é",
    "empty": "",
    "Upper": "1",
}


@dataclass(frozen=True)
class Result:
    """What one way of running the script gave."""

    seen: dict[str, Any]
    model_members: list[str]
    output: bytes
    failure: str | None
    exit_status: int


def run_with_toolkit(base: Path, ending: str) -> Result:
    """Lay out /opt/ml as SageMaker documents it and start the toolkit's own entry point."""
    for name in ("input/config", "input/data/code", "input/data/train", "model", "output/data"):
        (base / name).mkdir(parents=True)
    (base / "input/data/code/sourcedir.tar.gz").write_bytes(source_archive({"train.py": SCRIPT}))
    (base / "input/data/train/part.csv").write_text("1,2\n")
    channel = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    configuration = {
        "hyperparameters": {
            name: value.replace("/opt/ml", str(base))
            for name, value in {**HYPERPARAMETERS, "ending": ending}.items()
        },
        "inputdataconfig": {"code": channel, "train": channel},
        "resourceconfig": {
            "current_host": "algo-1",
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [group],
            "network_interface_name": "eth0",
        },
    }
    for name, content in configuration.items():
        (base / "input/config" / f"{name}.json").write_text(json.dumps(content))
    finished = subprocess.run(
        [str(TOOLKIT_PYTHON), "-c", "from sagemaker_training.trainer import train; train()"],
        env={
            "PATH": f"{TOOLKIT_PYTHON.parent}:{os.environ['PATH']}",
            "SAGEMAKER_BASE_DIR": str(base),
            "SM_STUDIO_LOCAL_MODE": "true",
            "TRAINING_JOB_NAME": job_name(ending),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "OWN_VARIABLE": "kept",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    failure = base / "output/failure"
    seen = base / "model/seen.json"
    assert seen.exists(), finished.stderr
    return Result(
        seen=json.loads(seen.read_text()),
        model_members=sorted(
            p.relative_to(base / "model").as_posix() for p in (base / "model").rglob("*") if p.is_file()
        ),
        output=(base / "output/data/log.txt").read_bytes(),
        failure=failure.read_text().replace(str(base), "/opt/ml") if failure.exists() else None,
        exit_status=finished.returncode,
    )


def run_with_stand_in(server: Server, ending: str) -> Result:
    name = job_name(ending)
    server.put("conformance/code/sourcedir.tar.gz", source_archive({"train.py": SCRIPT}))
    server.put("conformance/train/part.csv", "1,2\n")
    channels = [
        {
            "ChannelName": channel,
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/conformance/{channel}/"}
            },
        }
        for channel in ("code", "train")
    ]
    server.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={**HYPERPARAMETERS, "ending": ending},
        InputDataConfig=channels,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/conformance/models"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        Environment={"OWN_VARIABLE": "kept"},
    )
    described = server.wait_for("training", name)
    members = archive_members(server.read(f"conformance/models/{name}/output/model.tar.gz"))
    output = archive_members(server.read(f"conformance/models/{name}/output/output.tar.gz"))
    reason = described.get("FailureReason")
    base = server.state_directory / "jobs" / REGION / "training-job" / name / "opt/ml"
    failure = (
        None if reason is None else reason.removeprefix("AlgorithmError: ").removesuffix(", exit code: 1")
    )
    return Result(
        seen=json.loads(members["seen.json"]),
        model_members=sorted(members),
        output=output["log.txt"],
        failure=failure and failure.replace(str(base), "/opt/ml"),
        exit_status={"Completed": 0, "Failed": 1}[described["TrainingJobStatus"]],
    )


def job_name(ending: str) -> str:
    return f"conformance-{ending.replace(' ', '-')}"


def toolkit_variables(result: Result) -> dict[str, Any]:
    """Return the variables the contract speaks of, JSON values decoded so that spacing does not matter."""
    environment = result.seen["environment"]
    chosen = {
        name: value
        for name, value in environment.items()
        if name.startswith(("SM_", "SAGEMAKER_"))
        or name in {"CURRENT_HOST", "TRAINING_JOB_NAME", "OWN_VARIABLE", "PYTHONPATH"}
    }
    # How the toolkit is told not to look up host names; not part of what a job gets on SageMaker.
    chosen.pop("SM_STUDIO_LOCAL_MODE", None)
    return {name: _decoded(value) for name, value in chosen.items() if name not in ACCEPTED_DIFFERENCES}


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


@pytest.fixture(scope="module", params=["success", "exception", "exit 7", "failure file"])
def both(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory):
    base = tmp_path_factory.mktemp("toolkit") / "opt/ml"
    return run_with_toolkit(base, request.param), run_with_stand_in(server, request.param)


def test_script_mode_when_run_both_ways_then_arguments_are_the_same(both: tuple[Result, Result]):
    toolkit, stand_in = both
    assert "--learning_rate" in toolkit.seen["arguments"]
    assert stand_in.seen["arguments"] == toolkit.seen["arguments"]


def test_script_mode_when_run_both_ways_then_environment_is_the_same(both: tuple[Result, Result]):
    toolkit, stand_in = both
    assert "SM_HP_NESTED" in toolkit_variables(toolkit)
    assert toolkit_variables(stand_in) == toolkit_variables(toolkit)


def test_script_mode_when_run_both_ways_then_files_and_directories_are_the_same(both: tuple[Result, Result]):
    toolkit, stand_in = both
    for name in ("program", "directory", "code", "configuration", "channels"):
        assert stand_in.seen[name] == toolkit.seen[name], name


def test_script_mode_when_run_both_ways_then_artifacts_are_the_same(both: tuple[Result, Result]):
    toolkit, stand_in = both
    assert stand_in.model_members == toolkit.model_members
    assert stand_in.output == toolkit.output


def test_script_mode_when_run_both_ways_then_exit_status_and_failure_text_are_the_same(
    both: tuple[Result, Result],
):
    toolkit, stand_in = both
    assert stand_in.exit_status == toolkit.exit_status
    limit = 1024 - len("AlgorithmError: , exit code: 1")
    assert stand_in.failure == (toolkit.failure and toolkit.failure[:limit])
