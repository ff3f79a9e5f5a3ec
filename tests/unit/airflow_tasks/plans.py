"""A plan, results and an environment that tests share; made by the code that makes real ones."""

from datetime import UTC, datetime

from include.data_contracts.job_result import JobResult
from include.data_contracts.retraining_plan import RetrainingPlan
from include.data_contracts.run_plan import JobBundle
from include.sagemaker_requests.plan_freezing import freeze_plan
from include.settings.environment import Environment
from include.settings.retraining_parameters import RetrainingParameters

RUN_AFTER = datetime(2026, 11, 24, tzinfo=UTC)
VARIABLES = {
    "CHURN_ARTIFACT_BUCKET": "churn-artifacts",
    "CHURN_DATA_BUCKET": "churn-data",
    "CHURN_SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/churn-sagemaker-job",
    "AWS_DEFAULT_REGION": "eu-west-1",
}
BUNDLE = {
    "uri": "s3://churn-artifacts/job-bundles/" + "ab" * 32,
    "sha256": "ab" * 32,
    "git_revision": "cd" * 20,
}


def make_environment() -> Environment:
    return Environment.from_mapping(VARIABLES)


def make_plan(run_id: str = "manual__2026-11-24", *, data_origin: str = "real", **conf) -> RetrainingPlan:
    return freeze_plan(
        dag_id="churn_retraining",
        run_id=run_id,
        run_after=RUN_AFTER.isoformat(),
        parameters=RetrainingParameters.from_conf(conf=conf),
        environment=make_environment(),
        job_bundle=JobBundle.from_mapping(BUNDLE),
        input_data_uri="s3://churn-data/raw/ibm_telco/",
        data_origin=data_origin,
        invents_customers=data_origin == "synthetic",
        dataset_fingerprint="ef" * 32,
    )


def make_result(stage: str) -> JobResult:
    """Return what a completed job of the stage leaves."""
    kind = "training" if stage == "train" else "processing"
    name = f"churn-{stage}-g0-a0"
    folder = f"{make_plan().run_prefix}/{stage}/{name}"
    outputs = {
        "preprocess": ("train", "test", "encoder", "data_quality", "reference"),
        "train": (),
        "evaluate": ("evaluation",),
    }[stage]
    return JobResult(
        job_name=name,
        job_arn=f"arn:aws:sagemaker:eu-west-1:123456789012:{kind}-job/{name}",
        kind=kind,
        outputs={output: f"{folder}/{output}" for output in outputs},
        model_artifact_uri=f"{folder}/output/model.tar.gz" if kind == "training" else None,
        training_output_uri=f"{folder}/output/output.tar.gz" if kind == "training" else None,
        seconds=12.5,
    )
