"""What is recorded of a job and how its status moves: pure functions from one record to the next.

A record is a JSON document: `Request` as it was sent, and what the stand-in added. Times are seconds since
the epoch, as SageMaker's JSON protocol sends them.
"""

import math
from typing import Any

from local_aws import ACCOUNT_ID

Record = dict[str, Any]

PROCESSING = "processing-job"
TRAINING = "training-job"
KINDS = (PROCESSING, TRAINING)
FINAL_STATUSES = ("Completed", "Failed", "Stopped")
FAILURE_REASON_CHARACTERS = 1024

STATUS_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Restarting": "The platform restarted; the job is run again from its recorded request",
}


def collection(kind: str, region: str) -> str:
    """Return the name of the collection that holds the jobs of one kind and region."""
    return f"{kind}/{region}"


def job_arn(kind: str, region: str, name: str) -> str:
    """Return the ARN of a job."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:{kind}/{name}"


def new_record(kind: str, region: str, name: str, request: Record, now: float) -> Record:
    """Return the record of a job that was just created."""
    return {
        "Kind": kind,
        "Region": region,
        "Name": name,
        "Arn": job_arn(kind, region, name),
        "Request": request,
        "Status": "InProgress",
        "SecondaryStatus": "Starting",
        "Transitions": [_transition("Starting", now)],
        "CreationTime": now,
        "LastModifiedTime": now,
        "Attempt": 0,
        "Metrics": {},
    }


def _transition(secondary: str, now: float) -> Record:
    return {"Status": secondary, "StartTime": now, "StatusMessage": STATUS_MESSAGES[secondary]}


def move_to(record: Record, secondary: str, now: float) -> Record:
    """Return the record in its next secondary status; a status that is held already changes nothing."""
    if record["SecondaryStatus"] == secondary:
        return record
    transitions = [dict(entry) for entry in record["Transitions"]]
    if transitions:
        transitions[-1].setdefault("EndTime", now)
    transitions.append(_transition(secondary, now))
    return {**record, "SecondaryStatus": secondary, "Transitions": transitions, "LastModifiedTime": now}


def is_final(record: Record) -> bool:
    """Say whether the job has ended."""
    return record["Status"] in FINAL_STATUSES


def begin_attempt(record: Record, now: float) -> Record:
    """Return the record at the start of a run; a second run of the same job is the platform's own retry."""
    again = move_to(record, "Restarting", now) if record["Attempt"] else record
    fresh = {k: v for k, v in again.items() if k not in {"StartTime", "Process"}}
    started = fresh if record["Attempt"] else {**fresh, "LastModifiedTime": now}
    return {**move_to(started, "Starting", now), "Attempt": record["Attempt"] + 1, "Metrics": {}}


def begin_stop(record: Record, now: float) -> Record:
    """Return the record after a stop request."""
    return {**move_to(record, "Stopping", now), "Status": "Stopping", "LastModifiedTime": now}


def finish(record: Record, status: str, now: float, *, secondary: str | None = None, **facts: Any) -> Record:
    """Return the record of a job that has ended; `facts` are added to it, those that are None left out."""
    last = secondary or status
    moved = move_to(record, last, now)
    transitions = [*moved["Transitions"][:-1], {**moved["Transitions"][-1], "EndTime": now}]
    ended = {**moved, "Transitions": transitions, "Status": status, "EndTime": now, "LastModifiedTime": now}
    ended.pop("Process", None)
    if facts.get("FailureReason"):
        facts["FailureReason"] = facts["FailureReason"][:FAILURE_REASON_CHARACTERS]
    return {**ended, **{name: value for name, value in facts.items() if value is not None}}


def runtime_seconds(record: Record) -> int | None:
    """Return the whole seconds a job ran (at least 1), or None when it never started."""
    if "StartTime" not in record or "EndTime" not in record:
        return None
    return max(1, math.ceil(record["EndTime"] - record["StartTime"]))
