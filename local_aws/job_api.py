"""SageMaker's operations on processing and training jobs: create, describe, list, stop."""

import time
from collections.abc import Callable
from typing import Any

from local_aws import job_records
from local_aws.api_error import ApiError, validation_error
from local_aws.job_data import JobDataError, has_objects
from local_aws.job_records import PROCESSING, TRAINING, Record
from local_aws.job_requests import check_processing_request, check_training_request
from local_aws.job_runner import JobRunner
from local_aws.list_pages import page_of
from local_aws.object_store import ObjectStore
from local_aws.resource_tags import ResourceTags
from local_aws.state_store import AlreadyExistsError, StateStore

Parameters = dict[str, Any]
Operation = Callable[[str, Parameters], Parameters]


class JobApi:
    """Both kinds of jobs; `operations` maps SageMaker's names to methods."""

    def __init__(self, state: StateStore, store: ObjectStore, runner: JobRunner, tags: ResourceTags):
        self._state = state
        self._store = store
        self._runner = runner
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """Return what this part of SageMaker answers: region and parameters in, result out."""
        return {
            "CreateProcessingJob": self.create_processing_job,
            "DescribeProcessingJob": lambda region, p: self._describe(
                PROCESSING, region, p["ProcessingJobName"]
            ),
            "ListProcessingJobs": lambda region, p: self._list(PROCESSING, region, p),
            "StopProcessingJob": lambda region, p: self._stop(PROCESSING, region, p["ProcessingJobName"]),
            "CreateTrainingJob": self.create_training_job,
            "DescribeTrainingJob": lambda region, p: self._describe(TRAINING, region, p["TrainingJobName"]),
            "ListTrainingJobs": lambda region, p: self._list(TRAINING, region, p),
            "StopTrainingJob": lambda region, p: self._stop(TRAINING, region, p["TrainingJobName"]),
        }

    def create_processing_job(self, region: str, parameters: Parameters) -> Parameters:
        """Record a processing job and run it."""
        check_processing_request(parameters)
        return {
            "ProcessingJobArn": self._create(PROCESSING, region, parameters["ProcessingJobName"], parameters)
        }

    def create_training_job(self, region: str, parameters: Parameters) -> Parameters:
        """Record a training job and run it; input that is not there is refused at once, as on AWS."""
        check_training_request(parameters)
        name = parameters["TrainingJobName"]
        if self._state.get(job_records.collection(TRAINING, region), name) is None:
            for channel in parameters.get("InputDataConfig", []):
                self._check_channel_has_objects(region, channel, parameters["RoleArn"])
        return {"TrainingJobArn": self._create(TRAINING, region, name, parameters)}

    def _check_channel_has_objects(self, region: str, channel: Parameters, role: str) -> None:
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        try:
            found = has_objects(self._store, uri)
        except JobDataError as error:
            raise validation_error(str(error)) from error
        if not found:
            raise validation_error(
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
                f"the bucket exists in the selected region ({region}), that objects exist under that S3 "
                f'prefix, and that the role "{role}" has "s3:ListBucket" permissions on the bucket.'
            )

    def _create(self, kind: str, region: str, name: str, parameters: Parameters) -> str:
        request = {key: value for key, value in parameters.items() if key != "Tags"}
        record = job_records.new_record(kind, region, name, request, time.time())
        try:
            with self._state.transaction():
                self._state.insert(job_records.collection(kind, region), name, record)
                self._tags.put(record["Arn"], parameters.get("Tags", []))
        except AlreadyExistsError as error:
            raise ApiError(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, and a job with this name already "
                f"exists ({record['Arn']})",
            ) from error
        self._runner.submit(kind, region, name)
        return record["Arn"]

    def _record(self, kind: str, region: str, name: str) -> Record:
        record = self._state.get(job_records.collection(kind, region), name)
        if record is None:
            raise _not_found(kind, name)
        return record

    def _describe(self, kind: str, region: str, name: str) -> Parameters:
        record = self._record(kind, region, name)
        described = describe_processing_job(record) if kind == PROCESSING else describe_training_job(record)
        return {key: value for key, value in described.items() if value is not None}

    def _stop(self, kind: str, region: str, name: str) -> Parameters:
        def change(record: Record) -> Record:
            if job_records.is_final(record):
                what = "processing" if kind == PROCESSING else "training"
                raise validation_error(
                    f"The request was rejected because the {what} job is in status {record['Status']}."
                )
            return record if record["Status"] == "Stopping" else job_records.begin_stop(record, time.time())

        try:
            self._state.update(job_records.collection(kind, region), name, change)
        except KeyError as error:
            raise _not_found(kind, name) from error
        self._runner.request_stop(kind, region, name)
        return {}

    def _list(self, kind: str, region: str, parameters: Parameters) -> Parameters:
        records = self._state.all(job_records.collection(kind, region))
        chosen, token = page_of(
            records,
            parameters,
            status_of=lambda record: record["Status"],
            sort_keys={"Name": "Name", "CreationTime": "CreationTime", "Status": "Status"},
        )
        word = "Processing" if kind == PROCESSING else "Training"
        summaries = [_summary(word, record) for record in chosen]
        result: Parameters = {f"{word}JobSummaries": summaries}
        return {**result, "NextToken": token} if token else result


def _not_found(kind: str, name: str) -> ApiError:
    # AWS words it differently for the two kinds.
    if kind == PROCESSING:
        return validation_error(f"Could not find requested job with name: {name}")
    return validation_error("Requested resource not found.")


def _summary(word: str, record: Record) -> Parameters:
    summary = {
        f"{word}JobName": record["Name"],
        f"{word}JobArn": record["Arn"],
        f"{word}JobStatus": record["Status"],
        "CreationTime": record["CreationTime"],
        "LastModifiedTime": record["LastModifiedTime"],
        f"{word}EndTime" if word == "Training" else "ProcessingEndTime": record.get("EndTime"),
    }
    if word == "Training":
        summary["SecondaryStatus"] = record["SecondaryStatus"]
    else:
        summary |= {"FailureReason": record.get("FailureReason"), "ExitMessage": record.get("ExitMessage")}
    return {key: value for key, value in summary.items() if value is not None}


def describe_processing_job(record: Record) -> Parameters:
    """Return DescribeProcessingJob's answer: everything that was sent, and what became of it."""
    return {
        **record["Request"],
        "StoppingCondition": record["Request"].get("StoppingCondition", {"MaxRuntimeInSeconds": 86_400}),
        "ProcessingJobArn": record["Arn"],
        "ProcessingJobStatus": record["Status"],
        "CreationTime": record["CreationTime"],
        "LastModifiedTime": record["LastModifiedTime"],
        "ProcessingStartTime": record.get("StartTime"),
        "ProcessingEndTime": record.get("EndTime"),
        "FailureReason": record.get("FailureReason"),
        "ExitMessage": record.get("ExitMessage"),
    }


def describe_training_job(record: Record) -> Parameters:
    """Return DescribeTrainingJob's answer: everything that was sent, and what became of it."""
    seconds = job_records.runtime_seconds(record)
    metrics = list(record["Metrics"].values())
    return {
        **record["Request"],
        "TrainingJobArn": record["Arn"],
        "TrainingJobStatus": record["Status"],
        "SecondaryStatus": record["SecondaryStatus"],
        "SecondaryStatusTransitions": record["Transitions"],
        "CreationTime": record["CreationTime"],
        "LastModifiedTime": record["LastModifiedTime"],
        "TrainingStartTime": record.get("StartTime"),
        "TrainingEndTime": record.get("EndTime"),
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
        "FailureReason": record.get("FailureReason"),
        "ModelArtifacts": record.get("ModelArtifacts"),
        "FinalMetricDataList": metrics or None,
    }
