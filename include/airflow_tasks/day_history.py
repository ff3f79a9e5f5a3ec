"""The days recorded so far for one model version, read back from S3."""

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.s3_documents import explain, object_exists, read_json
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.monitoring_day import MonitoringDay
from include.data_contracts.monitoring_plan import MonitoringPlan
from include.settings.s3_layout import day_record_uri, days_prefix

_WHAT = "the record of a monitored day"
_REMEDY = "clear the run of that day"


def recorded_day(plan: MonitoringPlan, date: str, *, s3: S3Hook) -> MonitoringDay | None:
    """Return what is recorded for one date, None where nothing is."""
    uri = day_record_uri(plan.monitoring_prefix, date)
    if not object_exists(s3, uri, what=_WHAT):
        return None
    try:
        return MonitoringDay.from_mapping(read_json(s3, uri, what=_WHAT, remedy=_REMEDY), uri)
    except ContractError as error:
        raise AirflowFailException(f"{error}; {_REMEDY}") from None


def day_before(plan: MonitoringPlan, *, s3: S3Hook) -> MonitoringDay | None:
    """Return the last recorded day before the plan's batch date: later days never change an earlier one."""
    uri = days_prefix(plan.monitoring_prefix)
    bucket, prefix = s3.parse_s3_url(uri)
    try:
        pages = (
            s3.get_conn()
            .get_paginator("list_objects_v2")
            .paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        )
        folders = [str(entry["Prefix"]) for page in pages for entry in page.get("CommonPrefixes", [])]
    except Exception as error:
        raise explain(error, uri=uri, what=_WHAT, remedy="check the bucket's name and policy") from error
    dates = sorted(folder.removeprefix(prefix).rstrip("/") for folder in folders)
    for date in reversed([date for date in dates if date < plan.batch_date]):
        if (day := recorded_day(plan, date, s3=s3)) is not None:
            return day
    return None
