"""What the publishing tasks share: the day's report and markers in S3, and what a refusal of AWS means."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks.aws_errors import code_and_message, is_transient, one_line
from include.airflow_tasks.s3_documents import object_exists, read_json, write_json_version
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.monitoring_day import MonitoringDay

_FORBIDDEN_CODES = frozenset(
    {"AuthorizationError", "AuthorizationErrorException", "AccessDenied", "AccessDeniedException",
     "UnauthorizedOperation", "InvalidSecurity", "KMSAccessDenied", "KMSAccessDeniedException", "403"}
)  # fmt: skip
_PASSING_CODES = frozenset({"KMSThrottling", "KMSThrottlingException", "LimitExceededException"})


def read_report(day: MonitoringDay, *, s3: S3Hook) -> DriftReportSummary | None:
    """Return the day's drift report, None for a day without a batch; raises AirflowFailException."""
    uri = day.report_json_uri
    if uri is None:
        return None
    document = read_json(s3, uri, what="the drift report", remedy="run the day again")
    return read_contract(DriftReportSummary.from_mapping, document, uri)


def read_contract[Contract](
    read: Callable[[object, str], Contract], document: object, place: str
) -> Contract:
    """Return a document as its contract; a breach is one line that no retry mends."""
    try:
        return read(document, place)
    except ContractError as error:
        raise AirflowFailException(str(error)) from None


def read_marker[Marker](
    s3: S3Hook, uri: str, read: Callable[[object, str], Marker], *, what: str
) -> Marker | None:
    """Return a marker, None where there is none."""
    if not object_exists(s3, uri, what=what):
        return None
    remedy = "delete it to have the day published again"
    return read_contract(read, read_json(s3, uri, what=what, remedy=remedy), uri)


def create_json(s3: S3Hook, uri: str, document: Mapping[str, Any], *, what: str) -> bool:
    """Write a JSON object unless there is one; tell whether it was written. Two at once: one of them wins."""
    return write_json_version(s3, uri, document, None, what=what)


def refused(error: Exception, what: str, *, permission: str, remedies: Mapping[str, str]) -> AirflowException:
    """Turn an error of SNS or CloudWatch into one line: retried when it passes by itself, else final.

    `permission` is what a denied caller needs; `remedies` says per error code what to do.
    """
    if isinstance(error, AirflowException):
        return error
    code, _ = code_and_message(error)
    if is_transient(error) or code in _PASSING_CODES:
        return AirflowException(f"{what}: AWS cannot be reached: {one_line(error)}")
    if code in _FORBIDDEN_CODES:
        return AirflowFailException(f"{what} is denied: grant {permission} ({one_line(error)})")
    remedy = remedies.get(code, "correct it and clear this task")
    return AirflowFailException(f"{what} was refused: {one_line(error)}; {remedy}")


def now_text() -> str:
    """Return the present as ISO 8601, for markers."""
    return datetime.now(UTC).isoformat(timespec="seconds")
