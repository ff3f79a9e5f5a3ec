"""Wait for a day's batch without holding a worker slot; a batch that does not come is an answer too."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException

from include.airflow_tasks.day_history import delivery_before
from include.airflow_tasks.label_search import FoundLabels, find_labels
from include.airflow_tasks.s3_documents import exact_uri, list_objects, object_exists
from include.airflow_tasks.task_settings import NOTE_KEY
from include.data_contracts.day_inputs import ARRIVED, MISSING, STALE, DayInputs
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.settings.monitoring_table import LONGEST_GRACE_HOURS
from include.settings.s3_layout import monitor_state_uri

SUCCESS_MARKER = "_SUCCESS"
RECORDING_TASK = "record_day"
_FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
# Airflow takes a task that is queued again before the scheduler has heard of its last look for a lost one.
_SHORTEST_WAIT_SECONDS = 10.0
# An earlier day is soon done: looking for that is worth more than looking for files that people bring.
_TURN_WAIT_SECONDS = 30.0
# A batch that is still being written when its grace ends may take this long to come to rest.
_SETTLING_LIMIT = timedelta(hours=24)


class BatchSensor(BaseSensorOperator):  # type: ignore[misc]
    """Wait until the batch of the plan has arrived, or is known to be missing or stale; return `DayInputs`.

    Looks every `look_interval_seconds`, though not more often than Airflow can bear. Waits as well until the
    run of an earlier day has recorded its day, so that a backfill of many days judges them in order; a run
    that names its `batch_date` waits for nobody, and nobody waits for it. No triggerer is needed.
    """

    template_fields: Sequence[str] = ("plan",)

    def __init__(
        self,
        *,
        plan: Any,
        look_interval_seconds: float,
        aws_conn_id: str | None,
        region_name: str | None,
        **kwargs: Any,
    ) -> None:
        limit = timedelta(hours=LONGEST_GRACE_HOURS) + timedelta(days=1) + _SETTLING_LIMIT
        interval = max(look_interval_seconds, _SHORTEST_WAIT_SECONDS)
        super().__init__(mode="reschedule", poke_interval=interval, timeout=limit, **kwargs)
        self.plan = plan
        self.look_interval_seconds = look_interval_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        plan = MonitoringPlan.from_mapping(self.plan)
        if (earlier := _earlier_run_at_work(plan, context["ti"])) is not None:
            self.log.info("Waiting for the run of an earlier day, %s.", earlier)
            wait = timedelta(seconds=min(self.poke_interval, _TURN_WAIT_SECONDS))
            raise AirflowRescheduleException(datetime.now(UTC) + wait)
        s3 = S3Hook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
        try:
            inputs = look_for_batch(
                plan, s3=s3, now=datetime.now(UTC), settled_after_seconds=self.look_interval_seconds
            )
        except AirflowFailException as refusal:
            context["ti"].xcom_push(key=NOTE_KEY, value=f"Refused: {refusal}")
            raise
        if inputs is None:
            self.log.info("No complete new batch under %s yet; waiting.", plan.batch_uri)
            return PokeReturnValue(is_done=False)
        self.log.info("The batch of %s under %s: %s.", plan.batch_date, inputs.batch_uri, inputs.status)
        return PokeReturnValue(is_done=True, xcom_value=inputs.to_mapping())


def _earlier_run_at_work(plan: MonitoringPlan, instance: Any) -> str | None:
    """Return the id of the run whose day comes before this one's and is not recorded yet, if there is one."""
    if plan.parameters.batch_date:
        return None
    earlier = instance.get_previous_dagrun(state="running")
    if earlier is None or (earlier.conf or {}).get("batch_date"):
        return None
    states = instance.get_task_states(dag_id=plan.dag_id, task_ids=[RECORDING_TASK], run_ids=[earlier.run_id])
    state = states.get(earlier.run_id, {}).get(RECORDING_TASK)
    return None if state in _FINISHED else str(earlier.run_id)


def look_for_batch(
    plan: MonitoringPlan, *, s3: S3Hook, now: datetime, settled_after_seconds: float
) -> DayInputs | None:
    """Return what there is for the plan's day, or None while waiting is worthwhile.

    A batch is complete when its folder holds a `_SUCCESS` marker, or when its newest file has been left alone
    for `settled_after_seconds`. In the usual place, the content of the last recorded batch is no new batch;
    in a place that the run names, it is what a person wants judged.
    """
    is_late = now > datetime.fromisoformat(plan.deadline)
    objects = list_objects(s3, plan.batch_uri, what="the batch", with_empty=True)
    _, prefix = s3.parse_s3_url(plan.batch_uri)
    files = [entry for entry in objects if not _is_marker(str(entry["Key"]).removeprefix(prefix))]
    if not files:
        return DayInputs(MISSING, plan.batch_uri) if is_late else None
    newest = max(entry["LastModified"] for entry in files)
    age = now - newest
    is_declared_complete = any(str(entry["Key"]) == f"{prefix}{SUCCESS_MARKER}" for entry in objects)
    if not is_declared_complete and age < timedelta(seconds=settled_after_seconds):
        return None
    fingerprint = content_fingerprint(files)
    previous = None if plan.parameters.batch_uri else delivery_before(plan, s3=s3)
    is_stale = previous is not None and previous.fingerprint == fingerprint
    if is_stale and not is_late:
        return None
    labels = FoundLabels() if is_stale else find_labels(plan, s3=s3)
    state_uri = monitor_state_uri(plan.monitoring_prefix)
    return DayInputs(
        status=STALE if is_stale else ARRIVED,
        batch_uri=exact_uri(s3, plan.batch_uri, objects, parameter="batch_uri"),
        files=len(files),
        bytes=sum(int(entry["Size"]) for entry in files),
        fingerprint=fingerprint,
        age_hours=round(max(age.total_seconds(), 0.0) / 3600, 3),
        state_uri=state_uri if object_exists(s3, state_uri, what="the monitor's state") else None,
        labels_uri=labels.labels_uri,
        past_predictions_uri=labels.past_predictions_uri,
        labelled_date=labels.labelled_date,
        expected_labels=labels.expected_date,
    )


def content_fingerprint(files: list[dict[str, Any]]) -> str:
    """Return a sha256 over sizes and ETags, whatever the files are called: equal content, equal digits."""
    lines = sorted(f"{entry['Size']}\t{entry['ETag']}\n" for entry in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _is_marker(relative_name: str) -> bool:
    """Tell whether a file is another tool's own, as the jobs do: a name or folder beginning with _ or ."""
    return any(part.startswith(("_", ".")) for part in relative_name.split("/"))
