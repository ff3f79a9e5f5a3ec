"""Requests of a retraining's three jobs: pure functions of the plan, the job's name and the results so far.

Inside the containers SageMaker's paths apply: the code arrives as one more input, so that a job without any
network runs as well. Every attempt writes to a folder of its own.
"""

import json

from include.data_contracts.job_result import JobResult
from include.data_contracts.retraining_plan import RetrainingPlan
from include.sagemaker_requests.processing_requests import INPUT, OUTPUT, processing_request
from include.sagemaker_requests.request_parts import (
    JOB_ENVIRONMENT,
    Request,
    processing_input,
    run_tags,
    training_channel,
    vpc_config,
    without_empty,
)
from include.settings.s3_layout import TRAINING_SOURCE_FILE, job_prefix

PREPROCESS_OUTPUTS = ("train", "test", "encoder", "data_quality", "reference")
TRAINING_METRICS = ("accuracy", "roc_auc", "log_loss")
SPOT_WAIT_SECONDS = 3_600
# Tried again by SageMaker itself, and only after an internal error of its own.
MOST_INTERNAL_RETRIES = 3

_LOG_LEVEL_INFO = 20


def build_preprocess_request(plan: RetrainingPlan, job_name: str) -> Request:
    """Return the processing request that validates, cleans, counts and splits (or invents) the customers."""
    parameters = plan.parameters
    inputs = [processing_input("schema", plan.schema_uri, f"{INPUT}/schema")]
    if plan.invents_customers:
        source = ["--synthetic-rows", str(parameters.synthetic_rows)]
    else:
        inputs.append(processing_input("raw", plan.input_data_uri, f"{INPUT}/raw"))
        # The marker may lie above what the job gets to see.
        source = ["--input-dir", f"{INPUT}/raw", *(["--mark-synthetic"] if plan.is_synthetic else [])]
    schema_file = plan.schema_uri.rpartition("/")[2]
    return processing_request(
        plan,
        job_name,
        stage="preprocess",
        image=plan.images.preprocess,
        instance_type=parameters.preprocess_instance_type,
        inputs=inputs,
        output_names=PREPROCESS_OUTPUTS,
        arguments=[
            *source,
            *("--output-dir", OUTPUT),
            *("--schema", f"{INPUT}/schema/{schema_file}"),
            *("--test-fraction", repr(parameters.test_fraction)),
            *("--seed", str(parameters.seed)),
        ],
    )


def build_evaluation_request(
    plan: RetrainingPlan, job_name: str, preprocess: JobResult, training: JobResult
) -> Request:
    """Return the processing request that judges the model on held-out customers.

    The training job's output.tar.gz comes along: it holds the digests the model is verified with.
    """
    model_uri, digest_uri = _training_outputs(training)
    return processing_request(
        plan,
        job_name,
        stage="evaluate",
        image=plan.images.evaluate,
        instance_type=plan.parameters.evaluate_instance_type,
        inputs=[
            processing_input("model", model_uri, f"{INPUT}/model"),
            processing_input("model_digest", digest_uri, f"{INPUT}/model_digest"),
            processing_input("test", preprocess.output("test"), f"{INPUT}/test"),
        ],
        output_names=("evaluation",),
        arguments=[
            *("--model", f"{INPUT}/model/{model_uri.rpartition('/')[2]}"),
            *("--model-digest", f"{INPUT}/model_digest/{digest_uri.rpartition('/')[2]}"),
            *("--test-dir", f"{INPUT}/test"),
            *("--output-dir", f"{OUTPUT}/evaluation"),
            *("--seed", str(plan.parameters.seed)),
        ],
    )


def build_training_request(plan: RetrainingPlan, job_name: str, preprocess: JobResult) -> Request:
    """Return the script-mode training request; SageMaker adds <job name>/output/ to the output path."""
    parameters, environment = plan.parameters, plan.environment
    folder = job_prefix(plan.run_prefix, "train", job_name)
    stopping = {"MaxRuntimeInSeconds": parameters.max_runtime_seconds}
    checkpoints = None
    if parameters.use_spot_instances:
        stopping["MaxWaitTimeInSeconds"] = parameters.max_runtime_seconds + SPOT_WAIT_SECONDS
        checkpoints = {"S3Uri": f"{folder}/checkpoints", "LocalPath": "/opt/ml/checkpoints"}
    return without_empty(
        {
            "TrainingJobName": job_name,
            "RoleArn": environment.sagemaker_role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": plan.images.train,
                "TrainingInputMode": "File",
                "MetricDefinitions": [
                    {"Name": f"train:{name}", "Regex": rf"train:{name}=([0-9.eE+-]+);"}
                    for name in TRAINING_METRICS
                ],
            },
            "HyperParameters": _hyperparameters(plan, job_name),
            "InputDataConfig": [
                training_channel("train", preprocess.output("train"), "text/csv"),
                training_channel("encoder", preprocess.output("encoder"), "application/json"),
                training_channel("code", f"{plan.job_bundle.uri}/{TRAINING_SOURCE_FILE}", "application/gzip"),
            ],
            "OutputDataConfig": without_empty(
                {"S3OutputPath": folder.rpartition("/")[0], "KmsKeyId": environment.kms_key_id}
            ),
            "ResourceConfig": without_empty(
                {
                    "InstanceType": parameters.train_instance_type,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": parameters.volume_size_gb,
                    "VolumeKmsKeyId": environment.kms_key_id,
                }
            ),
            "StoppingCondition": stopping,
            "EnableManagedSpotTraining": parameters.use_spot_instances,
            "CheckpointConfig": checkpoints,
            "RetryStrategy": {"MaximumRetryAttempts": MOST_INTERNAL_RETRIES},
            "EnableNetworkIsolation": environment.network_isolation,
            "VpcConfig": vpc_config(plan),
            "Environment": JOB_ENVIRONMENT,
            "Tags": run_tags(plan, "train"),
        }
    )


def _hyperparameters(plan: RetrainingPlan, job_name: str) -> dict[str, str]:
    """Return all hyperparameters as JSON texts, as the toolkit decodes them: types survive the journey."""
    values = {
        **plan.parameters.hyperparameters,
        "algorithm": plan.parameters.algorithm,
        "seed": plan.parameters.seed,
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"/opt/ml/input/data/code/{TRAINING_SOURCE_FILE}",
        "sagemaker_region": plan.environment.region,
        "sagemaker_job_name": job_name,
        "sagemaker_container_log_level": _LOG_LEVEL_INFO,
    }
    return {name: json.dumps(value, allow_nan=False) for name, value in values.items()}


def _training_outputs(training: JobResult) -> tuple[str, str]:
    """Return the URIs of model.tar.gz and output.tar.gz; raises ValueError for what is no training job."""
    if not training.model_artifact_uri or not training.training_output_uri:
        raise ValueError(f"job {training.job_name} left no model artifact: it is a {training.kind} job")
    return training.model_artifact_uri, training.training_output_uri
