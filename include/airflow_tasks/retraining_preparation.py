"""The body of `prepare_run`: from what was asked to one frozen plan, or one line that says what is wrong."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.input_data import InputData, find_input_data
from include.airflow_tasks.run_preparation import hash_of_started_run, read_bundle_pointer, read_schema
from include.airflow_tasks.s3_documents import dataset_fingerprint, write_json
from include.data_contracts.data_quality_report import SYNTHETIC_SCHEMA
from include.data_contracts.feature_schema import FeatureSchema, load_schema, normalise_name
from include.data_contracts.hyperparameters import validate_hyperparameters
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.retraining_plan import RetrainingPlan
from include.sagemaker_requests.container_images import UnknownImageError
from include.sagemaker_requests.plan_freezing import freeze_plan
from include.settings.environment import Environment, EnvironmentSettingsError
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.run_parameters import ParameterError
from include.settings.s3_layout import plan_uri, run_prefix, schema_uri

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

    Writes schema and plan as JSON under the run's prefix, last, so that a refused run leaves nothing. Raises
    AirflowFailException with one line where a person has to change something: retrying would not help.
    """
    try:
        parameters = RetrainingParameters.from_conf(params, conf)
        validate_hyperparameters(parameters.algorithm, parameters.hyperparameters)
        environment = read_environment()
        schema = read_schema(s3, parameters.schema)
        data = find_input_data(s3, parameters, environment)
        if not data.objects:
            _refuse_what_cannot_be_invented(schema, data)
        plan = freeze_plan(
            dag_id=dag_id,
            run_id=run_id,
            run_after=run_after.isoformat(),
            parameters=parameters,
            environment=environment,
            job_bundle=read_bundle_pointer(s3, environment),
            input_data_uri=data.uri,
            data_origin=data.data_origin,
            invents_customers=not data.objects,
            dataset_fingerprint=dataset_fingerprint(data.objects)
            if data.objects
            else _synthetic_fingerprint(parameters),
        )
    except (ParameterError, EnvironmentSettingsError, UnknownImageError, ContractError) as error:
        raise AirflowFailException(str(error)) from None
    digits = hash_of_started_run(dag_id, run_id, started_at)
    prefix = run_prefix(plan.environment.artifact_bucket, plan.run_slug, digits)
    plan = replace(plan, run_hash=digits, run_prefix=prefix, schema_uri=schema_uri(prefix))
    write_json(s3, plan.schema_uri, schema.to_mapping(), what="the run's schema")
    write_json(s3, plan_uri(prefix), plan.to_mapping(), what="the run's plan")
    log.info("Data: %s (%s, %d objects)", plan.input_data_uri, plan.data_origin, len(data.objects))
    log.info("Everything of this run lies under %s", plan.run_prefix)
    return plan


def _refuse_what_cannot_be_invented(schema: FeatureSchema, data: InputData) -> None:
    """Raise ContractError where the schema asks for columns that the generator does not write."""
    known = {normalise_name(column.name) for column in load_schema(SYNTHETIC_SCHEMA).columns}
    lacking = [
        column.name
        for column in (*schema.features, schema.target)
        if known.isdisjoint(normalise_name(name) for name in (column.name, *column.aliases))
    ]
    if lacking:
        raise ContractError(
            f"no data found under {data.uri}, and on_missing_data synthetic cannot invent them: its "
            f"customers have the columns of {SYNTHETIC_SCHEMA}, schema {schema.name} needs "
            f"{', '.join(lacking):.200}; upload data there, or set schema to {SYNTHETIC_SCHEMA}"
        )


def _synthetic_fingerprint(parameters: RetrainingParameters) -> str:
    text = f"synthetic\n{parameters.synthetic_rows}\n{parameters.seed}"
    return hashlib.sha256(text.encode()).hexdigest()
