from dataclasses import replace

import pytest

from include.model_quality_gate.decision import decide, rules_for
from include.sagemaker_requests.job_requests import (
    build_evaluation_request,
    build_preprocess_request,
    build_training_request,
)
from include.sagemaker_requests.model_package_requests import (
    build_model_package_group_request,
    build_model_package_request,
)
from include.sagemaker_requests.request_parts import description_text, tag_text, without_empty
from tests.unit.sagemaker_requests.plans import SHA256, plan, processing_result, report, training_result


def package(made, found=None):
    found = found or report()
    preprocess = processing_result(build_preprocess_request(made, "preprocess-1"))
    training = training_result(build_training_request(made, "train-1", preprocess))
    evaluation = processing_result(build_evaluation_request(made, "evaluate-1", preprocess, training))
    gate = decide(found, rules_for(made.parameters))
    return build_model_package_request(
        made, preprocess, training, evaluation, found, gate, data_fingerprint="fedcba9876543210" * 4
    )


def test_package_when_built_then_waits_for_approval_and_serves_the_trained_archive():
    made = plan()
    request = package(made)
    (container,) = request["InferenceSpecification"]["Containers"]
    assert request["ModelApprovalStatus"] == "PendingManualApproval"
    assert container["ModelDataUrl"] == f"{made.run_prefix}/train/train-1/output/model.tar.gz"
    assert container["Image"].endswith("/sagemaker-scikit-learn:1.9-0-cpu-py3")
    assert container["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"


def test_package_when_the_model_is_keras_then_is_served_by_tensorflow_serving():
    (container,) = package(plan({"algorithm": "keras_mlp"}))["InferenceSpecification"]["Containers"]
    assert container["Image"].endswith("/tensorflow-inference:2.20-cpu-py312")
    assert (container["Framework"], container["FrameworkVersion"]) == ("TENSORFLOW", "2.20")
    assert "Environment" not in container


def test_package_when_built_then_links_quality_data_and_baselines():
    made = plan()
    request = package(made)
    quality = request["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    data_quality = request["ModelMetrics"]["ModelDataQuality"]
    assert quality == f"{made.run_prefix}/evaluate/evaluate-1/evaluation/evaluation.json"
    assert data_quality["Statistics"]["S3Uri"] == (
        f"{made.run_prefix}/preprocess/preprocess-1/data_quality/data_quality.json"
    )
    assert data_quality["Constraints"]["S3Uri"] == made.schema_uri
    assert request["DriftCheckBaselines"] == request["ModelMetrics"]


def test_package_when_built_then_its_properties_tell_where_it_comes_from_and_how_good_it_is():
    made = plan({"reason": "drift", "accuracy_threshold": 0.78})
    found = package(made)["CustomerMetadataProperties"]
    expected = {
        "run_id": "manual__2026-11-24T02:21:00+00:00",
        "run_hash": made.run_hash,
        "dag_id": "churn_retraining",
        "reason": "drift",
        "data_origin": "real",
        "dataset_fingerprint": SHA256,
        "data_fingerprint": "fedcba9876543210" * 4,
        "input_data_uri": made.input_data_uri,
        "plan_uri": f"{made.run_prefix}/plan.json",
        "schema_name": "ibm_telco",
        "schema_fingerprint": SHA256,
        "git_revision": "0f" * 20,
        "job_bundle_sha256": SHA256,
        "model_sha256": SHA256,
        "algorithm": "hist_gradient_boosting",
        "seed": "42",
        "accuracy": "0.803400",
        "accuracy_interval_95": "0.783400 to 0.823400",
        "roc_auc_interval_95": "0.825000 to 0.865000",
        "majority_class_accuracy": "0.735000",
        "gate_rule": "accuracy at least 0.78",
        "reference_uri": f"{made.run_prefix}/preprocess/preprocess-1/reference",
        "training_job": "train-1",
    }
    assert expected.items() <= found.items()


def test_package_when_a_property_is_empty_then_it_is_left_out():
    assert "reason" not in package(plan())["CustomerMetadataProperties"]


@pytest.mark.parametrize("key", ["x" * 300 + "/", "May & June/", "folder;1/", "ends with a space "])
def test_package_when_a_property_cannot_hold_an_address_whole_then_it_is_left_to_the_plan(key):
    found = package(plan({"input_data_uri": f"s3://churn-data/{key}"}))["CustomerMetadataProperties"]
    assert "input_data_uri" not in found
    assert found["plan_uri"].endswith("/plan.json")


def test_package_when_built_then_names_no_source_because_that_is_for_models_and_packages():
    assert "SourceUri" not in package(plan())


def test_package_when_registered_then_has_no_tags_because_aws_refuses_them_on_versions():
    assert "Tags" not in package(plan())


@pytest.mark.parametrize(
    ("plan_origin", "report_origin"), [("synthetic", "synthetic"), ("real", "synthetic")]
)
def test_package_when_data_is_synthetic_then_goes_to_the_marked_group(plan_origin, report_origin):
    made = plan({"on_missing_data": "synthetic"}, data_origin=plan_origin)
    request = package(made, report(data_origin=report_origin))
    group = build_model_package_group_request(made, report_origin)
    assert request["ModelPackageGroupName"] == group["ModelPackageGroupName"] == "telecom-churn-synthetic"
    assert {"Key": "churn:data-origin", "Value": "synthetic"} in group["Tags"]
    assert request["CustomerMetadataProperties"]["data_origin"] == "synthetic"
    assert request["ModelPackageDescription"].startswith("SYNTHETIC data, never approvable.")


def test_group_when_data_is_real_then_is_the_asked_one_and_says_so():
    group = build_model_package_group_request(plan({"model_package_group": "churn-2"}), "real")
    assert group["ModelPackageGroupName"] == "churn-2"
    assert {"Key": "churn:data-origin", "Value": "real"} in group["Tags"]


def test_client_token_when_the_same_run_registers_the_same_model_then_is_the_same():
    assert package(plan())["ClientToken"] == package(plan())["ClientToken"]


@pytest.mark.parametrize(
    "other",
    [
        lambda: package(plan(run_id="another")),
        lambda: package(plan(), report(archive_sha256="f" * 64)),
        lambda: package(plan({"model_package_group": "another"})),
    ],
)
def test_client_token_when_run_model_or_group_differ_then_differs(other):
    assert other()["ClientToken"] != package(plan())["ClientToken"]


def test_package_when_the_report_judged_a_directory_then_the_content_digest_stands_in():
    found = replace(report(archive_sha256=None))
    assert package(plan(), found)["CustomerMetadataProperties"]["model_sha256"] == SHA256


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b'c", "a_b_c"),
        ("Zürich 再", "Zürich 再"),
        ("x" * 300, "x" * 256),
        ("line\nbreak", "line_break"),
        ("🎈", "_"),
    ],
)
def test_tag_text_when_given_any_text_then_keeps_the_alphabet_of_tags(text, expected):
    assert tag_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\tb\nc", "a b c"), ("“€” ; 'x'", "“€” ; 'x'"), ("x" * 2000, "x" * 1024), ("\x00", "")],
)
def test_description_text_when_given_any_text_then_is_one_line_without_control_characters(text, expected):
    assert description_text(text) == expected


def test_without_empty_when_values_are_false_or_zero_then_they_stay():
    request = {"none": None, "list": [], "map": {}, "false": False, "zero": 0, "text": "x"}
    assert without_empty(request) == {"false": False, "zero": 0, "text": "x"}
