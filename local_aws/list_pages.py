"""Filters, order and paging that SageMaker's List operations share."""

import base64
from collections.abc import Callable
from typing import Any

from local_aws.api_error import validation_error

Record = dict[str, Any]
DEFAULT_PAGE = 10


def page_of(
    records: list[Record],
    parameters: dict[str, Any],
    *,
    status_of: Callable[[Record], str],
    sort_keys: dict[str, str],
) -> tuple[list[Record], str | None]:
    """Return one page and the token of the next one (None at the end).

    `sort_keys` maps the operation's SortBy values to fields of the records; newest first unless asked.
    """
    chosen = [record for record in records if _matches(record, parameters, status_of)]
    field = sort_keys.get(parameters.get("SortBy", "CreationTime"), "CreationTime")
    descending = parameters.get("SortOrder", "Descending") == "Descending"
    chosen.sort(
        key=lambda record: (record[field], record["CreationTime"], record["Name"]), reverse=descending
    )
    start = _read_token(parameters.get("NextToken"))
    end = start + parameters.get("MaxResults", DEFAULT_PAGE)
    return chosen[start:end], _token(end) if end < len(chosen) else None


def _matches(record: Record, parameters: dict[str, Any], status_of: Callable[[Record], str]) -> bool:
    wanted_status = parameters.get("StatusEquals")
    if wanted_status and status_of(record) != wanted_status:
        return False
    if parameters.get("NameContains", "").lower() not in record["Name"].lower():
        return False
    for field in ("CreationTime", "LastModifiedTime"):
        after, before = parameters.get(f"{field}After"), parameters.get(f"{field}Before")
        if after is not None and record[field] <= float(after):
            return False
        if before is not None and record[field] >= float(before):
            return False
    return True


def _token(position: int) -> str:
    return base64.b64encode(f"from:{position}".encode()).decode()


def _read_token(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True).decode().removeprefix("from:"))
    except ValueError as error:
        raise validation_error(f"The NextToken is not valid: {token}") from error
