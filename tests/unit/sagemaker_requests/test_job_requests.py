import json
from dataclasses import replace

import pytest

from include.sagemaker_requests.job_names import job_name
from include.sagemaker_requests.job_requests import (
    build_evaluation_request,
    build_preprocess_request,
    build_training_request,
)
from tests.unit.sagemaker_requests.plans import SHA256, environment, plan, processing_result, training_result

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f0f0f0f-0000-4000-8000-000000000000"
NETWORK = {"subnet_ids": ("subnet-0a", "subnet-0b"), "security_group_ids": ("sg-0a",)}
BUNDLE = f"s3://churn-artifacts/job-bundles/{SHA256}"


def preprocess_request(made):
    return build_preprocess_request(made, job_name("preprocess", made, 0, 0))


def training_request(made):
    done = processing_result(preprocess_request(made))
    return build_training_request(made, job_name("train", made, 0, 0), done)


def evaluation_request(made):
    preprocess, training = (
        processing_result(preprocess_request(made)),
        training_result(training_request(made)),
    )
    return build_evaluation_request(made, job_name("evaluate", made, 0, 0), preprocess, training)


def inputs(request):
    return {entry["InputName"]: entry["S3Input"]["S3Uri"] for entry in request["ProcessingInputs"]}


def outputs(request):
    return {
        entry["OutputName"]: entry["S3Output"]["S3Uri"]
        for entry in request["ProcessingOutputConfig"]["Outputs"]
    }


def option(request, name):
    arguments = request["AppSpecification"]["ContainerArguments"]
    return arguments[arguments.index(name) + 1]


def test_preprocess_when_data_is_real_then_reads_it_with_the_schema_of_the_run():
    made = plan({"test_fraction": 0.25, "seed": 7})
    request = preprocess_request(made)
    assert inputs(request) == {
        "code": f"{BUNDLE}/churn_jobs.pyz",
        "schema": f"{made.run_prefix}/schema.json",
        "raw": "s3://churn-data/raw/ibm_telco/",
    }
    assert request["AppSpecification"]["ContainerEntrypoint"] == [
        "python3", "/opt/ml/processing/input/code/churn_jobs.pyz",
    ]  # fmt: skip
    assert request["AppSpecification"]["ContainerArguments"] == [
        "preprocess",
        "--input-dir", "/opt/ml/processing/input/raw",
        "--output-dir", "/opt/ml/processing/output",
        "--schema", "/opt/ml/processing/input/schema/schema.json",
        "--test-fraction", "0.25",
        "--seed", "7",
    ]  # fmt: skip


def test_preprocess_when_data_is_synthetic_then_has_no_raw_input_and_says_how_many_rows():
    request = preprocess_request(plan({"on_missing_data": "synthetic"}, data_origin="synthetic"))
    assert set(inputs(request)) == {"code", "schema"}
    assert option(request, "--synthetic-rows") == "10000"
    assert "--input-dir" not in request["AppSpecification"]["ContainerArguments"]


def test_preprocess_when_the_raw_data_are_marked_above_what_the_job_sees_then_it_is_told():
    request = preprocess_request(plan(data_origin="synthetic", invents_customers=False))
    assert option(request, "--input-dir") == "/opt/ml/processing/input/raw"
    assert "--mark-synthetic" in request["AppSpecification"]["ContainerArguments"]
    assert "--mark-synthetic" not in preprocess_request(plan())["AppSpecification"]["ContainerArguments"]


def test_preprocess_when_built_then_each_output_has_a_folder_of_this_attempt():
    made = plan()
    request = preprocess_request(made)
    folder = f"{made.run_prefix}/preprocess/{request['ProcessingJobName']}"
    names = ("train", "test", "encoder", "data_quality", "reference")
    assert outputs(request) == {name: f"{folder}/{name}" for name in names}
    assert {o["S3Output"]["S3UploadMode"] for o in request["ProcessingOutputConfig"]["Outputs"]} == {
        "EndOfJob"
    }


def test_training_when_built_then_runs_in_script_mode_from_the_code_channel():
    made = plan(
        {"algorithm": "random_forest", "seed": 3, "hyperparameters": {"max_depth": 8, "max_features": 0.5}}
    )
    request = training_request(made)
    decoded = {name: json.loads(value) for name, value in request["HyperParameters"].items()}
    assert decoded == {
        "algorithm": "random_forest",
        "seed": 3,
        "max_depth": 8,
        "max_features": 0.5,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
        "sagemaker_region": "eu-west-1",
        "sagemaker_job_name": request["TrainingJobName"],
        "sagemaker_container_log_level": 20,
    }
    channels = {
        c["ChannelName"]: c["DataSource"]["S3DataSource"]["S3Uri"] for c in request["InputDataConfig"]
    }
    preprocess = outputs(preprocess_request(made))
    assert channels == {
        "train": preprocess["train"],
        "encoder": preprocess["encoder"],
        "code": f"{BUNDLE}/sourcedir.tar.gz",
    }


@pytest.mark.parametrize("value", ["007", "true", "1e3", "null", "a b"])
def test_training_when_a_hyperparameter_is_a_text_then_the_toolkit_reads_the_same_text(value):
    request = training_request(plan({"hyperparameters": {"word": value}}))
    assert json.loads(request["HyperParameters"]["word"]) == value


def test_training_when_metrics_are_logged_then_the_definitions_find_their_values():
    import re

    definitions = training_request(plan())["AlgorithmSpecification"]["MetricDefinitions"]
    log = "train:accuracy=0.803400;\ntrain:roc_auc=0.845000;\ntrain:log_loss=0.000012;\n"
    found = {entry["Name"]: float(re.search(entry["Regex"], log)[1]) for entry in definitions}
    assert found == {"train:accuracy": 0.8034, "train:roc_auc": 0.845, "train:log_loss": 0.000012}


def test_training_when_spot_is_on_then_waits_longer_than_it_runs_and_keeps_checkpoints():
    request = training_request(plan({"use_spot_instances": True, "max_runtime_seconds": 600}))
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 4200}
    assert request["CheckpointConfig"]["S3Uri"].endswith(f"/train/{request['TrainingJobName']}/checkpoints")
    assert request["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"


def test_training_when_spot_is_off_then_says_so_and_has_no_waiting_time():
    request = training_request(plan())
    assert request["EnableManagedSpotTraining"] is False
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert "CheckpointConfig" not in request


def test_evaluation_when_built_then_gets_the_model_its_digests_and_the_test_split():
    made = plan({"seed": 5})
    request = evaluation_request(made)
    training = training_result(training_request(made))
    assert inputs(request) == {
        "code": f"{BUNDLE}/churn_jobs.pyz",
        "model": training.model_artifact_uri,
        "model_digest": training.training_output_uri,
        "test": outputs(preprocess_request(made))["test"],
    }
    assert request["AppSpecification"]["ContainerArguments"] == [
        "evaluate",
        "--model", "/opt/ml/processing/input/model/model.tar.gz",
        "--model-digest", "/opt/ml/processing/input/model_digest/output.tar.gz",
        "--test-dir", "/opt/ml/processing/input/test",
        "--output-dir", "/opt/ml/processing/output/evaluation",
        "--seed", "5",
    ]  # fmt: skip
    assert outputs(request) == {
        "evaluation": f"{made.run_prefix}/evaluate/{request['ProcessingJobName']}/evaluation"
    }


def test_evaluation_when_training_left_no_model_then_says_so():
    made = plan()
    preprocess = processing_result(preprocess_request(made))
    with pytest.raises(ValueError, match="left no model artifact"):
        build_evaluation_request(made, "job", preprocess, preprocess)


def test_training_when_preprocess_left_no_train_split_then_names_what_there_is():
    made = plan()
    preprocess = replace(processing_result(preprocess_request(made)), outputs={"test": "s3://bucket/test"})
    with pytest.raises(KeyError, match=r"no output named 'train'.*test"):
        build_training_request(made, "job", preprocess)


BUILDERS = [preprocess_request, training_request, evaluation_request]


@pytest.mark.parametrize("build", BUILDERS)
def test_requests_when_nothing_is_encrypted_or_private_then_name_no_key_and_no_network(build):
    text = json.dumps(build(plan()))
    assert "KmsKeyId" not in text
    assert "VpcConfig" not in text


@pytest.mark.parametrize("build", BUILDERS)
def test_requests_when_a_key_is_set_then_volumes_and_outputs_are_encrypted_with_it(build):
    request = build(plan(kms_key_id=KEY))
    output = request.get("OutputDataConfig") or request["ProcessingOutputConfig"]
    resources = request.get("ResourceConfig") or request["ProcessingResources"]["ClusterConfig"]
    assert output["KmsKeyId"] == resources["VolumeKmsKeyId"] == KEY


@pytest.mark.parametrize("build", BUILDERS)
def test_requests_when_the_network_is_private_and_isolated_then_carry_both(build):
    request = build(plan(**NETWORK, network_isolation=True))
    network = request.get("NetworkConfig", request)
    assert network["EnableNetworkIsolation"] is True
    assert network["VpcConfig"] == {"SecurityGroupIds": ["sg-0a"], "Subnets": ["subnet-0a", "subnet-0b"]}


@pytest.mark.parametrize("build", BUILDERS)
def test_requests_when_built_then_are_tagged_with_run_stage_and_origin(build):
    tags = {tag["Key"]: tag["Value"] for tag in build(plan(run_id="it's #1"))["Tags"]}
    assert tags.pop("churn:stage") in {"preprocess", "train", "evaluate"}
    assert tags == {
        "churn:dag-id": "churn_retraining", "churn:run-id": "it_s _1", "churn:data-origin": "real",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("build", "parameter"),
    list(
        zip(
            BUILDERS,
            ("preprocess_instance_type", "train_instance_type", "evaluate_instance_type"),
            strict=True,
        )
    ),
)
def test_requests_when_machines_are_chosen_then_each_stage_gets_its_own(build, parameter):
    request = build(plan({parameter: "ml.c5.xlarge", "volume_size_gb": 77, "max_runtime_seconds": 61}))
    resources = request.get("ResourceConfig") or request["ProcessingResources"]["ClusterConfig"]
    assert resources == {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 77}
    assert request["StoppingCondition"]["MaxRuntimeInSeconds"] == 61


@pytest.mark.parametrize(
    ("algorithm", "images"),
    [
        ("hist_gradient_boosting", ["sagemaker-scikit-learn:1.9-0-cpu-py3"] * 3),
        (
            "keras_mlp",
            [
                "sagemaker-scikit-learn:1.9-0-cpu-py3",
                "tensorflow-training:2.21-cpu-py312",
                "tensorflow-training:2.21-cpu-py312",
            ],
        ),
    ],
)
def test_requests_when_the_algorithm_is_chosen_then_run_on_its_images(algorithm, images):
    made = plan({"algorithm": algorithm})
    found = [
        preprocess_request(made)["AppSpecification"]["ImageUri"],
        training_request(made)["AlgorithmSpecification"]["TrainingImage"],
        evaluation_request(made)["AppSpecification"]["ImageUri"],
    ]
    assert [uri.rpartition("/")[2] for uri in found] == images


def test_requests_when_built_twice_then_are_equal():
    assert [build(plan()) for build in BUILDERS] == [build(plan()) for build in BUILDERS]


def test_job_name_when_built_then_tells_stage_run_generation_and_attempt():
    made = plan(run_id="daily")
    assert job_name("train", made, 2, 1) == f"churn-train-daily-{made.run_hash}-g2-a1"


def test_job_name_when_the_run_id_is_long_then_keeps_what_makes_it_unique():
    made = plan(run_id="x" * 250)
    name = job_name("preprocess", made, 12, 34)
    assert len(name) == 63
    assert name.endswith(f"-{made.run_hash}-g12-a34")


@pytest.mark.parametrize(
    ("stage", "generation", "attempt"), [("deploy", 0, 0), ("train", -1, 0), ("train", 0, -1)]
)
def test_job_name_when_asked_for_nonsense_then_refuses(stage, generation, attempt):
    with pytest.raises(ValueError, match=r"unknown stage|negative"):
        job_name(stage, plan(), generation, attempt)


def test_environment_when_in_a_plan_then_is_the_one_given():
    assert plan(**NETWORK).environment == environment(**NETWORK)


@pytest.mark.parametrize("build", BUILDERS)
def test_requests_when_the_deployment_has_a_name_then_are_tagged_with_it(build):
    tags = {
        tag["Key"]: tag["Value"] for tag in build(plan(environment_name="telecom-churn-production"))["Tags"]
    }
    assert tags["churn:environment"] == "telecom-churn-production"
