"""Plans, job results and reports for the tests of the builders: fixed ones and hypothesis strategies."""

import json
from typing import Any

from hypothesis import strategies as st

from include.data_contracts.day_inputs import ARRIVED, DayInputs
from include.data_contracts.evaluation_report import (
    Bootstrap,
    ConfusionMatrix,
    EvaluatedDataset,
    EvaluatedModel,
    EvaluationReport,
    MetricEstimate,
)
from include.data_contracts.job_result import JobResult
from include.data_contracts.monitoring_plan import ModelReference, MonitoringPlan
from include.data_contracts.retraining_plan import RetrainingPlan
from include.data_contracts.run_plan import JobBundle
from include.sagemaker_requests.container_images import images_by_region, stage_images
from include.sagemaker_requests.plan_freezing import freeze_plan
from include.settings.environment import Environment, MonitoringEnvironment
from include.settings.monitoring_parameters import MonitoringParameters
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.s3_layout import (
    bundle_prefix,
    default_batch_uri,
    default_input_uri,
    default_labels_uri,
    monitor_state_uri,
    monitoring_run_prefix,
    predictions_uri,
    run_hash,
    run_slug,
    schema_uri,
)
from tests.unit.settings.parameter_values import CONFS, MONITORING_CONFS

SHA256 = "0123456789abcdef" * 4
VALUES = {
    "accuracy": 0.8034, "accuracy_best_constant_classifier": 0.735, "precision": 0.66, "recall": 0.53,
    "f1": 0.59, "roc_auc": 0.845, "pr_auc": 0.656, "brier_score": 0.136, "log_loss": 0.42,
    "lift_at_10_percent": 2.84,
}  # fmt: skip


def environment(**changes: Any) -> Environment:
    return Environment(
        **{
            "artifact_bucket": "churn-artifacts",
            "data_bucket": "churn-data",
            "sagemaker_role_arn": "arn:aws:iam::123456789012:role/churn-job",
            "region": "eu-west-1",
            **changes,
        }
    )


def plan(
    conf: dict[str, Any] | None = None,
    run_id: str = "manual__2026-11-24T02:21:00+00:00",
    data_origin: str = "real",
    invents_customers: bool | None = None,
    **environment_changes: Any,
) -> RetrainingPlan:
    parameters = RetrainingParameters.from_conf({}, conf)
    place = environment(**environment_changes)
    return freeze_plan(
        dag_id="churn_retraining",
        run_id=run_id,
        run_after="2026-11-24T02:21:00+00:00",
        parameters=parameters,
        environment=place,
        job_bundle=JobBundle(bundle_prefix(place.artifact_bucket, SHA256), SHA256, "0f" * 20),
        input_data_uri=parameters.input_data_uri or default_input_uri(place.data_bucket, parameters.schema),
        data_origin=data_origin,
        invents_customers=data_origin == "synthetic" if invents_customers is None else invents_customers,
        dataset_fingerprint=SHA256,
    )


def processing_result(request: dict[str, Any]) -> JobResult:
    """What a job started with this request leaves."""
    name = request["ProcessingJobName"]
    outputs = request["ProcessingOutputConfig"]["Outputs"]
    return JobResult(
        job_name=name,
        job_arn=f"arn:aws:sagemaker:eu-west-1:123456789012:processing-job/{name}",
        kind="processing",
        outputs={output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs},
        seconds=12.5,
    )


def training_result(request: dict[str, Any]) -> JobResult:
    """What a job started with this request leaves: SageMaker adds <job name>/output/ to the output path."""
    name = request["TrainingJobName"]
    folder = f"{request['OutputDataConfig']['S3OutputPath']}/{name}/output"
    return JobResult(
        job_name=name,
        job_arn=f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{name}",
        kind="training",
        outputs={},
        model_artifact_uri=f"{folder}/model.tar.gz",
        training_output_uri=f"{folder}/output.tar.gz",
        seconds=30.0,
    )


def report(
    values: dict[str, float] | None = None,
    *,
    half_width: float = 0.02,
    churn_rate: float = 0.265,
    rows: int = 1409,
    data_origin: str = "real",
    schema_name: str = "ibm_telco",
    algorithm: str = "hist_gradient_boosting",
    archive_sha256: str | None = SHA256,
) -> EvaluationReport:
    positives = round(churn_rate * rows)
    return EvaluationReport(
        data_origin=data_origin,
        dataset=EvaluatedDataset(rows, positives, schema_name, SHA256),
        model=EvaluatedModel(algorithm, SHA256, archive_sha256, 0.5, rows * 4, 42),
        metrics={
            name: MetricEstimate(value, half_width / 2, value - half_width, value + half_width)
            for name, value in {**VALUES, **(values or {})}.items()
        },
        confusion_matrix=ConfusionMatrix(rows - positives, 0, positives, 0),
        bootstrap=Bootstrap(2000, 1, "stratified"),
    )


_REGIONS = sorted(region for region, images in images_by_region().items() if len(images) == 3)
_ENVIRONMENTS = st.builds(
    lambda region, kms_key_id, network, isolation: environment(
        region=region,
        kms_key_id=kms_key_id,
        subnet_ids=network[0],
        security_group_ids=network[1],
        network_isolation=isolation,
        artifact_bucket="a" * 63,
        data_bucket="d" * 63,
        environment_name="e" * 80,
    ),
    region=st.sampled_from(_REGIONS),
    kms_key_id=st.sampled_from([None, "alias/churn", "arn:aws:kms:eu-west-1:123456789012:key/" + "0" * 36]),
    network=st.sampled_from(
        [
            ((), ()),
            (("subnet-0a1b2c3d",), ("sg-0a1b2c3d",)),
            (tuple(f"subnet-{n:017}" for n in range(16)), tuple(f"sg-{n:017}" for n in range(5))),
        ]
    ),
    isolation=st.booleans(),
)
RUN_IDS = st.one_of(
    st.text(min_size=1, max_size=250),
    st.text("éλ再🎈 /:-_", min_size=1, max_size=250),
    st.just("manual__2026-11-24T02:21:00.123456+00:00"),
    st.just("x" * 250),
)


@st.composite
def plans(draw: Any) -> RetrainingPlan:
    """Every plan that a conf within the Params' own schemas can lead to."""
    conf = draw(CONFS)
    place = draw(_ENVIRONMENTS)
    parameters = RetrainingParameters.from_conf({}, conf)
    may_invent = parameters.on_missing_data == "synthetic"
    origin, invents = draw(
        st.sampled_from(
            [("real", False), ("synthetic", False), *([("synthetic", True)] if may_invent else [])]
        )
    )
    made = freeze_plan(
        dag_id="churn_retraining",
        run_id=draw(RUN_IDS),
        run_after="2026-11-24T02:21:00+00:00",
        parameters=parameters,
        environment=place,
        job_bundle=JobBundle(bundle_prefix(place.artifact_bucket, SHA256), SHA256, "0f" * 20 + "-dirty"),
        input_data_uri=parameters.input_data_uri or default_input_uri(place.data_bucket, parameters.schema),
        data_origin=origin,
        invents_customers=invents,
        dataset_fingerprint=SHA256,
    )
    # The plan travels between the tasks as JSON.
    return RetrainingPlan.from_mapping(json.loads(json.dumps(made.to_mapping())))


def model_reference(
    group: str = "telecom-churn",
    version: str = "3",
    region: str = "eu-west-1",
    algorithm: str = "hist_gradient_boosting",
    with_scores: bool = True,
    **changes: str,
) -> ModelReference:
    folder = "s3://churn-artifacts/retraining/run-0123456789"
    return ModelReference(
        **{
            "group": group,
            "version": version,
            "arn": f"arn:aws:sagemaker:{region}:123456789012:model-package/{group}/{version}",
            "approval_status": "Approved",
            "data_origin": "real",
            "algorithm": algorithm,
            "image": stage_images(algorithm, region).evaluate,
            "model_uri": f"{folder}/train/job/output/model.tar.gz",
            "model_sha256": SHA256,
            "reference_uri": f"{folder}/preprocess/job/reference",
            "evaluation_uri": f"{folder}/evaluate/job/evaluation/evaluation.json",
            "reference_scores_uri": f"{folder}/evaluate/job/evaluation/reference_scores.profile"
            if with_scores
            else None,
            "schema_name": "ibm_telco",
            "schema_uri": f"{folder}/schema.json",
            **changes,
        }
    )


def monitoring_plan(
    conf: dict[str, Any] | None = None,
    run_id: str = "scheduled__2026-11-25T00:00:00+00:00",
    place: Environment | None = None,
    model: ModelReference | None = None,
) -> MonitoringPlan:
    parameters = MonitoringParameters.from_conf({}, conf)
    place = place or environment()
    digits = run_hash("churn_drift_monitoring", run_id)
    prefix = monitoring_run_prefix(place.artifact_bucket, run_slug(run_id), digits)
    return MonitoringPlan(
        dag_id="churn_drift_monitoring",
        run_id=run_id,
        run_slug=run_slug(run_id),
        run_hash=digits,
        run_after="2026-11-25T00:00:00+00:00",
        parameters=parameters,
        environment=MonitoringEnvironment(
            **place.__dict__, alert_topic_arn="arn:aws:sns:eu-west-1:123456789012:churn-alerts"
        ),
        job_bundle=JobBundle(bundle_prefix(place.artifact_bucket, SHA256), SHA256, "0f" * 20),
        model=model or model_reference(parameters.model_package_group, region=place.region),
        batch_date="2026-11-24",
        batch_uri=parameters.batch_uri or default_batch_uri(place.data_bucket, "ibm_telco", "2026-11-24"),
        deadline="2026-11-25T12:00:00+00:00",
        labels_uri=parameters.labels_uri or default_labels_uri(place.data_bucket, "ibm_telco", "2026-10-25"),
        labelled_date="2026-10-25",
        schema_uri=schema_uri(prefix),
        run_prefix=prefix,
    )


def day_inputs(plan: MonitoringPlan, *, with_state: bool = True, with_labels: bool = True) -> DayInputs:
    prefix = plan.monitoring_prefix
    return DayInputs(
        ARRIVED,
        plan.batch_uri,
        files=1,
        bytes=1000,
        fingerprint=SHA256,
        age_hours=2.5,
        state_uri=monitor_state_uri(prefix) if with_state else None,
        labels_uri=plan.labels_uri if with_labels else None,
        past_predictions_uri=predictions_uri(prefix, plan.labelled_date) if with_labels else None,
    )


@st.composite
def monitoring_plans(draw: Any) -> MonitoringPlan:
    """Every plan that a conf within the Params' own schemas can lead to."""
    conf, place = draw(MONITORING_CONFS), draw(_ENVIRONMENTS)
    model = model_reference(
        MonitoringParameters.from_conf({}, conf).model_package_group,
        draw(st.sampled_from(["1", "999999999"])),
        place.region,
        draw(st.sampled_from(["hist_gradient_boosting", "keras_mlp"])),
        draw(st.booleans()),
        data_origin=draw(st.sampled_from(["real", "synthetic"])),
    )
    made = monitoring_plan(conf, draw(RUN_IDS), place, model)
    return MonitoringPlan.from_mapping(json.loads(json.dumps(made.to_mapping())))


REPORTS = st.builds(
    report,
    st.fixed_dictionaries({}, optional={name: st.floats(0, 1) for name in VALUES}),
    half_width=st.floats(0, 0.5),
    churn_rate=st.floats(0.01, 0.99),
    rows=st.integers(200, 10_000_000),
    data_origin=st.sampled_from(["real", "synthetic"]),
    schema_name=st.from_regex(r"[a-z][a-z0-9_]{0,80}", fullmatch=True),
    algorithm=st.sampled_from(["hist_gradient_boosting", "keras_mlp"]),
    archive_sha256=st.sampled_from([None, SHA256]),
)
