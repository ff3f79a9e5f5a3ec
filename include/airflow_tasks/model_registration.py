"""Register a trained model in SageMaker's model registry, exactly once per run and model.

A run keeps its identity when it is cleared, whole or in part, although a cleared run that had ended starts at
another time and its jobs and folders get other names. A model is the content of its files: training again on
the same data packs the same files into another archive.

Never deletes and never approves: a package is registered as PendingManualApproval and a person decides.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks.accuracy_gate import read_evaluation
from include.airflow_tasks.aws_errors import code_and_message, is_transient, one_line
from include.airflow_tasks.job_kinds import is_missing_job_error
from include.airflow_tasks.s3_documents import read_json
from include.data_contracts.data_quality_report import DataQualityReport
from include.data_contracts.gate_decision import GateDecision
from include.data_contracts.job_result import JobResult
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.retraining_plan import RetrainingPlan
from include.sagemaker_requests.model_package_requests import (
    SYNTHETIC_TAG,
    build_model_package_group_request,
    build_model_package_request,
)

log = logging.getLogger(__name__)

# Together they mean "this run and this model".
IDENTITY_PROPERTIES = ("run_identity", "model_content_sha256")
# Two clocks, Airflow's and SageMaker's, and a run that waited: a package of this run is not older than that.
_CLOCK_MARGIN = timedelta(days=1)
_GROUP_EXISTS_CODES = frozenset({"ConflictException", "ResourceInUse", "ResourceInUseException"})


def register_candidate(
    plan_mapping: Mapping[str, Any],
    *,
    preprocess: Mapping[str, Any],
    training: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    gate_decision: Mapping[str, Any],
    s3: S3Hook,
    client: Any,
) -> dict[str, Any]:
    """Register what the run's jobs made; arguments are the XCom mappings of the tasks before.

    Returns the mapping of `registration_result`. Raises AirflowFailException in one line for what a person
    has to mend; an outage of AWS is an AirflowException, which is retried.
    """
    plan = RetrainingPlan.from_mapping(plan_mapping)
    evaluation_result = JobResult.from_mapping(evaluation)
    gate = GateDecision.from_mapping(gate_decision)
    if not gate.passed:
        raise AirflowFailException(f"registration asked for although the gate is closed: {gate.sentence}")
    report = read_evaluation(s3, evaluation_result)
    preprocess_result = JobResult.from_mapping(preprocess)
    request = build_model_package_request(
        plan,
        preprocess_result,
        JobResult.from_mapping(training),
        evaluation_result,
        report,
        gate,
        _read_data_quality(s3, preprocess_result).data_fingerprint,
    )
    return register_once(
        client,
        group_request=build_model_package_group_request(plan, report.data_origin),
        package_request=request,
        run_after=datetime.fromisoformat(plan.run_after),
    )


def ensure_group(client: Any, request: Mapping[str, Any]) -> None:
    """Create the model package group unless it exists; another run may create it at the same moment.

    A group for synthetic models that somebody else made gets the tag that keeps approval away.
    """
    name = request["ModelPackageGroupName"]
    try:
        group = client.describe_model_package_group(ModelPackageGroupName=name)
        if SYNTHETIC_TAG in request["Tags"]:
            client.add_tags(ResourceArn=group["ModelPackageGroupArn"], Tags=[SYNTHETIC_TAG])
    except Exception as error:
        if not is_missing_job_error(*code_and_message(error)):
            raise refusal(error, f"model package group {name}") from error
    else:
        return
    try:
        client.create_model_package_group(**request)
        log.info("Created the model package group %s.", name)
    except Exception as error:
        code, message = code_and_message(error)
        if code not in _GROUP_EXISTS_CODES and "already exist" not in message:
            raise refusal(error, f"model package group {name}") from error
        log.info("The model package group %s was created by another run.", name)


def find_registered(
    client: Any, group_name: str, *, created_after: datetime, properties: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return the package whose CustomerMetadataProperties hold all `properties`, if there is one."""
    for arn in _package_arns(client, group_name, created_after - _CLOCK_MARGIN):
        description: dict[str, Any] = client.describe_model_package(ModelPackageName=arn)
        known = description.get("CustomerMetadataProperties") or {}
        if all(known.get(name) == value for name, value in properties.items()):
            return description
    return None


def register_once(
    client: Any,
    *,
    group_request: Mapping[str, Any],
    package_request: Mapping[str, Any],
    run_after: datetime,
) -> dict[str, Any]:
    """Register the package, or return the one that an earlier try of the same run has registered.

    Looking first covers tries that are hours apart; the request's ClientToken covers an answer that was lost
    a moment ago.
    """
    group_name = group_request["ModelPackageGroupName"]
    properties = package_request["CustomerMetadataProperties"]
    identity = {name: properties[name] for name in IDENTITY_PROPERTIES}
    ensure_group(client, group_request)
    try:
        existing = find_registered(client, group_name, created_after=run_after, properties=identity)
        if existing is not None:
            log.info("Registered by an earlier try: %s", existing["ModelPackageArn"])
            return registration_result(existing, newly_registered=False)
        created = client.create_model_package(**package_request)
        description = client.describe_model_package(ModelPackageName=created["ModelPackageArn"])
    except Exception as error:
        raise refusal(error, f"registration in {group_name}") from error
    log.info("Registered %s.", description["ModelPackageArn"])
    return registration_result(description, newly_registered=True)


def registration_result(description: Mapping[str, Any], *, newly_registered: bool) -> dict[str, Any]:
    """Reduce a package's description to what people and reports need."""
    return {
        "model_package_arn": description["ModelPackageArn"],
        "model_package_version": description.get("ModelPackageVersion"),
        "model_package_group": description.get("ModelPackageGroupName"),
        "approval_status": description.get("ModelApprovalStatus"),
        "newly_registered": newly_registered,
    }


def _read_data_quality(s3: S3Hook, preprocess: JobResult) -> DataQualityReport:
    uri = f"{preprocess.output('data_quality')}/data_quality.json"
    remedy = f"read the log of the job {preprocess.job_name}"
    try:
        return DataQualityReport.from_mapping(
            read_json(s3, uri, what="the data quality report", remedy=remedy)
        )
    except ContractError as error:
        raise AirflowFailException(f"the data quality report {uri} is not usable: {error}") from None


def refusal(error: Exception, what: str) -> AirflowException:
    """Turn an AWS error into one line: retried when it passes by itself, final when it does not."""
    if isinstance(error, AirflowException):
        return error
    if is_transient(error):
        return AirflowException(f"{what}: AWS cannot be reached: {one_line(error)}")
    return AirflowFailException(f"{what}: SageMaker refused it: {one_line(error)}")


def _package_arns(client: Any, group_name: str, created_after: datetime) -> Iterator[str]:
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group_name,
        CreationTimeAfter=created_after,
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            yield summary["ModelPackageArn"]
