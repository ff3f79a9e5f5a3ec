"""Whatever the Params allow, SageMaker's own model accepts: every builder, property-based."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.model_quality_gate.decision import decide, rules_for
from include.sagemaker_requests.container_images import images_by_region
from include.sagemaker_requests.drift_requests import build_drift_request
from include.sagemaker_requests.job_names import STAGES, job_name
from include.sagemaker_requests.job_requests import (
    build_evaluation_request,
    build_preprocess_request,
    build_training_request,
)
from include.sagemaker_requests.model_package_requests import (
    build_model_package_group_request,
    build_model_package_request,
)
from tests.unit.sagemaker_requests.plans import (
    REPORTS,
    RUN_IDS,
    day_inputs,
    monitoring_plans,
    plan,
    plans,
    processing_result,
    training_result,
)
from tests.unit.sagemaker_requests.service_model import find_breaches

PROPERTY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
XCOM_LIMIT_BYTES = 48 * 1024


def assert_within_limits_the_model_does_not_state(request):
    """AWS's documentation is stricter than its model: 256 characters per hyperparameter, spot waits."""
    assert all(len(value) <= 256 for value in request.get("HyperParameters", {}).values())
    assert all(not tag["Key"].startswith("aws:") for tag in request["Tags"])
    stopping = request["StoppingCondition"]
    assert request.get("EnableManagedSpotTraining", False) == ("MaxWaitTimeInSeconds" in stopping)
    assert stopping.get("MaxWaitTimeInSeconds", 10**9) >= stopping["MaxRuntimeInSeconds"]


@PROPERTY
@given(made=plans(), generation=st.integers(0, 99), attempt=st.integers(0, 99), report=REPORTS)
def test_requests_when_built_from_any_allowed_plan_then_pass_the_strict_check(
    made, generation, attempt, report
):
    names = {stage: job_name(stage, made, generation, attempt) for stage in STAGES}
    preprocess = build_preprocess_request(made, names["preprocess"])
    preprocess_result = processing_result(preprocess)
    training = build_training_request(made, names["train"], preprocess_result)
    training_outcome = training_result(training)
    evaluation = build_evaluation_request(made, names["evaluate"], preprocess_result, training_outcome)
    gate = decide(report, rules_for(made.parameters))
    package = build_model_package_request(
        made, preprocess_result, training_outcome, processing_result(evaluation), report, gate, "ab" * 32
    )
    group = build_model_package_group_request(made, report.data_origin)
    for operation, request in (
        ("CreateProcessingJob", preprocess),
        ("CreateTrainingJob", training),
        ("CreateProcessingJob", evaluation),
        ("CreateModelPackageGroup", group),
        ("CreateModelPackage", package),
    ):
        assert find_breaches(operation, request) == []
        json.dumps(request, allow_nan=False)
    for request in (preprocess, training, evaluation):
        assert_within_limits_the_model_does_not_state(request)
    assert package["ModelPackageGroupName"] == group["ModelPackageGroupName"]


@PROPERTY
@given(
    made=monitoring_plans(),
    attempt=st.integers(0, 99),
    with_state=st.booleans(),
    with_labels=st.booleans(),
)
def test_drift_request_when_built_from_any_allowed_plan_then_passes_the_strict_check(
    made, attempt, with_state, with_labels
):
    day = day_inputs(made, with_state=with_state, with_labels=with_labels)
    request = build_drift_request(made, job_name("detect_drift", made, 99, attempt), day)
    assert find_breaches("CreateProcessingJob", request) == []
    assert len(request["ProcessingInputs"]) <= 10
    assert all(len(text) <= 256 for text in request["AppSpecification"]["ContainerArguments"])
    json.dumps(request, allow_nan=False)
    assert_within_limits_the_model_does_not_state(request)
    assert len(json.dumps(made.to_mapping()).encode()) <= XCOM_LIMIT_BYTES


@PROPERTY
@given(made=plans())
def test_plan_when_made_from_any_allowed_conf_then_fits_an_xcom(made):
    assert len(json.dumps(made.to_mapping()).encode()) < XCOM_LIMIT_BYTES


@PROPERTY
@given(run_ids=st.lists(RUN_IDS, min_size=2, max_size=2, unique=True))
def test_job_names_when_anything_differs_then_differ(run_ids):
    first, second = (plan(run_id=run_id) for run_id in run_ids)
    names = [
        job_name(stage, made, generation, attempt)
        for made in (first, second)
        for stage in STAGES
        for generation in (0, 1, 10)
        for attempt in (0, 1, 10)
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 for name in names)


@pytest.mark.parametrize(
    "region", [region for region, images in images_by_region().items() if len(images) == 3]
)
@pytest.mark.parametrize("algorithm", ["hist_gradient_boosting", "keras_mlp"])
def test_requests_when_built_in_any_region_of_the_table_then_pass_the_strict_check(region, algorithm):
    made = plan({"algorithm": algorithm}, region=region)
    request = build_preprocess_request(made, job_name("preprocess", made, 0, 0))
    assert find_breaches("CreateProcessingJob", request) == []
    training = build_training_request(made, job_name("train", made, 0, 0), processing_result(request))
    assert find_breaches("CreateTrainingJob", training) == []
    assert f".{region}." in training["AlgorithmSpecification"]["TrainingImage"]
