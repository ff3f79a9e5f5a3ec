"""CloudWatch Logs for the log groups of SageMaker jobs, read from the jobs' log files."""

import base64
import json
import re
from typing import Any

from local_aws import ACCOUNT_ID, job_records
from local_aws.api_error import ApiError
from local_aws.job_logs import LOG_GROUPS, JobLog, JobLogs, LogEvent
from local_aws.job_records import Record
from local_aws.request_validation import check_request
from local_aws.state_store import StateStore

Parameters = dict[str, Any]
KIND_OF_GROUP = {group: kind for kind, group in LOG_GROUPS.items()}
READ_OPERATIONS = ("DescribeLogStreams", "GetLogEvents", "FilterLogEvents")
MOST_EVENTS = 10_000
MOST_BYTES = 1024 * 1024  # of messages in one answer, CloudWatch's limit


class LogsService:
    """Answers reads of the two job log groups; every other log group is moto's."""

    def __init__(self, state: StateStore, logs: JobLogs):
        self._state = state
        self._logs = logs

    def answers(self, operation: str, body: bytes) -> bool:
        """Say whether a request reads one of the job log groups."""
        return operation in READ_OPERATIONS and _group_of(body) in KIND_OF_GROUP

    def handle(self, operation: str, region: str, body: bytes) -> Parameters:
        """Answer one request; raises ApiError."""
        parameters = json.loads(body)
        check_request("logs", operation, parameters)
        kind = KIND_OF_GROUP[_group_of(body)]
        if operation == "DescribeLogStreams":
            return self._describe_streams(kind, region, parameters)
        if operation == "GetLogEvents":
            return self._get_events(kind, region, parameters)
        return self._filter_events(kind, region, parameters)

    def groups(self, region: str, prefix: str) -> list[Parameters]:
        """Return the job log groups that exist, for DescribeLogGroups."""
        described = []
        for kind, group in LOG_GROUPS.items():
            records = (
                self._state.all(job_records.collection(kind, region)) if group.startswith(prefix) else []
            )
            if records:
                arn = f"arn:aws:logs:{region}:{ACCOUNT_ID}:log-group:{group}:*"
                created = int(records[0]["CreationTime"] * 1000)
                described.append(
                    {"logGroupName": group, "arn": arn, "creationTime": created, "storedBytes": 0}
                )
        return described

    def _log(self, record: Record) -> JobLog:
        return self._logs.log(record["Kind"], record["Region"], record["Name"])

    def _describe_streams(self, kind: str, region: str, parameters: Parameters) -> Parameters:
        prefix = parameters.get("logStreamNamePrefix", "")
        records = [
            record
            for record in self._state.all(job_records.collection(kind, region))
            if stream_name(record).startswith(prefix) and self._log(record).size_bytes()
        ]
        by_time = parameters.get("orderBy") == "LastEventTime"
        records.sort(
            key=lambda record: record["LastModifiedTime"] if by_time else stream_name(record),
            reverse=parameters.get("descending", False),
        )
        start = int(parameters.get("nextToken", 0))
        end = start + parameters.get("limit", 50)
        result: Parameters = {"logStreams": [self._stream(record) for record in records[start:end]]}
        return {**result, "nextToken": str(end)} if end < len(records) else result

    def _stream(self, record: Record) -> Parameters:
        log = self._log(record)
        name = stream_name(record)
        group = LOG_GROUPS[record["Kind"]]
        first = next(log.events(), None)
        modified_ms = int(log.path.stat().st_mtime * 1000)
        described = {
            "logStreamName": name,
            "arn": f"arn:aws:logs:{record['Region']}:{ACCOUNT_ID}:log-group:{group}:log-stream:{name}",
            "creationTime": int(record["CreationTime"] * 1000),
            "lastEventTimestamp": modified_ms,
            "lastIngestionTime": modified_ms,
            "storedBytes": 0,
            "uploadSequenceToken": str(log.size_bytes()),
        }
        return {**described, "firstEventTimestamp": first.timestamp_ms} if first else described

    def _get_events(self, kind: str, region: str, parameters: Parameters) -> Parameters:
        wanted = parameters["logStreamName"]
        name = wanted.partition("/")[0]
        record = self._state.get(job_records.collection(kind, region), name)
        if record is None or stream_name(record) != wanted or not self._log(record).size_bytes():
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        log = self._log(record)
        limit = parameters.get("limit", MOST_EVENTS)
        direction, position = _read_token(parameters.get("nextToken"))
        if direction == "b" or (direction is None and not parameters.get("startFromHead", False)):
            before = log.size_bytes() if direction is None else position
            events = [event for event in log.events() if event.end <= before and _in_time(event, parameters)]
            chosen = _last_page(events, limit)
            empty_start = empty_end = before
        else:
            chosen = _first_page(
                (event for event in log.events(position) if _in_time(event, parameters)), limit
            )
            empty_start = empty_end = position
        return {
            "events": [_event(event) for event in chosen],
            "nextForwardToken": f"f/{chosen[-1].end if chosen else empty_end:056d}",
            "nextBackwardToken": f"b/{chosen[0].start if chosen else empty_start:056d}",
        }

    def _filter_events(self, kind: str, region: str, parameters: Parameters) -> Parameters:
        """Search the streams of a group; the pattern is words or quoted phrases, all of them needed."""
        names = parameters.get("logStreamNames")
        prefix = parameters.get("logStreamNamePrefix", "")
        words = _words(parameters.get("filterPattern", ""))
        skip, limit = int(_decoded(parameters.get("nextToken")) or 0), parameters.get("limit", MOST_EVENTS)
        found = []
        for record in self._state.all(job_records.collection(kind, region)):
            stream = stream_name(record)
            if (names is not None and stream not in names) or not stream.startswith(prefix):
                continue
            found += [
                {**_event(event), "logStreamName": stream, "eventId": f"{stream}:{event.start}"}
                for event in self._log(record).events()
                if _in_time(event, parameters) and all(word in event.message for word in words)
            ]
        found.sort(key=lambda event: event["timestamp"])
        page: Parameters = {"events": found[skip : skip + limit], "searchedLogStreams": []}
        if skip + limit < len(found):
            page["nextToken"] = base64.b64encode(str(skip + limit).encode()).decode()
        return page


def stream_name(record: Record) -> str:
    """Return the name of a job's log stream, `<job>/algo-1-<seconds>`."""
    return f"{record['Name']}/algo-1-{int(record['CreationTime'])}"


def _group_of(body: bytes) -> str:
    try:
        parameters = json.loads(body)
        named = parameters.get("logGroupName") or parameters.get("logGroupIdentifier") or ""
        return str(named).removesuffix(":*").rpartition("log-group:")[2]
    except (ValueError, AttributeError):
        return ""


def _in_time(event: LogEvent, parameters: Parameters) -> bool:
    start, end = parameters.get("startTime"), parameters.get("endTime")
    return (start is None or event.timestamp_ms >= start) and (end is None or event.timestamp_ms < end)


def _first_page(events: Any, limit: int) -> list[LogEvent]:
    chosen: list[LogEvent] = []
    size = 0
    for event in events:
        size += event.end - event.start
        if len(chosen) >= limit or (chosen and size > MOST_BYTES):
            break
        chosen.append(event)
    return chosen


def _last_page(events: list[LogEvent], limit: int) -> list[LogEvent]:
    return _first_page(reversed(events), limit)[::-1]


def _read_token(token: str | None) -> tuple[str | None, int]:
    if not token:
        return None, 0
    match = re.fullmatch(r"([fb])/(\d+)", token)
    if not match:
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
    return match.group(1), int(match.group(2))


def _decoded(token: str | None) -> str | None:
    return base64.b64decode(token).decode() if token else None


def _words(pattern: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', pattern)]


def _event(event: LogEvent) -> Parameters:
    return {"timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.timestamp_ms}
