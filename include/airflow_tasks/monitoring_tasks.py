"""The tasks of `churn_drift_monitoring`, ready to be wired: thin wrappers of functions tested as plain code.

Bodies are imported inside the tasks: a DAG file is parsed every half minute, a task runs once.
"""

from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.airflow_tasks.batch_sensor import BatchSensor
from include.airflow_tasks.retraining_trigger import RetrainingTrigger
from include.airflow_tasks.sagemaker_job_operators import ProcessingJobOperator
from include.airflow_tasks.task_settings import (
    NOTE_KEY,
    SMALL_TASK_LIMIT,
    aws_client,
    job_waiting,
    publishing_retries,
    s3_hook,
)
from include.data_contracts.day_inputs import DayInputs
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.sagemaker_requests.drift_requests import STAGE, build_drift_request
from include.settings.deployment_parameters import DRIFT_PARAMETERS
from include.settings.environment import (
    OperatorSettings,
    read_monitoring_environment,
    read_operator_settings,
)
from include.settings.monitoring_table import PARAMETERS


@task(execution_timeout=SMALL_TASK_LIMIT)  # type: ignore[untyped-decorator]
def prepare_monitoring() -> dict[str, Any]:
    """Check what was asked, find the approved model, and freeze everything the run needs in one plan."""
    from include.airflow_tasks.deployed_parameters import refuse_unusable
    from include.airflow_tasks.monitoring_preparation import RunIdentity, prepare_monitoring_plan

    context = get_current_context()
    run = context["dag_run"]
    identity = RunIdentity(
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_after=run.run_after,
        started_at=run.start_date or run.run_after,
        due_at=run.data_interval_end or run.logical_date or run.run_after,
    )
    try:
        refuse_unusable(PARAMETERS, read_operator_settings().drift_parameters, DRIFT_PARAMETERS)
        plan = prepare_monitoring_plan(
            identity,
            params=dict(context["params"]),
            conf=run.conf or {},
            read_environment=read_monitoring_environment,
            s3=s3_hook(),
            client=aws_client("sagemaker"),
        )
    except AirflowSkipException as nothing_to_do:
        context["ti"].xcom_push(key=NOTE_KEY, value=str(nothing_to_do))
        raise
    except AirflowFailException as refusal:
        context["ti"].xcom_push(key=NOTE_KEY, value=f"Refused: {refusal}")
        raise
    return plan.to_mapping()


def wait_for_batch(plan: Any, settings: OperatorSettings) -> BatchSensor:
    """Return the task that waits for the batch, or for the end of its grace."""
    return BatchSensor(
        task_id="wait_for_batch",
        plan=plan,
        look_interval_seconds=settings.batch_poll_interval_seconds,
        aws_conn_id=settings.aws_conn_id,
        region_name=settings.region,
        execution_timeout=SMALL_TASK_LIMIT,
    )


# record_day, further down, must run without a batch too.
@task.short_circuit(execution_timeout=SMALL_TASK_LIMIT, ignore_downstream_trigger_rules=False)  # type: ignore[untyped-decorator]
def batch_arrived(inputs: dict[str, Any]) -> bool:
    """Let the job run only where there is a new batch to judge."""
    return DayInputs.from_mapping(inputs).has_arrived


def detect_drift(plan: Any, inputs: Any, settings: OperatorSettings) -> ProcessingJobOperator:
    """Return the task that scores the batch and compares it with the model's reference."""
    return ProcessingJobOperator(
        task_id="detect_drift",
        stage=STAGE,
        plan=plan,
        read_plan=MonitoringPlan.from_mapping,
        build_request=build_drift_request,
        upstream_results={"day": inputs},
        read_result=DayInputs.from_mapping,
        **job_waiting(settings),
    )


@task(execution_timeout=SMALL_TASK_LIMIT, trigger_rule="none_failed_min_one_success")  # type: ignore[untyped-decorator]
def record_day(plan: dict[str, Any], inputs: dict[str, Any], drift: dict[str, Any] | None) -> dict[str, Any]:
    """Keep what the day came to, a missing batch included, where the next days find it."""
    from include.airflow_tasks.day_recording import record_monitored_day
    from include.data_contracts.job_result import JobResult

    found = DayInputs.from_mapping(inputs)
    day = record_monitored_day(
        MonitoringPlan.from_mapping(plan),
        found,
        JobResult.from_mapping(drift) if drift is not None else None,
        s3=s3_hook(),
    )
    labels = (
        f"\n\nLabels of {found.expected_labels} were expected, not found." if found.expected_labels else ""
    )
    get_current_context()["ti"].xcom_push(key=NOTE_KEY, value=f"{day.sentence}{labels}")
    return day.to_mapping()


def publish(plan: Any, day: Any, settings: OperatorSettings) -> tuple[Any, Any]:
    """Return the tasks that publish the day's metrics and its alert; each outlasts an outage of a day."""
    retries = publishing_retries(settings)
    return publish_metrics.override(**retries)(plan, day), publish_alert.override(**retries)(plan, day)


@task(execution_timeout=SMALL_TASK_LIMIT)  # type: ignore[untyped-decorator]
def publish_metrics(plan: dict[str, Any], day: dict[str, Any]) -> dict[str, Any]:
    """Publish the day's figures to CloudWatch, drift or not."""
    from include.airflow_tasks.metric_publication import publish_day_metrics

    return publish_day_metrics(plan, day, s3=s3_hook(), cloudwatch=aws_client("cloudwatch"))


# One at a time over all runs: they share one ledger of messages.
@task(execution_timeout=SMALL_TASK_LIMIT, max_active_tis_per_dag=1)  # type: ignore[untyped-decorator]
def publish_alert(plan: dict[str, Any], day: dict[str, Any]) -> dict[str, Any]:
    """Send a message when something changed that matters, exactly once."""
    from include.airflow_tasks.alert_publication import publish_day_alert

    run_url = get_current_context()["ti"].log_url.partition("/tasks/")[0]
    return publish_day_alert(plan, day, s3=s3_hook(), sns=aws_client("sns"), run_url=run_url)


# One at a time over all runs: two that decide at once would not see each other's request.
@task(execution_timeout=SMALL_TASK_LIMIT, max_active_tis_per_dag=1)  # type: ignore[untyped-decorator]
def request_retraining(plan: dict[str, Any], day: dict[str, Any]) -> dict[str, Any]:
    """Decide whether this day's drift starts a retraining: asked for, not too soon, within the budget."""
    from include.airflow_tasks.retraining_request import decide_retraining

    return decide_retraining(plan, day, s3=s3_hook())


def trigger_retraining(request: Any) -> RetrainingTrigger:
    """Return the task that starts the retraining, or is skipped."""
    return RetrainingTrigger(
        task_id="trigger_retraining", request=request, execution_timeout=SMALL_TASK_LIMIT
    )
