"""The body of `prepare_monitoring`: which day, which batch, which model; or why there is nothing to do."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_tasks.approved_model import find_package, model_reference
from include.airflow_tasks.run_preparation import hash_of_started_run, read_bundle_pointer, read_schema
from include.airflow_tasks.s3_documents import write_json
from include.data_contracts.feature_schema import FeatureSchema
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.monitoring_plan import ModelReference, MonitoringPlan
from include.sagemaker_requests.container_images import UnknownImageError
from include.settings.environment import EnvironmentSettingsError, MonitoringEnvironment
from include.settings.monitoring_parameters import MonitoringParameters
from include.settings.run_parameters import ParameterError
from include.settings.s3_layout import (
    default_batch_uri,
    default_labels_uri,
    monitoring_run_prefix,
    run_slug,
    schema_uri,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunIdentity:
    """The run as Airflow knows it; `due_at` is the moment whose day before is judged by default."""

    dag_id: str
    run_id: str
    run_after: datetime
    started_at: datetime
    due_at: datetime


def prepare_monitoring_plan(
    run: RunIdentity,
    *,
    params: Mapping[str, Any],
    conf: Mapping[str, Any],
    read_environment: Callable[[], MonitoringEnvironment],
    s3: S3Hook,
    client: Any,
) -> MonitoringPlan:
    """Check what was asked, find the model and everything that travels with it, and freeze the run's plan.

    Raises AirflowFailException with one line where a person has to change something, and AirflowSkipException
    with one sentence where no model has been approved: that is no failure, there is nothing to monitor yet.
    """
    try:
        parameters = MonitoringParameters.from_conf(params, conf)
        day = _batch_day(parameters, run)
        environment = read_environment()
        description = find_package(client, parameters.model_package_group, parameters.reference_version)
        if description is None:
            raise AirflowSkipException(
                f"No approved model in {parameters.model_package_group}: nothing to compare the batch of "
                f"{day} with. Approve a version in SageMaker's model registry."
            )
        model = model_reference(description, region=environment.region, s3=s3)
        schema = _schema(s3, parameters, model)
        plan = _freeze(run, parameters, environment, model, schema, day, s3)
    except (ParameterError, EnvironmentSettingsError, UnknownImageError, ContractError) as error:
        raise AirflowFailException(str(error)) from None
    write_json(s3, plan.schema_uri, schema.to_mapping(), what="the run's schema")
    status = "" if model.is_approved else f", which is {model.approval_status}: a TRIAL"
    log.info("Batch of %s against model %s%s", plan.batch_date, model.name, status)
    log.info("Everything of this run lies under %s", plan.run_prefix)
    return plan


def _batch_day(parameters: MonitoringParameters, run: RunIdentity) -> date:
    if not parameters.batch_date:
        return run.due_at.astimezone(UTC).date() - timedelta(days=1)
    try:
        day = date.fromisoformat(parameters.batch_date)
    except ValueError:
        raise ParameterError(f"batch_date {parameters.batch_date} is no day of the calendar") from None
    if day > run.started_at.astimezone(UTC).date():
        raise ParameterError(f"batch_date {parameters.batch_date} lies in the future")
    return day


def _schema(s3: S3Hook, parameters: MonitoringParameters, model: ModelReference) -> FeatureSchema:
    """Return the schema to read the batch with; another one than the model's must name the same features."""
    own = read_schema(s3, model.schema_uri)
    if not parameters.schema:
        return own
    schema = read_schema(s3, parameters.schema)
    differing = sorted(set(schema.feature_names) ^ set(own.feature_names))
    if differing:
        raise ParameterError(
            f"schema {parameters.schema} does not fit model {model.name}, which was trained on {own.name}: "
            f"they do not both have {', '.join(differing)}; leave schema empty for the model's own"
        )
    return schema


def _freeze(
    run: RunIdentity,
    parameters: MonitoringParameters,
    environment: MonitoringEnvironment,
    model: ModelReference,
    schema: FeatureSchema,
    day: date,
    s3: S3Hook,
) -> MonitoringPlan:
    slug, digits = run_slug(run.run_id), hash_of_started_run(run.dag_id, run.run_id, run.started_at)
    prefix = monitoring_run_prefix(environment.artifact_bucket, slug, digits)
    end_of_day = datetime.combine(day + timedelta(days=1), time(), UTC)
    labelled = (day - timedelta(days=parameters.label_delay_days)).isoformat()
    data_bucket = environment.data_bucket
    return MonitoringPlan(
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_slug=slug,
        run_hash=digits,
        run_after=run.run_after.isoformat(),
        parameters=parameters,
        environment=environment,
        job_bundle=read_bundle_pointer(s3, environment),
        model=model,
        batch_date=day.isoformat(),
        batch_uri=parameters.batch_uri or default_batch_uri(data_bucket, schema.name, day.isoformat()),
        deadline=(end_of_day + timedelta(hours=parameters.batch_grace_hours)).isoformat(),
        labels_uri=parameters.labels_uri or default_labels_uri(data_bucket, schema.name, labelled),
        labelled_date=labelled,
        schema_uri=schema_uri(prefix),
        run_prefix=prefix,
    )
