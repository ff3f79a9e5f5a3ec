"""A registered model, its files in S3, and a prepared plan; made by the code that makes real ones."""

import functools
import json
import os
from datetime import UTC, datetime

import boto3

from include.airflow_tasks.monitoring_preparation import RunIdentity, prepare_monitoring_plan
from include.data_contracts.feature_schema import load_schema
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.model_quality_gate.decision import decide, rules_for
from include.sagemaker_requests.model_package_requests import (
    build_model_package_group_request,
    build_model_package_request,
)
from include.settings.environment import MonitoringEnvironment
from tests.unit.airflow_tasks.plans import VARIABLES, make_plan, make_result
from tests.unit.airflow_tasks.reports import make_report

MONITORING_VARIABLES = {
    **VARIABLES,
    "CHURN_ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:churn-alerts",
}
RUN_AFTER = datetime(2026, 11, 25, tzinfo=UTC)
BUNDLE_POINTER = b'{"uri": "s3://churn-artifacts/job-bundles/x", "sha256": "x", "git_revision": "y"}'


@functools.cache
def client_at(service: str, endpoint: str):
    return boto3.client(service, region_name="eu-west-1")


def client_of(service: str):
    return client_at(service, os.environ["AWS_ENDPOINT_URL"])


def put(uri: str, body: bytes = b"a,b\n1,2\n") -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    client_of("s3").put_object(Bucket=bucket, Key=key, Body=body)


def get(uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return client_of("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def register_model(*, approve: bool = True, profile: bool = True, scores: bool = True) -> str:
    """Register a model as churn_retraining does; return its version."""
    client = client_of("sagemaker")
    plan, report = make_plan(), make_report()
    preprocess, training, evaluation = (make_result(stage) for stage in ("preprocess", "train", "evaluate"))
    if not client.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        client.create_model_package_group(**build_model_package_group_request(plan))
    gate = decide(report, rules_for(plan.parameters))
    request = build_model_package_request(
        plan, preprocess, training, evaluation, report, gate, data_fingerprint="78" * 32
    )
    del request["ClientToken"]  # each call is another model
    if approve:  # at once, because moto's UpdateModelPackage forgets the properties
        request["ModelApprovalStatus"] = "Approved"
    arn = client.create_model_package(**request)["ModelPackageArn"]
    put(plan.schema_uri, json.dumps(load_schema("ibm_telco").to_mapping()).encode())
    if profile:
        put(f"{preprocess.output('reference')}/reference.profile")
    if scores:
        put(f"{evaluation.output('evaluation')}/reference_scores.profile")
    return arn.rpartition("/")[2]


def prepare(
    s3_hook, conf=None, *, variables=MONITORING_VARIABLES, due_at=RUN_AFTER, run_id="run"
) -> MonitoringPlan:
    put("s3://churn-artifacts/job-bundles/current.json", BUNDLE_POINTER)
    return prepare_monitoring_plan(
        RunIdentity("churn_drift_monitoring", run_id, due_at, due_at, due_at),
        params={},
        conf=conf or {},
        read_environment=lambda: MonitoringEnvironment.from_mapping(variables),
        s3=s3_hook,
        client=client_of("sagemaker"),
    )
