"""Requests that register a model: its group and its package, with everything needed to judge and repeat it.

A versioned package takes no tags of its own: AWS refuses them and uses the group's. So models made from
synthetic data get a group of their own, `<group>-synthetic`, whose tag `churn:data-origin=synthetic` keeps
approval away.
"""

import hashlib
import json

from include.data_contracts.evaluation_report import EvaluationReport
from include.data_contracts.gate_decision import GateDecision
from include.data_contracts.job_result import JobResult
from include.data_contracts.retraining_plan import RetrainingPlan
from include.sagemaker_requests.container_images import (
    KERAS_ALGORITHMS,
    SKLEARN_VERSION,
    TENSORFLOW_INFERENCE_VERSION,
)
from include.sagemaker_requests.request_parts import (
    PROPERTY_LIMIT,
    Request,
    description_text,
    tag_text,
)
from include.settings.s3_layout import plan_uri, run_hash

JSON = "application/json"
CONTENT_TYPES = ("text/csv", "application/json", "application/jsonlines")
TRANSFORM_INSTANCE_TYPES = ("ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.m5.4xlarge")
REALTIME_INSTANCE_TYPES = ("ml.t2.medium", "ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c5.xlarge")
SYNTHETIC_SUFFIX = "-synthetic"
SYNTHETIC_TAG = {"Key": "churn:data-origin", "Value": "synthetic"}
_TOKEN_CHARACTERS = 36


def model_package_group_name(plan: RetrainingPlan, data_origin: str | None = None) -> str:
    """Return the group a model goes to; `data_origin` (real or synthetic) defaults to the plan's.

    Preprocess knows better than the plan when raw files carry the generator's marker: give the report's.
    """
    is_synthetic = plan.is_synthetic or data_origin == "synthetic"
    return f"{plan.parameters.model_package_group}{SYNTHETIC_SUFFIX if is_synthetic else ''}"


def build_model_package_group_request(plan: RetrainingPlan, data_origin: str | None = None) -> Request:
    """Return the request that creates the model's group."""
    name = model_package_group_name(plan, data_origin)
    is_synthetic = name.endswith(SYNTHETIC_SUFFIX) and name != plan.parameters.model_package_group
    what = "made from SYNTHETIC data, never approvable" if is_synthetic else "waiting for a person's approval"
    origin = SYNTHETIC_TAG if is_synthetic else {**SYNTHETIC_TAG, "Value": "real"}
    return {
        "ModelPackageGroupName": name,
        "ModelPackageGroupDescription": description_text(
            f"Telecom churn models registered by {plan.dag_id}, {what}"
        ),
        "Tags": [{"Key": "churn:dag-id", "Value": tag_text(plan.dag_id)}, dict(origin)],
    }


def build_model_package_request(
    plan: RetrainingPlan,
    preprocess: JobResult,
    training: JobResult,
    evaluation: JobResult,
    report: EvaluationReport,
    gate: GateDecision,
    data_fingerprint: str,
) -> Request:
    """Return the request that registers the trained model as PendingManualApproval.

    `data_fingerprint` is preprocess's digest of the rows it kept. Raises ValueError when `training` left no
    model artifact.
    """
    if not training.model_artifact_uri:
        raise ValueError(f"job {training.job_name} left no model artifact: it is a {training.kind} job")
    evaluation_uri = f"{evaluation.output('evaluation')}/evaluation.json"
    quality = {"Statistics": _json_source(evaluation_uri)}
    data_quality = {
        "Statistics": _json_source(f"{preprocess.output('data_quality')}/data_quality.json"),
        "Constraints": _json_source(plan.schema_uri),
    }
    request = {
        "ModelPackageGroupName": model_package_group_name(plan, report.data_origin),
        "ModelPackageDescription": _description(plan, report),
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": _inference_specification(plan, training.model_artifact_uri),
        "ModelMetrics": {"ModelQuality": quality, "ModelDataQuality": data_quality},
        "DriftCheckBaselines": {"ModelQuality": quality, "ModelDataQuality": data_quality},
        "MetadataProperties": {
            "CommitId": description_text(plan.job_bundle.git_revision),
            "GeneratedBy": training.job_arn,
        },
        "CustomerMetadataProperties": _customer_properties(
            plan, preprocess, training, evaluation, report, gate, data_fingerprint
        ),
    }
    return {**request, "ClientToken": _client_token(request)}


def _client_token(request: Request) -> str:
    """Return the token by which SageMaker knows the very same request when it comes again.

    A token that met another request would be refused, so it is made from all of it.
    """
    text = json.dumps(request, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN_CHARACTERS]


def model_sha256(report: EvaluationReport) -> str:
    """Return the sha256 of the judged model.tar.gz, or of the model's files when it came as a directory."""
    return report.model.archive_sha256 or report.model.content_sha256


def _inference_specification(plan: RetrainingPlan, model_artifact_uri: str) -> Request:
    is_keras = plan.parameters.algorithm in KERAS_ALGORITHMS
    container: Request = {
        "Image": plan.images.inference,
        "ModelDataUrl": model_artifact_uri,
        "Framework": "TENSORFLOW" if is_keras else "SAGEMAKER-SCIKIT-LEARN",
        "FrameworkVersion": TENSORFLOW_INFERENCE_VERSION if is_keras else SKLEARN_VERSION,
    }
    if not is_keras:  # TF Serving finds code/inference.py by itself
        container["Environment"] = {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_REGION": plan.environment.region,
        }
    return {
        "Containers": [container],
        "SupportedContentTypes": list(CONTENT_TYPES),
        "SupportedResponseMIMETypes": list(CONTENT_TYPES),
        "SupportedTransformInstanceTypes": list(TRANSFORM_INSTANCE_TYPES),
        "SupportedRealtimeInferenceInstanceTypes": list(REALTIME_INSTANCE_TYPES),
    }


def _customer_properties(
    plan: RetrainingPlan,
    preprocess: JobResult,
    training: JobResult,
    evaluation: JobResult,
    report: EvaluationReport,
    gate: GateDecision,
    data_fingerprint: str,
) -> dict[str, str]:
    """Return what a person, or the drift monitor, asks a package: who, from what, how good, where."""
    origin = "synthetic" if plan.is_synthetic else report.data_origin
    asked = gate.rules[0]
    values: dict[str, str | None] = {
        "run_id": plan.run_id,
        # The run's own whatever characters its id has, and the same when it is cleared and prepared anew.
        "run_identity": run_hash(plan.dag_id, plan.run_id),
        "run_hash": plan.run_hash,
        "dag_id": plan.dag_id,
        "run_after": plan.run_after,
        "reason": plan.parameters.reason,
        "data_origin": origin,
        # Any address is whole in the plan; one that a property would cut or change is left to it.
        "plan_uri": plan_uri(plan.run_prefix),
        "input_data_uri": _if_unchanged(plan.input_data_uri),
        "dataset_fingerprint": plan.dataset_fingerprint,
        "data_fingerprint": data_fingerprint,
        "schema_name": report.dataset.schema_name,
        "schema_fingerprint": report.dataset.schema_fingerprint,
        "git_revision": plan.job_bundle.git_revision,
        "job_bundle_sha256": plan.job_bundle.sha256,
        "model_sha256": model_sha256(report),
        "model_content_sha256": report.model.content_sha256,
        "algorithm": report.model.algorithm,
        "seed": str(report.model.seed),
        "decision_threshold": f"{report.model.decision_threshold:.10g}",
        "training_rows": str(report.model.training_rows),
        "test_rows": str(report.dataset.item_count),
        "test_churn_rate": f"{report.dataset.churn_rate:.6f}",
        **_metric_properties(report),
        "gate_rule": f"{asked.metric} at least {asked.threshold:.10g}",
        "gate_safeguards": "on" if plan.parameters.gate_safeguards else "off",
        "gate_decision_uri": f"{evaluation.output('evaluation')}/gate_decision.json",
        "reference_uri": preprocess.output("reference"),
        "encoder_uri": preprocess.output("encoder"),
        "preprocess_job": preprocess.job_name,
        "training_job": training.job_name,
        "evaluation_job": evaluation.job_name,
    }
    texts = {name: tag_text(value or "", PROPERTY_LIMIT) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text}  # an empty value is refused


def _if_unchanged(address: str) -> str | None:
    return address if tag_text(address, PROPERTY_LIMIT) == address else None


def _metric_properties(report: EvaluationReport) -> dict[str, str]:
    properties = {}
    for name in ("accuracy", "roc_auc", "pr_auc", "brier_score"):
        estimate = report.metric(name)
        properties[name] = f"{estimate.value:.6f}"
        properties[f"{name}_interval_95"] = f"{estimate.lower:.6f} to {estimate.upper:.6f}"
    majority = report.metric("accuracy_best_constant_classifier").value
    return {**properties, "majority_class_accuracy": f"{majority:.6f}"}


def _description(plan: RetrainingPlan, report: EvaluationReport) -> str:
    accuracy, auc = report.metric("accuracy"), report.metric("roc_auc")
    origin = (
        "SYNTHETIC data, never approvable. " if "synthetic" in {plan.data_origin, report.data_origin} else ""
    )
    reason = f" Reason: {plan.parameters.reason}" if plan.parameters.reason else ""
    return description_text(
        f"{origin}{report.model.algorithm} on {report.dataset.schema_name}: accuracy {accuracy.value:.4f} "
        f"({accuracy.lower:.4f} to {accuracy.upper:.4f}), ROC-AUC {auc.value:.4f} ({auc.lower:.4f} to "
        f"{auc.upper:.4f}) on {report.dataset.item_count} held-out customers. Run {plan.run_id}.{reason}"
    )


def _json_source(uri: str) -> Request:
    return {"ContentType": JSON, "S3Uri": uri}
