"""What preparing a run has in common for all DAGs: its schema, its job code, its own name in S3."""

from datetime import datetime

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from include.airflow_tasks.s3_documents import read_json, read_text
from include.data_contracts.feature_schema import FeatureSchema, load_schema
from include.data_contracts.run_plan import JobBundle
from include.settings.environment import Environment
from include.settings.s3_layout import BUNDLE_POINTER_KEY, run_hash


def read_schema(s3: S3Hook, schema: str) -> FeatureSchema:
    """Return the schema of this name or S3 address; raises ContractError or AirflowFailException."""
    if not schema.startswith("s3://"):
        return load_schema(schema)
    remedy = "upload the schema file, or name one that ships with the project"
    return FeatureSchema.from_text(read_text(s3, schema, what="the schema", remedy=remedy), schema)


def read_bundle_pointer(s3: S3Hook, environment: Environment) -> JobBundle:
    """Return the job code that was uploaded last; raises ContractError or AirflowFailException."""
    uri = f"s3://{environment.artifact_bucket}/{BUNDLE_POINTER_KEY}"
    remedy = (
        f"upload the job code: python -m scripts.build_job_bundle --upload s3://{environment.artifact_bucket}"
    )
    return JobBundle.from_mapping(read_json(s3, uri, what="the job bundle's pointer", remedy=remedy), uri)


def hash_of_started_run(dag_id: str, run_id: str, started_at: datetime) -> str:
    """Return digits of the run's own even where a deleted run had the same id.

    Job names are made from them. Without the time, a run that a person deleted and that Airflow made again
    would find the old run's finished jobs and take their results for its own. The time is that of the run's
    start: preparing a running run once more does not lose sight of its jobs.
    """
    return run_hash(dag_id, f"{run_id}\n{started_at.isoformat()}")
