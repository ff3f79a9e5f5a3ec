"""The body of `accuracy_gate`: read the evaluation, decide, write the decision beside it."""

import logging
from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.s3_documents import read_json, write_json
from include.data_contracts.evaluation_report import EvaluationReport
from include.data_contracts.gate_decision import GateDecision
from include.data_contracts.job_result import JobResult
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.retraining_plan import RetrainingPlan

EVALUATION_FILE = "evaluation.json"
DECISION_FILE = "gate_decision.json"
_EVALUATION_OUTPUT = "evaluation"

log = logging.getLogger(__name__)


def evaluation_folder(evaluation: JobResult) -> str:
    """Return the S3 folder that holds the evaluation and, beside it, the decision."""
    try:
        return evaluation.outputs[_EVALUATION_OUTPUT].rstrip("/")
    except KeyError:
        raise AirflowFailException(
            f"the evaluation job {evaluation.job_name} has no output named {_EVALUATION_OUTPUT!r}, "
            f"only {', '.join(sorted(evaluation.outputs)) or 'none'}"
        ) from None


def read_evaluation(s3: S3Hook, evaluation: JobResult) -> EvaluationReport:
    """Read and check evaluation.json; raises AirflowFailException in one line when it is missing or wrong."""
    uri = f"{evaluation_folder(evaluation)}/{EVALUATION_FILE}"
    document = read_json(
        s3, uri, what="the evaluation report", remedy=f"read the log of the job {evaluation.job_name}"
    )
    try:
        return EvaluationReport.from_mapping(document)
    except ContractError as error:
        raise AirflowFailException(f"the evaluation report {uri} is not usable: {error}") from None


def decide_gate(
    plan_mapping: Mapping[str, Any], evaluation_mapping: Mapping[str, Any], *, s3: S3Hook
) -> GateDecision:
    """Decide whether the candidate may be registered; the decision is in S3 before it is returned."""
    from include.model_quality_gate.decision import decide, rules_for

    plan = RetrainingPlan.from_mapping(plan_mapping)
    evaluation = JobResult.from_mapping(evaluation_mapping)
    decision = decide(read_evaluation(s3, evaluation), rules_for(plan.parameters))
    uri = f"{evaluation_folder(evaluation)}/{DECISION_FILE}"
    write_json(s3, uri, decision.to_mapping(), what="the gate decision")
    for rule in decision.rules:
        log.info("%s: %s", "met" if rule.passed else "NOT MET", rule.sentence)
    log.info("%s (%s)", decision.sentence, uri)
    return decision
