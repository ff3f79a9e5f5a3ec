"""What was recorded of other days, read back from S3: verdicts per model version, deliveries per group."""

from collections.abc import Iterator

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from include.airflow_tasks.published_documents import read_contract
from include.airflow_tasks.s3_documents import list_objects, object_exists, read_json
from include.data_contracts.batch_delivery import BatchDelivery
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.settings.s3_layout import day_record_uri, days_prefix, deliveries_prefix, delivery_uri

_WHAT_DAY, _WHAT_DELIVERY = "the record of a monitored day", "the record of a delivery"
_REMEDY = "clear the run of that day"
_DAY_ENDING, _DELIVERY_ENDING = "/day.json", ".json"


def recorded_day(plan: MonitoringPlan, date: str, *, s3: S3Hook) -> MonitoringDay | None:
    """Return what is recorded for one date under the plan's model version, None where nothing is."""
    uri = day_record_uri(plan.monitoring_prefix, date)
    if not object_exists(s3, uri, what=_WHAT_DAY):
        return None
    return read_contract(MonitoringDay.from_mapping, read_json(s3, uri, what=_WHAT_DAY, remedy=_REMEDY), uri)


def recorded_delivery(plan: MonitoringPlan, date: str, *, s3: S3Hook) -> BatchDelivery | None:
    """Return what is recorded of one date's delivery, None where nothing is."""
    uri = delivery_uri(plan.delivery_prefix, date)
    if not object_exists(s3, uri, what=_WHAT_DELIVERY):
        return None
    document = read_json(s3, uri, what=_WHAT_DELIVERY, remedy=_REMEDY)
    return read_contract(BatchDelivery.from_mapping, document, uri)


def delivery_before(plan: MonitoringPlan, *, s3: S3Hook) -> BatchDelivery | None:
    """Return the last delivery recorded before the batch date: later days never change an earlier one."""
    dates = [date for date in _delivery_dates(plan, s3) if date < plan.batch_date]
    return recorded_delivery(plan, dates[-1], s3=s3) if dates else None


def is_delivery_followed(plan: MonitoringPlan, *, s3: S3Hook) -> bool:
    """Tell whether the delivery of a later date is recorded."""
    return any(date > plan.batch_date for date in _delivery_dates(plan, s3))


def last_judgement_before(plan: MonitoringPlan, *, s3: S3Hook) -> MonitoringDay | None:
    """Return the last day before the batch date whose batch was judged under the plan's model version."""
    earlier = [date for date in _recorded_dates(plan, s3) if date < plan.batch_date]
    return next(_judged(plan, reversed(earlier), s3), None)


def is_judgement_followed(plan: MonitoringPlan, *, s3: S3Hook) -> bool:
    """Tell whether the batch of a later date was judged under the plan's model version."""
    later = [date for date in _recorded_dates(plan, s3) if date > plan.batch_date]
    return next(_judged(plan, reversed(later), s3), None) is not None


def _judged(plan: MonitoringPlan, dates: Iterator[str], s3: S3Hook) -> Iterator[MonitoringDay]:
    for date in dates:
        day = recorded_day(plan, date, s3=s3)
        if day is not None and day.alert is not None:
            yield day


def _recorded_dates(plan: MonitoringPlan, s3: S3Hook) -> list[str]:
    return _names(s3, days_prefix(plan.monitoring_prefix), _DAY_ENDING, _WHAT_DAY)


def _delivery_dates(plan: MonitoringPlan, s3: S3Hook) -> list[str]:
    return _names(s3, deliveries_prefix(plan.delivery_prefix), _DELIVERY_ENDING, _WHAT_DELIVERY)


def _names(s3: S3Hook, folder: str, ending: str, what: str) -> list[str]:
    """Return, in order, what stands between folder and ending in the keys of all objects that have both."""
    _, prefix = s3.parse_s3_url(folder)
    keys = [str(entry["Key"]) for entry in list_objects(s3, folder, what=what)]
    return [key.removeprefix(prefix).removesuffix(ending) for key in keys if key.endswith(ending)]
