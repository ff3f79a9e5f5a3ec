"""A stand-in as a process of its own, and the tiny real jobs the tests give it."""

import io
import json
import re
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON = CHECKOUT / ".venvs/local_aws/bin/python"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/test-image:1"
ROLE = "arn:aws:iam::123456789012:role/churn-sagemaker"
REGION = "eu-west-1"
BUCKET = "test-bucket"
READY = re.compile(r"ready on (http://\S+?),")


@dataclass
class Server:
    """A stand-in that can be stopped, killed and started again on the same state."""

    state_directory: Path
    arguments: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    url: str = ""
    clients: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def start(self) -> None:
        command = [str(PYTHON), "-m", "local_aws", "--port", "0", "--state-dir", str(self.state_directory)]
        self.process = subprocess.Popen(
            [*command, *self.arguments],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            ready = READY.search(line)
            if ready:
                self.url = ready.group(1)
                self.started_with = seen
                return
        raise AssertionError(f"the stand-in did not start: {''.join(seen)}")

    def end(self, number: signal.Signals) -> str:
        """Send a signal, wait for the end and return what was still printed."""
        self.process.send_signal(number)
        printed = self.process.stdout.read()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        return printed

    def restart_after(self, number: signal.Signals) -> None:
        self.end(number)
        self.start()

    def client(self, service: str, region: str = REGION, **config: Any) -> Any:
        """Return a client; making one costs more than most requests, so they are kept."""
        key = (self.url, service, region, *sorted(config.items()))
        if key not in self.clients:
            self.clients[key] = self._new_client(service, region, config)
        return self.clients[key]

    def _new_client(self, service: str, region: str, config: dict[str, Any]) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="any",
            aws_secret_access_key="thing",
            config=Config(retries={"max_attempts": 0}, **config),
        )

    # --- jobs ----------------------------------------------------------------------------------------
    def put(self, key: str, content: bytes | str) -> str:
        body = content.encode() if isinstance(content, str) else content
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def create_processing(self, name: str, script: str, **changes: Any) -> dict[str, Any]:
        code = self.put(f"code/{name}/script.py", script)
        request = {
            "ProcessingJobName": name,
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": code,
                        "LocalPath": "/opt/ml/processing/input/code",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        arguments = changes.pop("arguments", None)
        if arguments:
            request["AppSpecification"]["ContainerArguments"] = arguments
        inputs = changes.pop("inputs", [])
        request["ProcessingInputs"] += inputs
        request.update(changes)
        return self.client("sagemaker").create_processing_job(**request)

    def create_training(self, name: str, script: str, **changes: Any) -> dict[str, Any]:
        source = self.put(f"code/{name}/sourcedir.tar.gz", source_archive({"train.py": script}))
        hyperparameters = {"sagemaker_program": "train.py", "sagemaker_submit_directory": source}
        hyperparameters |= changes.pop("hyperparameters", {})
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": hyperparameters,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        metrics = changes.pop("metrics", None)
        if metrics:
            request["AlgorithmSpecification"]["MetricDefinitions"] = metrics
        request.update(changes)
        return self.client("sagemaker").create_training_job(**request)

    def describe(self, kind: str, name: str) -> dict[str, Any]:
        client = self.client("sagemaker")
        if kind == "processing":
            return client.describe_processing_job(ProcessingJobName=name)
        return client.describe_training_job(TrainingJobName=name)

    def wait_for(self, kind: str, name: str, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        wanted = statuses or ("Completed", "Failed", "Stopped")
        field_name = f"{kind.title()}JobStatus"
        return wait_until(
            lambda: (found := self.describe(kind, name))[field_name] in wanted and found, seconds
        )

    def wait_for_log(self, kind: str, name: str, text: str, seconds: float = 60) -> str:
        return wait_until(lambda: text in (found := self.log_text(kind, name)) and found, seconds)

    def log_text(self, kind: str, name: str) -> str:
        logs, group = self.client("logs"), f"/aws/sagemaker/{kind.title()}Jobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        events = []
        for stream in streams:
            events += logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        return "\n".join(event["message"] for event in events)


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the condition's first true value; the wait is for real processes, so it has to be polled."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not true within {seconds} seconds")


def is_running(process_id: int) -> bool:
    """Say whether a process still runs something; a zombie does not."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def source_archive(files: dict[str, str]) -> bytes:
    """Return a .tar.gz with the given files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def archive_members(content: bytes) -> dict[str, bytes]:
    """Return the files of a .tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def write_environments(directory: Path) -> Path:
    path = directory / "environments.json"
    broken = ["sh", "-c", "echo no disk left; exit 3"]
    entries = [
        {"name": "test", "image_pattern": "/test-image:1$", "python": str(PYTHON)},
        {"name": "toolkit", "image_pattern": "/toolkit-image:1$", "python": ".venvs/sklearn_job/bin/python"},
        {
            "name": "made",
            "image_pattern": "/made-on-demand:1$",
            "python": str(directory / "made/bin/python"),
            "prepare": [
                "sh",
                "-c",
                f"echo making it; mkdir -p {directory}/made/bin; ln -s {PYTHON} {directory}/made/bin/python",
            ],
        },
        {
            "name": "broken",
            "image_pattern": "/broken:1$",
            "python": str(directory / "no/python"),
            "prepare": broken,
        },
    ]
    path.write_text(json.dumps({"environments": entries}))
    return path
