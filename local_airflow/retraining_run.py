"""`make run`: take one data set through `churn_retraining` on the laptop and show what came of it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.data_contracts.data_quality_report import SYNTHETIC_SCHEMA
from include.settings.retraining_parameters import RetrainingParameters
from local_airflow import idle_end
from local_airflow.airflow_api import AirflowApi
from local_airflow.dag_run_watch import Report, describe_failure, new_run_id, watch_run
from local_airflow.data_upload import read_data, upload_data
from local_airflow.request_variables import read_conf
from local_airflow.retraining_summary import collect_summary, render_summary
from local_airflow.run_files import shown, write_document
from local_airflow.schema_choice import SchemaChoice, place_schema, read_schema_choice
from local_airflow.stack import describe_stay, open_aws_client, start_stack
from local_airflow.stack_settings import DATA_BUCKET, RETRAINING_DAG_ID, StackError, StackSettings


@dataclass(frozen=True)
class RunRequest:
    """What the person asked for on the command line."""

    data: Path | None
    schema: SchemaChoice | None
    conf: dict[str, Any]


def read_run_request() -> RunRequest:
    """Read DATA, SCHEMA and CONF from the environment; raises StackError naming the one that is wrong."""
    request = RunRequest(
        data=read_data("DATA"),
        schema=read_schema_choice(),
        conf=read_conf('{"accuracy_threshold": 0.78}', RetrainingParameters.from_conf),
    )
    if _invents_customers(request) and request.schema not in {None, SYNTHETIC_SCHEMA}:
        raise StackError(
            f"SCHEMA={request.schema} needs DATA=path: customers can be invented for {SYNTHETIC_SCHEMA} only"
        )
    return request


def run_retraining(settings: StackSettings, request: RunRequest, report: Report) -> int:
    """Start the stack if needed, run the DAG, write `retraining_run.json`; returns the exit code."""
    began = time.monotonic()
    start_stack(settings, report, quiet_minutes=idle_end.MINUTES)
    stack_seconds = time.monotonic() - began
    api = AirflowApi(settings)
    api.log_in()
    _finish_interrupted_run(api, settings, report)
    run_id = trigger_run(api, settings, request, report)
    code = _follow_to_the_end(api, settings, run_id, report, began=began, stack_seconds=stack_seconds)
    idle_end.note_use(settings)
    for line in describe_stay(settings):
        print(line)
    return code


def trigger_run(api: AirflowApi, settings: StackSettings, request: RunRequest, report: Report) -> str:
    """Put the data into S3 and start a run; returns its run id."""
    conf = dict(request.conf)
    s3 = open_aws_client(settings, "s3")
    if request.schema:
        conf["schema"] = place_schema(s3, request.schema)
    if request.data is not None:
        conf["input_data_uri"] = upload_data(s3, request.data)
        report(f"data: {request.data.name} uploaded to {conf['input_data_uri']}")
    elif _invents_customers(request):
        conf |= {"on_missing_data": "synthetic", "input_data_uri": f"s3://{DATA_BUCKET}/none/"}
        report("data: none given, so SYNTHETIC customers are generated; the model is never approvable")
    run_id = new_run_id()
    api.trigger(RETRAINING_DAG_ID, run_id, conf)
    report(f"run {run_id} of {RETRAINING_DAG_ID} triggered")
    return run_id


def _invents_customers(request: RunRequest) -> bool:
    """Whether nobody named data, nor asked for those that lie in the bucket."""
    conf = request.conf
    return (
        request.data is None
        and "input_data_uri" not in conf
        and conf.get("on_missing_data", "synthetic") == "synthetic"
    )


def _finish_interrupted_run(api: AirflowApi, settings: StackSettings, report: Report) -> None:
    for run in api.unfinished_runs(RETRAINING_DAG_ID):
        report(f"run {run['dag_run_id']} was interrupted; Airflow finishes it first")
        began = time.monotonic()
        _follow_to_the_end(api, settings, run["dag_run_id"], report, began=began, stack_seconds=0.0)


def _follow_to_the_end(
    api: AirflowApi,
    settings: StackSettings,
    run_id: str,
    report: Report,
    *,
    began: float,
    stack_seconds: float,
) -> int:
    run, tasks = watch_run(api, RETRAINING_DAG_ID, run_id, report)
    summary = collect_summary(
        api,
        settings,
        run,
        tasks,
        total_seconds=time.monotonic() - began,
        stack_seconds=stack_seconds,
    )
    path = settings.state_dir / "retraining_run.json"
    write_document(path, summary)
    failure = describe_failure(api, run, tasks) if run["state"] != "success" else []
    print("\n".join([*render_summary(summary), *failure, f"written   {shown(path)}"]))
    return 0 if run["state"] == "success" else 1
