"""Does this day's drift start a retraining? Asked for, real drift, not too soon, within the budget.

Pure: the requests made so far and the date of today are given. The dates of batches and the dates on which
requests were made both count, so that a backfill of old days cannot start a year's retrainings in an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.feature_schema import list_bundled_schema_names
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.data_contracts.retraining_request import RetrainingRequest
from include.drift_alerts.plain_text import listed, one_line
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.retraining_table import ALGORITHMS
from include.settings.s3_layout import default_input_uri

LONGEST_REASON = 500
_SYNTHETIC_GROUP_ENDING = "-synthetic"
_MOST_COLUMNS = 5
_LONGEST_COLUMN = 40


@dataclass(frozen=True)
class RetrainingDecision:
    """Whether to retrain, and in one sentence why or why not; `run_id` and `conf` are None when not."""

    requested: bool
    reason: str
    run_id: str | None = None
    conf: dict[str, Any] | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "requested": self.requested,
            "reason": self.reason,
            "run_id": self.run_id,
            "conf": self.conf,
        }


def decide_request(
    plan: MonitoringPlan, day: MonitoringDay, requests: Sequence[RetrainingRequest], today: date
) -> RetrainingDecision:
    """Decide for one day; `requests` are all that were made for the model package group so far.

    The same day asked again gets the answer it got before: its retraining has a name of its own.
    """
    parameters = plan.parameters
    if not parameters.retrain_on_drift:
        return RetrainingDecision(False, "retrain_on_drift is off")
    if day.alert is None:
        return RetrainingDecision(False, f"the batch is {day.batch_status}: nothing was judged")
    alert = DriftAlert.from_mapping(day.alert, "the day's alert")
    if "data_break" in {day.verdict, alert.status}:
        return RetrainingDecision(False, "the data are broken; a model must not learn from them")
    if alert.status != "drift":
        return RetrainingDecision(False, "no drift alert is open")
    others = [request for request in requests if request.date != day.date]
    if len(others) == len(requests) and (objection := _objection(plan, day, others, today)):
        return RetrainingDecision(False, objection)
    return RetrainingDecision(
        True, _reason(plan, day, alert), retraining_run_id(plan), _conf(plan, day, alert)
    )


def retraining_run_id(plan: MonitoringPlan) -> str:
    """Return the name of the run that one day's drift starts; the same however often it is asked."""
    return f"drift__{plan.model.group}-{plan.model.version}__{plan.batch_date}"


def _objection(
    plan: MonitoringPlan, day: MonitoringDay, requests: Sequence[RetrainingRequest], today: date
) -> str | None:
    """Return what speaks against one more request, None when nothing does."""
    cooldown, budget = plan.parameters.retraining_cooldown_days, plan.parameters.retraining_monthly_budget
    batch_date = date.fromisoformat(day.date)
    for request in requests:
        made_on = datetime.fromisoformat(request.requested_at).date()
        apart = min(abs((batch_date - date.fromisoformat(request.date)).days), abs((today - made_on).days))
        if apart < cooldown:
            return (
                f"a retraining was asked for {apart} day{'' if apart == 1 else 's'} away, for the batch of "
                f"{request.date}; retraining_cooldown_days is {cooldown}"
            )
    spent = max(
        sum(request.date[:7] == day.date[:7] for request in requests),
        sum(request.requested_at[:7] == today.isoformat()[:7] for request in requests),
    )
    if spent >= budget:
        return f"{spent} of {budget} retrainings of this month are spent (retraining_monthly_budget)"
    return None


def _reason(plan: MonitoringPlan, day: MonitoringDay, alert: DriftAlert) -> str:
    columns = listed(alert.headline_columns, _MOST_COLUMNS, _LONGEST_COLUMN) or "the data"
    sentence = (
        f"Drift of {columns} since {alert.since or day.date}, seen in the batch of {day.date} "
        f"against model {plan.model.name}: {alert.sentence}"
    )
    return one_line(sentence, LONGEST_REASON)


def _conf(plan: MonitoringPlan, day: MonitoringDay, alert: DriftAlert) -> dict[str, Any]:
    """Return the retraining's conf: the model's own schema and algorithm, and why.

    Raises ParameterError when it would be refused, which only a plan from elsewhere can lead to.
    """
    model, parameters = plan.model, plan.parameters
    input_uri = parameters.retraining_input_data_uri
    is_bundled = model.schema_name in list_bundled_schema_names()
    conf: dict[str, Any] = {
        "schema": model.schema_name if is_bundled else model.schema_uri,
        "model_package_group": model.group.removesuffix(_SYNTHETIC_GROUP_ENDING),
        "reason": _reason(plan, day, alert),
    }
    if model.algorithm in ALGORITHMS:
        conf["algorithm"] = model.algorithm
    if input_uri or not is_bundled:
        conf["input_data_uri"] = input_uri or default_input_uri(
            plan.environment.data_bucket, model.schema_name
        )
    if model.data_origin == "synthetic":
        conf["on_missing_data"] = "synthetic"
    RetrainingParameters.from_conf(conf=conf)
    return conf
