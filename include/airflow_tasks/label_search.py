"""Which outcomes a day is judged with: those that are due, or those of a few days before that came late.

A day takes one labelled batch, and every labelled batch is taken by one day: the oldest that nobody has taken
comes first. A day that is judged again takes what it took.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.day_history import recorded_day
from include.airflow_tasks.s3_documents import exact_uri, has_objects, list_objects, object_exists
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.settings.monitoring_table import LATE_LABEL_DAYS
from include.settings.s3_layout import predictions_uri

_WHAT_LABELS, _WHAT_SCORES = "the labels", "the scores of the labelled batch"
_PARAMETER = "labels_uri"


@dataclass(frozen=True)
class FoundLabels:
    """Outcomes and the scores they belong to (None: the job scores the very batch); all None without any.

    `expected_date` is the date whose labels were due and are not there, in a place where labels do come.
    """

    labels_uri: str | None = None
    past_predictions_uri: str | None = None
    labelled_date: str | None = None
    expected_date: str | None = None


def find_labels(plan: MonitoringPlan, *, s3: S3Hook) -> FoundLabels:
    """Return the labels that the plan's day is judged with; raises when those that a run names do not fit."""
    if plan.parameters.labels_uri:
        return _named_labels(plan, s3)
    folder = plan.labels_uri.removesuffix(f"{plan.labelled_date}/")
    if not has_objects(s3, folder, what=_WHAT_LABELS):
        return FoundLabels()
    found = FoundLabels()
    for labelled_date in _candidates(plan, s3):
        uri = f"{folder}{labelled_date}/"
        objects = list_objects(s3, uri, what=_WHAT_LABELS)
        if objects and _has_scores(plan, labelled_date, s3):
            exact = exact_uri(s3, uri, objects, parameter=_PARAMETER)
            found = FoundLabels(exact, _scores(plan, labelled_date), labelled_date)
            break
    is_expected = _has_scores(plan, plan.labelled_date, s3) and not has_objects(
        s3, plan.labels_uri, what=_WHAT_LABELS
    )
    expected = plan.labelled_date if is_expected else None
    return FoundLabels(found.labels_uri, found.past_predictions_uri, found.labelled_date, expected)


def _candidates(plan: MonitoringPlan, s3: S3Hook) -> list[str]:
    """Return the dates whose labels this day may take, the first of them first."""
    day, due = date.fromisoformat(plan.batch_date), date.fromisoformat(plan.labelled_date)
    if (own := _taken(plan, day, s3)) is not None:
        return [own]
    around = range(-LATE_LABEL_DAYS, LATE_LABEL_DAYS + 1)
    taken = {_taken(plan, day + timedelta(days=apart), s3) for apart in around if apart}
    window = [(due - timedelta(days=late)).isoformat() for late in range(LATE_LABEL_DAYS, -1, -1)]
    return [labelled_date for labelled_date in window if labelled_date not in taken]


def _taken(plan: MonitoringPlan, day: date, s3: S3Hook) -> str | None:
    recorded = recorded_day(plan, day.isoformat(), s3=s3)
    return None if recorded is None else recorded.labelled_date


def _named_labels(plan: MonitoringPlan, s3: S3Hook) -> FoundLabels:
    named = plan.parameters.labels_uri
    objects = list_objects(s3, named, what=_WHAT_LABELS)
    if not objects:
        raise AirflowFailException(f"labels_uri: no file under {named}; correct it, or leave it empty")
    if not _has_scores(plan, plan.labelled_date, s3):
        raise AirflowFailException(
            f"labels_uri: model {plan.model.name} has no scores of {plan.labelled_date} "
            f"({_scores(plan, plan.labelled_date)}) to hold them against; monitor that day first, or set "
            "label_delay_days (0: labels of this very batch)"
        )
    uri = exact_uri(s3, named, objects, parameter=_PARAMETER)
    return FoundLabels(uri, _scores(plan, plan.labelled_date), plan.labelled_date)


def _scores(plan: MonitoringPlan, labelled_date: str) -> str | None:
    """Return where the scores lie; None for this very batch, whose customers the job scores itself."""
    if labelled_date == plan.batch_date:
        return None
    return predictions_uri(plan.monitoring_prefix, labelled_date)


def _has_scores(plan: MonitoringPlan, labelled_date: str, s3: S3Hook) -> bool:
    uri = _scores(plan, labelled_date)
    return uri is None or object_exists(s3, uri, what=_WHAT_SCORES)
