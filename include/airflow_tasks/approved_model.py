"""Which model package monitoring compares with, and what travels with it."""

from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.aws_errors import code_and_message
from include.airflow_tasks.job_kinds import is_missing_job_error
from include.airflow_tasks.model_registration import refusal
from include.airflow_tasks.s3_documents import object_exists
from include.data_contracts.monitoring_plan import APPROVED, ModelReference
from include.sagemaker_requests.container_images import stage_images

REFERENCE_PROFILE = "reference.profile"
SCORES_PROFILE = "reference_scores.profile"
_RETRAIN = "run churn_retraining with the present code and approve the new version"


def find_package(client: Any, group: str, version: str) -> dict[str, Any] | None:
    """Return the description of the latest approved package, or of the version that was asked for.

    None where nothing is approved. Raises AirflowFailException for a version that does not exist; an outage
    of AWS is an AirflowException, which is retried.
    """
    try:
        arn = _version_arn(client, group, version) if version else _latest_approved_arn(client, group)
        if arn is None:
            return None
        description: dict[str, Any] = client.describe_model_package(ModelPackageName=arn)
    except Exception as error:
        raise refusal(error, f"model package group {group}") from error
    return description


def model_reference(description: Mapping[str, Any], *, region: str, s3: S3Hook) -> ModelReference:
    """Return where everything lies that a batch is compared with.

    Raises AirflowFailException in one line that says to retrain when the package lacks something, and
    UnknownImageError when SageMaker has no image of the model's framework in the region.
    """
    arn = str(description["ModelPackageArn"])
    properties = description.get("CustomerMetadataProperties") or {}
    facts = {
        "property reference_uri": properties.get("reference_uri"),
        "property model_sha256": properties.get("model_sha256"),
        "property algorithm": properties.get("algorithm"),
        "property schema_name": properties.get("schema_name"),
        "property data_origin": properties.get("data_origin"),
        "ModelDataUrl": _within(description, "InferenceSpecification", "Containers", 0, "ModelDataUrl"),
        "evaluation report": _within(description, "ModelMetrics", "ModelQuality", "Statistics", "S3Uri"),
        "schema": _within(description, "ModelMetrics", "ModelDataQuality", "Constraints", "S3Uri"),
    }
    lacking = [name for name, value in facts.items() if not value]
    if lacking:
        raise AirflowFailException(f"model package {arn} has no {', no '.join(lacking)}: {_RETRAIN}")
    reference_uri = str(facts["property reference_uri"]).rstrip("/")
    profile_uri = f"{reference_uri}/{REFERENCE_PROFILE}"
    if not object_exists(s3, profile_uri, what="the model's reference profile"):
        raise AirflowFailException(f"model package {arn} has no reference profile {profile_uri}: {_RETRAIN}")
    evaluation_uri = str(facts["evaluation report"])
    scores_uri = f"{evaluation_uri.rpartition('/')[0]}/{SCORES_PROFILE}"
    has_scores = object_exists(s3, scores_uri, what="the model's reference scores")
    algorithm = str(facts["property algorithm"])
    return ModelReference(
        group=str(description["ModelPackageGroupName"]),
        version=str(description["ModelPackageVersion"]),
        arn=arn,
        approval_status=str(description["ModelApprovalStatus"]),
        data_origin=str(facts["property data_origin"]),
        algorithm=algorithm,
        image=stage_images(algorithm, region).evaluate,
        model_uri=str(facts["ModelDataUrl"]),
        model_sha256=str(facts["property model_sha256"]),
        reference_uri=reference_uri,
        evaluation_uri=evaluation_uri,
        reference_scores_uri=scores_uri if has_scores else None,
        schema_name=str(facts["property schema_name"]),
        schema_uri=str(facts["schema"]),
    )


def _latest_approved_arn(client: Any, group: str) -> str | None:
    for summary in _summaries(client, group, ModelApprovalStatus=APPROVED):
        return str(summary["ModelPackageArn"])
    return None


def _version_arn(client: Any, group: str, version: str) -> str:
    known = []
    for summary in _summaries(client, group):
        if str(summary["ModelPackageVersion"]) == version:
            return str(summary["ModelPackageArn"])
        known.append(summary["ModelPackageVersion"])
    newest = f"the newest is {known[0]}" if known else "it has none"
    raise AirflowFailException(f"reference_version {version}: group {group} has no such version; {newest}")


def _summaries(client: Any, group: str, **filters: str) -> list[dict[str, Any]]:
    """Return the group's packages, newest first; none where there is no such group."""
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", **filters
    )
    try:
        return [summary for page in pages for summary in page["ModelPackageSummaryList"]]
    except Exception as error:
        if is_missing_job_error(*code_and_message(error)):
            return []
        raise


def _within(document: Any, *path: str | int) -> Any:
    """Return the value at the path, or None where the path ends early."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document
