"""How SageMaker's processing and training APIs differ, said once: call names, keys, reasons, outputs.

Pure: works on the dictionaries that botocore returns and imports neither Airflow nor boto3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include.data_contracts.job_result import JobResult

# SageMaker may take long to find an instance and to pull the image; both come before the job's own clock.
START_UP_MARGIN_SECONDS = 1800
INVALID_INPUT_PREFIX = "invalid input:"

COMPLETED = "Completed"
IN_PROGRESS = "InProgress"
STOPPING = "Stopping"
STOPPED = "Stopped"
FAILED = "Failed"
FINAL_STATUSES = frozenset({COMPLETED, STOPPED, FAILED})

type Description = Mapping[str, Any]


@dataclass(frozen=True)
class JobKind:
    """One of SageMaker's two job APIs.

    `name` is the word in the API's call names and in texts; `label` begins every key of its dictionaries.
    """

    name: Literal["processing", "training"]
    label: Literal["Processing", "Training"]

    @property
    def name_key(self) -> str:
        """Key of the job's name in requests and descriptions."""
        return f"{self.label}JobName"

    @property
    def create_call(self) -> str:
        """Name of the client's method that creates a job."""
        return f"create_{self.name}_job"

    @property
    def describe_call(self) -> str:
        """Name of the client's method that describes a job."""
        return f"describe_{self.name}_job"

    @property
    def stop_call(self) -> str:
        """Name of the client's method that asks a job to stop."""
        return f"stop_{self.name}_job"

    @property
    def log_group(self) -> str:
        """CloudWatch log group to which SageMaker sends this kind's container output."""
        return f"/aws/sagemaker/{self.label}Jobs"

    def status(self, description: Description) -> str:
        """Return the job's status: InProgress, Completed, Failed, Stopping or Stopped."""
        return str(description[f"{self.label}JobStatus"])

    def arn(self, description: Description) -> str:
        """Return the ARN of this execution."""
        return str(description[f"{self.label}JobArn"])


PROCESSING = JobKind("processing", "Processing")
TRAINING = JobKind("training", "Training")
JOB_KINDS = {kind.name: kind for kind in (PROCESSING, TRAINING)}


def time_limit_seconds(request_or_description: Description) -> int:
    """Return how long a job may exist, in seconds: its own maximum plus a margin for starting up.

    A spot job's MaxWaitTimeInSeconds covers waiting for capacity as well as running, so it is the maximum.
    """
    stopping = request_or_description.get("StoppingCondition") or {}
    # SageMaker's own default of 24 hours, for a request that names no limit.
    maximum = stopping.get("MaxWaitTimeInSeconds") or stopping.get("MaxRuntimeInSeconds") or 86_400
    return int(maximum) + START_UP_MARGIN_SECONDS


def deadline_epoch_seconds(description: Description) -> float:
    """Return the moment after which waiting is useless, as seconds since 1970.

    Counted from the job's creation, so that a re-attached wait does not start the clock anew.
    """
    created: datetime = description["CreationTime"]
    return created.timestamp() + time_limit_seconds(description)


def is_missing_job_error(code: str, message: str) -> bool:
    """Tell whether a Describe or Stop error means that no such job exists."""
    if code in {"ResourceNotFound", "ResourceNotFoundException"}:
        return True
    words = ("not found", "could not find", "cannot find", "does not exist")
    return code == "ValidationException" and any(word in message.lower() for word in words)


def is_name_taken_error(code: str, message: str) -> bool:
    """Tell whether a Create error means that a job of this name exists already."""
    if code in {"ResourceInUse", "ResourceInUseException", "ConflictException"}:
        return True
    return code == "ValidationException" and ("already exist" in message or "must be unique" in message)


def is_no_longer_stoppable_error(code: str, message: str) -> bool:
    """Tell whether a Stop error means that the job has ended or is already stopping."""
    return code == "ValidationException" and "status" in message.lower()


def failure_reason(kind: JobKind, description: Description) -> str:
    """Say in one line why a job did not complete; the job's own words come first.

    Failed: ExitMessage (processing) or FailureReason. Stopped: FailureReason or the secondary status, such
    as MaxRuntimeExceeded, together with what to change.
    """
    status = kind.status(description)
    own_words = [str(description.get(key) or "") for key in ("ExitMessage", "FailureReason")]
    secondary = str(description.get("SecondaryStatus") or "")
    if status == STOPPED:
        stopped_by = secondary if secondary not in {"", STOPPED} else ""
        if "MaxRuntimeExceeded" in {stopped_by, *own_words}:
            limit = (description.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds")
            return f"it ran longer than MaxRuntimeInSeconds = {limit}; raise max_runtime_seconds"
        own_words.append(stopped_by)
    texts = list(dict.fromkeys(" ".join(text.split()) for text in own_words if text.strip()))
    if texts:
        return "; ".join(texts)
    if status == STOPPED:
        return "a person or another program stopped it, and no reason was given"
    return "SageMaker gave no reason; read the job's log"


def is_invalid_input(kind: JobKind, description: Description) -> bool:
    """Tell whether the job refused its input, so that running it again can only end the same way."""
    message = str(description.get("ExitMessage") or description.get("FailureReason") or "")
    message = message.removeprefix("AlgorithmError: ")
    return kind.status(description) == FAILED and message.startswith(INVALID_INPUT_PREFIX)


def job_result(kind: JobKind, description: Description) -> JobResult:
    """Reduce a finished job's description to what the next stage needs; small enough for XCom."""
    outputs = (description.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    name = str(description[kind.name_key])
    training_output = (description.get("OutputDataConfig") or {}).get("S3OutputPath")
    is_training = kind is TRAINING
    return JobResult(
        job_name=name,
        job_arn=kind.arn(description),
        kind=kind.name,
        outputs={output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs},
        model_artifact_uri=description["ModelArtifacts"]["S3ModelArtifacts"] if is_training else None,
        training_output_uri=(
            f"{str(training_output).rstrip('/')}/{name}/output/output.tar.gz" if is_training else None
        ),
        seconds=_seconds_run(kind, description),
    )


def _seconds_run(kind: JobKind, description: Description) -> float:
    """Return the seconds between the container's start and the job's end; 0 where SageMaker does not say."""
    started = description.get(f"{kind.label}StartTime")
    ended = description.get(f"{kind.label}EndTime")
    return round((ended - started).total_seconds(), 3) if started and ended else 0.0


def log_console_url(kind: JobKind, job_name: str, region: str) -> str:
    """Return the CloudWatch console address of a job's log streams."""
    group = kind.log_group.replace("/", "$252F")
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}$3FlogStreamNameFilter$3D{job_name}"
    )
