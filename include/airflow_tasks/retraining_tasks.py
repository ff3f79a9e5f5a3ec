"""The tasks of `churn_retraining`, ready to be wired: thin wrappers around functions tested as plain code.

Bodies are imported inside the tasks: a DAG file is parsed every half minute, a task runs once.
"""

from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.sagemaker_job_operators import ProcessingJobOperator, TrainingJobOperator
from include.airflow_tasks.task_settings import NOTE_KEY, SMALL_TASK_LIMIT, aws_client, job_waiting, s3_hook
from include.data_contracts.retraining_plan import RetrainingPlan
from include.sagemaker_requests.job_requests import (
    build_evaluation_request,
    build_preprocess_request,
    build_training_request,
)
from include.settings.deployment_parameters import RETRAINING_PARAMETERS
from include.settings.environment import OperatorSettings, read_environment, read_operator_settings
from include.settings.retraining_table import PARAMETERS

GATE_DECISION_KEY = "gate_decision"


@task(execution_timeout=SMALL_TASK_LIMIT)  # type: ignore[untyped-decorator]
def prepare_run() -> dict[str, Any]:
    """Check what was asked, find the data, and freeze everything the run needs in one plan."""
    from include.airflow_tasks.deployed_parameters import refuse_unusable
    from include.airflow_tasks.retraining_preparation import prepare_plan

    context = get_current_context()
    run = context["dag_run"]
    try:
        refuse_unusable(PARAMETERS, read_operator_settings().retraining_parameters, RETRAINING_PARAMETERS)
        plan = prepare_plan(
            dag_id=run.dag_id,
            run_id=run.run_id,
            run_after=run.run_after,
            started_at=run.start_date or run.run_after,
            params=dict(context["params"]),
            conf=run.conf or {},
            read_environment=read_environment,
            s3=s3_hook(),
        )
    except AirflowFailException as refusal:
        context["ti"].xcom_push(key=NOTE_KEY, value=f"Refused: {refusal}")
        raise
    return plan.to_mapping()


def _refuse_changed_data(plan: RetrainingPlan) -> None:
    from include.airflow_tasks.input_data import refuse_changed_data

    refuse_changed_data(plan, s3=s3_hook())


def preprocess(plan: Any, settings: OperatorSettings) -> ProcessingJobOperator:
    """Return the task that validates, cleans, counts and splits the data."""
    return ProcessingJobOperator(
        task_id="preprocess",
        stage="preprocess",
        plan=plan,
        read_plan=RetrainingPlan.from_mapping,
        build_request=build_preprocess_request,
        check_start=_refuse_changed_data,
        **job_waiting(settings),
    )


def train(plan: Any, preprocess: Any, settings: OperatorSettings) -> TrainingJobOperator:
    """Return the task that trains the candidate."""
    return TrainingJobOperator(
        task_id="train",
        stage="train",
        plan=plan,
        read_plan=RetrainingPlan.from_mapping,
        build_request=build_training_request,
        upstream_results={"preprocess": preprocess},
        **job_waiting(settings),
    )


def evaluate(plan: Any, preprocess: Any, training: Any, settings: OperatorSettings) -> ProcessingJobOperator:
    """Return the task that measures the candidate on data it has not seen."""
    return ProcessingJobOperator(
        task_id="evaluate",
        stage="evaluate",
        plan=plan,
        read_plan=RetrainingPlan.from_mapping,
        build_request=build_evaluation_request,
        upstream_results={"preprocess": preprocess, "training": training},
        **job_waiting(settings),
    )


@task.short_circuit(execution_timeout=SMALL_TASK_LIMIT)  # type: ignore[untyped-decorator]
def accuracy_gate(plan: dict[str, Any], evaluation: dict[str, Any]) -> bool:
    """Let the candidate through or skip its registration; the decision is an XCom of its own."""
    from include.airflow_tasks.accuracy_gate import decide_gate

    decision = decide_gate(plan, evaluation, s3=s3_hook())
    instance = get_current_context()["ti"]
    instance.xcom_push(key=GATE_DECISION_KEY, value=decision.to_mapping())
    instance.xcom_push(key=NOTE_KEY, value=decision.sentence)
    return bool(decision.passed)


@task(execution_timeout=SMALL_TASK_LIMIT)  # type: ignore[untyped-decorator]
def register_model_package(
    plan: dict[str, Any],
    preprocess: dict[str, Any],
    training: dict[str, Any],
    evaluation: dict[str, Any],
    gate_decision: dict[str, Any],
) -> dict[str, Any]:
    """Register the candidate as PendingManualApproval, once per run and model."""
    from include.airflow_tasks.model_registration import register_candidate

    result = register_candidate(
        plan,
        preprocess=preprocess,
        training=training,
        evaluation=evaluation,
        gate_decision=gate_decision,
        s3=s3_hook(),
        client=aws_client("sagemaker"),
    )
    note = f"Registered {result['model_package_arn']} ({result['approval_status']})."
    get_current_context()["ti"].xcom_push(key=NOTE_KEY, value=note)
    return result
