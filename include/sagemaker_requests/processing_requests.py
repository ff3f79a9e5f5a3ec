"""The frame of every processing request: code, machine, network, outputs and tags follow from the plan."""

from include.data_contracts.run_plan import RunPlan
from include.sagemaker_requests.request_parts import (
    JOB_ENVIRONMENT,
    Request,
    processing_input,
    processing_output,
    run_tags,
    vpc_config,
    without_empty,
)
from include.settings.s3_layout import PROCESSING_SOURCE_FILE, job_prefix

# Where SageMaker puts inputs and takes outputs inside a processing container.
INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"


def processing_request(
    plan: RunPlan,
    job_name: str,
    *,
    stage: str,
    image: str,
    instance_type: str,
    inputs: list[Request],
    output_names: tuple[str, ...],
    arguments: list[str],
) -> Request:
    """Return the request of one processing job of any run; each output is a folder of this attempt."""
    environment = plan.environment
    folder = job_prefix(plan.run_prefix, stage, job_name)
    code = processing_input("code", f"{plan.job_bundle.uri}/{PROCESSING_SOURCE_FILE}", f"{INPUT}/code")
    network = {"EnableNetworkIsolation": environment.network_isolation, "VpcConfig": vpc_config(plan)}
    outputs = [processing_output(name, f"{folder}/{name}", f"{OUTPUT}/{name}") for name in output_names]
    return without_empty(
        {
            "ProcessingJobName": job_name,
            "RoleArn": environment.sagemaker_role_arn,
            "AppSpecification": {
                "ImageUri": image,
                "ContainerEntrypoint": ["python3", f"{INPUT}/code/{PROCESSING_SOURCE_FILE}"],
                "ContainerArguments": [stage, *arguments],
            },
            "ProcessingInputs": [code, *inputs],
            "ProcessingOutputConfig": without_empty({"Outputs": outputs, "KmsKeyId": environment.kms_key_id}),
            "ProcessingResources": {
                "ClusterConfig": without_empty(
                    {
                        "InstanceType": instance_type,
                        "InstanceCount": 1,
                        "VolumeSizeInGB": plan.parameters.volume_size_gb,
                        "VolumeKmsKeyId": environment.kms_key_id,
                    }
                )
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": plan.parameters.max_runtime_seconds},
            "NetworkConfig": without_empty(network),
            "Environment": JOB_ENVIRONMENT,
            "Tags": run_tags(plan, stage),
        }
    )
