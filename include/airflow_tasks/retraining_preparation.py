"""The body of `prepare_run`: from what was asked to one frozen plan, or one line that says what is wrong."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.run_preparation import hash_of_started_run, read_bundle_pointer, read_schema
from include.airflow_tasks.s3_documents import dataset_fingerprint, exact_uri, list_objects, write_json
from include.data_contracts.hyperparameters import validate_hyperparameters
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.retraining_plan import RetrainingPlan
from include.sagemaker_requests.container_images import UnknownImageError
from include.sagemaker_requests.plan_freezing import freeze_plan
from include.settings.environment import Environment, EnvironmentSettingsError
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.run_parameters import ParameterError
from include.settings.s3_layout import default_input_uri, run_prefix, schema_uri

log = logging.getLogger(__name__)


def prepare_plan(
    *,
    dag_id: str,
    run_id: str,
    run_after: datetime,
    started_at: datetime,
    params: Mapping[str, Any],
    conf: Mapping[str, Any],
    read_environment: Callable[[], Environment],
    s3: S3Hook,
) -> RetrainingPlan:
    """Check what was asked, find data, code, images and schema, and return the run's plan.

    Writes the schema as JSON under the run's prefix, last, so that a refused run leaves nothing. Raises
    AirflowFailException with one line where a person has to change something: retrying would not help.
    """
    try:
        parameters = RetrainingParameters.from_conf(params, conf)
        validate_hyperparameters(parameters.algorithm, parameters.hyperparameters)
        environment = read_environment()
        schema = read_schema(s3, parameters.schema)
        input_data_uri, objects = _find_data(s3, parameters, environment)
        plan = freeze_plan(
            dag_id=dag_id,
            run_id=run_id,
            run_after=run_after.isoformat(),
            parameters=parameters,
            environment=environment,
            job_bundle=read_bundle_pointer(s3, environment),
            input_data_uri=input_data_uri,
            data_origin="real" if objects else "synthetic",
            dataset_fingerprint=dataset_fingerprint(objects)
            if objects
            else _synthetic_fingerprint(parameters),
        )
    except (ParameterError, EnvironmentSettingsError, UnknownImageError, ContractError) as error:
        raise AirflowFailException(str(error)) from None
    digits = hash_of_started_run(dag_id, run_id, started_at)
    prefix = run_prefix(plan.environment.artifact_bucket, plan.run_slug, digits)
    plan = replace(plan, run_hash=digits, run_prefix=prefix, schema_uri=schema_uri(prefix))
    write_json(s3, plan.schema_uri, schema.to_mapping(), what="the run's schema")
    log.info("Data: %s (%s, %d objects)", plan.input_data_uri, plan.data_origin, len(objects))
    log.info("Everything of this run lies under %s", plan.run_prefix)
    return plan


def _find_data(
    s3: S3Hook, parameters: RetrainingParameters, environment: Environment
) -> tuple[str, list[dict[str, Any]]]:
    """Return where the data lies and its objects; no objects where synthetic data was asked for."""
    uri = parameters.input_data_uri or default_input_uri(environment.data_bucket, parameters.schema)
    objects = list_objects(s3, uri, what="the raw data")
    if objects:
        return exact_uri(s3, uri, objects, parameter="input_data_uri"), objects
    if parameters.on_missing_data == "synthetic":
        log.warning("No data under %s: SYNTHETIC customers, as asked; the model can never be approved.", uri)
        return uri, []
    raise AirflowFailException(
        f"no data found under {uri}: upload CSV, gzip CSV or Parquet files there, or set input_data_uri; "
        "to try the pipeline without data set on_missing_data to synthetic"
    )


def _synthetic_fingerprint(parameters: RetrainingParameters) -> str:
    text = f"synthetic\n{parameters.synthetic_rows}\n{parameters.seed}"
    return hashlib.sha256(text.encode()).hexdigest()
