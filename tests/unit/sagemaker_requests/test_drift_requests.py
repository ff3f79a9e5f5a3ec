import json
from dataclasses import replace

import pytest

from include.data_contracts.day_inputs import MISSING, DayInputs
from include.sagemaker_requests.drift_requests import build_drift_request
from include.sagemaker_requests.job_names import job_name
from tests.unit.sagemaker_requests.plans import SHA256, day_inputs, model_reference, monitoring_plan

PLAN = monitoring_plan({"alpha": 0.01, "max_runtime_seconds": 900})
NAME = job_name("detect_drift", PLAN, 0, 0)


def options(request):
    stage, *arguments = request["AppSpecification"]["ContainerArguments"]
    assert stage == "detect_drift"
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def uris(request):
    return {entry["InputName"]: entry["S3Input"]["S3Uri"] for entry in request["ProcessingInputs"]}


def test_drift_request_when_everything_is_there_then_the_job_is_told_where_each_thing_lies():
    request = build_drift_request(PLAN, NAME, day_inputs(PLAN))
    given = options(request)
    rule = json.loads(given.pop("--rule"))
    assert rule["alpha"] == 0.01
    assert rule == PLAN.parameters.rule()
    folder = "/opt/ml/processing/input"
    assert given == {
        "--reference": f"{folder}/reference",
        "--current": f"{folder}/current",
        "--model": f"{folder}/model/model.tar.gz",
        "--schema": f"{folder}/schema/schema.json",
        "--evaluation": f"{folder}/evaluation/evaluation.json",
        "--reference-scores": f"{folder}/reference_scores/reference_scores.profile",
        "--state": f"{folder}/state/monitor_state.json",
        "--past-predictions": f"{folder}/past_predictions/predictions.csv",
        "--labels": f"{folder}/labels",
        "--labelled-date": "2026-10-25",
        "--model-sha256": SHA256,
        "--model-version": "telecom-churn/3",
        "--data-origin": "real",
        "--batch-date": "2026-11-24",
        "--output-dir": "/opt/ml/processing/output/drift",
    }


def test_drift_request_when_built_then_each_path_of_an_argument_is_an_input_of_the_container():
    request = build_drift_request(PLAN, NAME, day_inputs(PLAN))
    places = [entry["S3Input"]["LocalPath"] for entry in request["ProcessingInputs"]]
    paths = [value for value in options(request).values() if value.startswith("/opt/ml/processing/input")]
    assert len(paths) == 9
    for path in paths:
        assert any(path == place or path.startswith(f"{place}/") for place in places)


def test_drift_request_when_built_then_results_go_to_the_attempts_own_folder():
    (output,) = build_drift_request(PLAN, NAME, day_inputs(PLAN))["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == f"{PLAN.run_prefix}/detect_drift/{NAME}/drift"


def test_drift_request_when_it_is_the_first_day_then_neither_state_nor_labels_are_asked_for():
    request = build_drift_request(PLAN, NAME, day_inputs(PLAN, with_state=False, with_labels=False))
    absent = {"--state", "--labels", "--labelled-date", "--past-predictions"}
    assert not absent & set(options(request))
    assert not {"state", "labels", "past_predictions"} & set(uris(request))


def test_drift_request_when_labels_are_of_this_very_batch_then_the_job_uses_its_own_scores():
    day = replace(day_inputs(PLAN), past_predictions_uri=None)
    request = build_drift_request(PLAN, NAME, day)
    assert "--labels" in options(request)
    assert "--past-predictions" not in options(request)


def test_drift_request_when_the_model_is_of_keras_then_it_runs_in_the_image_that_can_load_it():
    plan = replace(PLAN, model=model_reference(algorithm="keras_mlp"))
    image = build_drift_request(plan, NAME, day_inputs(plan))["AppSpecification"]["ImageUri"]
    assert "tensorflow-training" in image
    ours = build_drift_request(PLAN, NAME, day_inputs(PLAN))["AppSpecification"]["ImageUri"]
    assert "sagemaker-scikit-learn" in ours


def test_drift_request_when_there_is_no_batch_then_it_is_refused():
    with pytest.raises(ValueError, match="2026-11-24 is missing"):
        build_drift_request(PLAN, NAME, DayInputs(MISSING, PLAN.batch_uri))
