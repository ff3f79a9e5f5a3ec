"""Request of the job that scores a day's batch with the approved model and compares it with the reference."""

import json
from typing import Any

from include.data_contracts.day_inputs import DayInputs
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.sagemaker_requests.processing_requests import INPUT, OUTPUT, processing_request
from include.sagemaker_requests.request_parts import Request, processing_input

STAGE = "detect_drift"
DRIFT_OUTPUT = "drift"
# An argument takes 256 characters; with more digits the rule would not fit, with fewer nobody sees it.
_RULE_DIGITS = 6


def build_drift_request(plan: MonitoringPlan, job_name: str, day: DayInputs) -> Request:
    """Return the processing request of one day; it runs in the image that the model was judged in.

    Raises ValueError when `day` has no batch to judge.
    """
    if not day.has_arrived:
        raise ValueError(f"the batch of {plan.batch_date} is {day.status}; there is nothing to judge")
    model = plan.model
    inputs = [
        processing_input("reference", model.reference_uri, f"{INPUT}/reference"),
        processing_input("current", day.batch_uri, f"{INPUT}/current"),
    ]
    arguments = ["--reference", f"{INPUT}/reference", "--current", f"{INPUT}/current"]
    files = {
        "model": model.model_uri,
        "schema": plan.schema_uri,
        "evaluation": model.evaluation_uri,
        "reference-scores": model.reference_scores_uri,
        "state": day.state_uri,
        "past-predictions": day.past_predictions_uri if day.labels_uri is not None else None,
    }
    for option, uri in files.items():
        if uri is not None:
            folder = f"{INPUT}/{option.replace('-', '_')}"
            inputs.append(processing_input(option.replace("-", "_"), uri, folder))
            arguments += [f"--{option}", f"{folder}/{uri.rpartition('/')[2]}"]
    if day.labels_uri is not None:
        inputs.append(processing_input("labels", day.labels_uri, f"{INPUT}/labels"))
        labelled_date = day.labelled_date or plan.labelled_date
        arguments += ["--labels", f"{INPUT}/labels", "--labelled-date", labelled_date]
    return processing_request(
        plan,
        job_name,
        stage=STAGE,
        image=model.image,
        instance_type=plan.parameters.instance_type,
        inputs=inputs,
        output_names=(DRIFT_OUTPUT,),
        arguments=[
            *arguments,
            *("--model-sha256", model.model_sha256),
            *("--model-version", model.name),
            *("--data-origin", model.data_origin),
            *("--batch-date", plan.batch_date),
            *("--rule", rule_argument(plan)),
            *("--output-dir", f"{OUTPUT}/{DRIFT_OUTPUT}"),
        ],
    )


def rule_argument(plan: MonitoringPlan) -> str:
    """Return the settings of the rule as one line of JSON that fits an argument."""
    settings = {name: _short(value) for name, value in plan.parameters.rule().items()}
    return json.dumps(settings, separators=(",", ":"), allow_nan=False)


def _short(value: Any) -> Any:
    return float(f"{value:.{_RULE_DIGITS}g}") if isinstance(value, float) else value
