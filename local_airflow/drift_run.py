"""`make drift`: compare one batch with what the approved model was trained on, and show what came of it."""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from include.settings.monitoring_parameters import MonitoringParameters
from local_airflow import idle_end
from local_airflow.airflow_api import AirflowApi
from local_airflow.dag_run_watch import Report, describe_failure, new_run_id, watch_run
from local_airflow.data_upload import read_data, upload_batch, upload_data
from local_airflow.drift_summary import collect_drift_summary, render_drift_summary
from local_airflow.registered_models import (
    APPROVED,
    DEFAULT_GROUP,
    SYNTHETIC_SUFFIX,
    RegisteredModel,
    choose_model,
    list_models,
)
from local_airflow.request_variables import read_conf, read_date
from local_airflow.run_files import shown, write_document
from local_airflow.schema_choice import SchemaChoice, place_schema, read_schema_choice
from local_airflow.stack import describe_stay, open_aws_client, start_stack
from local_airflow.stack_settings import DRIFT_DAG_ID, StackError, StackSettings

NOT_APPROVED = "the model is NOT APPROVED, so this is a trial; `make approve` approves it"
SYNTHETIC_MODEL = "SYNTHETIC: the model was made from invented customers"


@dataclass(frozen=True)
class DriftRequest:
    """What the person asked for on the command line; `batch_date` None means today (UTC)."""

    data: Path | None = None
    batch_date: date | None = None
    schema: SchemaChoice | None = None
    labels: Path | None = None
    conf: dict[str, Any] = field(default_factory=dict)


def read_drift_conf() -> dict[str, Any]:
    """Read CONF for the monitoring DAG; raises StackError."""
    return read_conf('{"floor_location": 0.1}', MonitoringParameters.from_conf)


def read_drift_request() -> DriftRequest:
    """Read DATA, DATE, SCHEMA, LABELS and CONF; raises StackError naming the one that is wrong."""
    request = DriftRequest(
        data=read_data("DATA"),
        batch_date=read_date("DATE"),
        schema=read_schema_choice(),
        labels=read_data("LABELS"),
        conf=read_drift_conf(),
    )
    if request.data is None and request.batch_date is None and not request.conf:
        raise StackError(
            "make drift needs a batch: DATA=path names a file or folder of customers as they are now "
            "(DATE=2026-11-24 alone looks for that day's batch in the data bucket)"
        )
    return request


def run_drift(settings: StackSettings, request: DriftRequest, report: Report) -> int:
    """Start the stack if needed, run the DAG, write `drift_run.json`; returns the exit code."""
    began = time.monotonic()
    start_stack(settings, report, quiet_minutes=idle_end.MINUTES)
    stack_seconds = time.monotonic() - began
    model = find_reference(settings, request.conf)
    if model is not None:
        for warning in model_warnings(model):
            report(f"model: {model.name}: {warning}")
    api = AirflowApi(settings)
    api.log_in()
    _finish_interrupted_runs(api, report)
    run_id = trigger_drift(api, settings, request, model, report)
    summary = follow_drift(api, settings, run_id, model, report, began=began, stack_seconds=stack_seconds)
    path = settings.state_dir / "drift_run.json"
    write_document(path, summary)
    print("\n".join([*render_drift_summary(summary), f"written   {shown(path)}"]))
    idle_end.note_use(settings)
    for line in describe_stay(settings):
        print(line)
    return 0 if summary["dag_run_state"] == "success" else 1


def find_reference(settings: StackSettings, conf: dict[str, Any]) -> RegisteredModel | None:
    """The model a batch is compared with: the version conf names, the approved one, or the newest pending.

    Raises StackError when nothing is registered; None when conf names a version that is not there, which the
    DAG refuses in its own words.
    """
    group = str(conf.get("model_package_group") or DEFAULT_GROUP)
    sagemaker = open_aws_client(settings, "sagemaker")
    models = list_models(sagemaker, group)
    if version := conf.get("reference_version"):
        return next((model for model in models if str(model.version) == str(version)), None)
    found = choose_model(models)
    if found is None:
        where = "" if group == DEFAULT_GROUP else f" in {group}"
        others = "" if group.endswith(SYNTHETIC_SUFFIX) else _name_synthetic(sagemaker, group)
        raise StackError(f"no model{where} yet: make run DATA=… trains and registers one{others}")
    return found


def model_warnings(model: RegisteredModel) -> list[str]:
    """What has to be said about the model wherever its result is shown."""
    warnings = [SYNTHETIC_MODEL] if model.is_synthetic else []
    if not model.is_synthetic and model.approval_status != APPROVED:
        warnings.append(NOT_APPROVED)
    return warnings


def trigger_drift(
    api: AirflowApi,
    settings: StackSettings,
    request: DriftRequest,
    model: RegisteredModel | None,
    report: Report,
) -> str:
    """Put the batch into S3 and start a run; returns its run id."""
    conf = dict(request.conf)
    s3 = open_aws_client(settings, "s3")
    if model is not None and model.approval_status != APPROVED:
        conf.setdefault("reference_version", str(model.version))
    if request.schema:
        conf["schema"] = place_schema(s3, request.schema)
    if request.data is not None:
        conf["batch_uri"] = upload_batch(s3, request.data)
        report(f"batch: {request.data.name} uploaded to {conf['batch_uri']}")
    if request.labels is not None:
        conf["labels_uri"] = upload_data(s3, request.labels)
        conf.setdefault("label_delay_days", 0)  # on a laptop the outcomes are those of this very batch
        report(f"labels: {request.labels.name} uploaded to {conf['labels_uri']}")
    if request.batch_date is not None or not conf.get("batch_date"):
        conf["batch_date"] = (request.batch_date or datetime.now(UTC).date()).isoformat()
    run_id = new_run_id()
    api.trigger(DRIFT_DAG_ID, run_id, conf)
    report(f"run {run_id} of {DRIFT_DAG_ID} triggered for {conf['batch_date']}")
    return run_id


def follow_drift(
    api: AirflowApi,
    settings: StackSettings,
    run_id: str,
    model: RegisteredModel | None,
    report: Report,
    *,
    began: float,
    stack_seconds: float = 0.0,
) -> dict[str, Any]:
    """Report the run's tasks until it is over; returns its summary."""
    run, tasks = watch_run(api, DRIFT_DAG_ID, run_id, report)
    summary = collect_drift_summary(
        api, settings, run, tasks, warnings=model_warnings(model) if model else [],
        total_seconds=time.monotonic() - began, stack_seconds=stack_seconds,
    )  # fmt: skip
    if run["state"] != "success":
        for line in describe_failure(api, run, tasks):
            report(line)
    return summary


def _name_synthetic(sagemaker: Any, group: str) -> str:
    synthetic = choose_model(list_models(sagemaker, group + SYNTHETIC_SUFFIX))
    if synthetic is None:
        return ""
    return (
        f" ({synthetic.name} was made from SYNTHETIC customers; to compare with it all the same: CONF="
        f'\'{{"model_package_group": "{synthetic.group}", "reference_version": "{synthetic.version}"}}\')'
    )


def _finish_interrupted_runs(api: AirflowApi, report: Report) -> None:
    for run in api.unfinished_runs(DRIFT_DAG_ID):
        report(f"run {run['dag_run_id']} was interrupted; Airflow finishes it first")
        watch_run(api, DRIFT_DAG_ID, run["dag_run_id"], report)
