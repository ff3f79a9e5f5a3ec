"""Outages on demand: a named service refuses its requests for a while, as AWS does on a bad day.

`PUT /_local_aws/faults/sns` with `{"status": 503, "requests": 4}` begins one (both may be left out; without
`requests` it lasts until it is ended), `DELETE` on the same path ends it, `GET /_local_aws/faults` tells what
is refused and how often it was. `operation` keeps it to one operation; with `carried_out` the request does
its work and only the answer is lost. Nothing of it survives a restart.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

PATH = "/_local_aws/faults"
_SERVICE = re.compile(rf"{PATH}/([a-z][a-z0-9-]*)")
_OPERATION = re.compile(r"[A-Z][A-Za-z0-9]*")
_MOST_REQUESTS = 1_000_000


@dataclass(frozen=True)
class Fault:
    """One outage; `requests` None lasts until it is ended, `operation` None concerns every request.

    `carried_out` tells when the connection breaks: after the request has done its work instead of before.
    """

    status: int = 503
    requests: int | None = None
    operation: str | None = None
    carried_out: bool = False
    refused: int = 0

    @property
    def is_over(self) -> bool:
        """Whether every request it was made for has been refused."""
        return self.requests is not None and self.refused >= self.requests


class ServiceFaults:
    """Which services are out, by the name in a request's signature."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def fault_of(self, service: str, read_operation: Callable[[], str]) -> Fault | None:
        """Count one request to the service; the outage that refuses it, or None when it is to be answered.

        `read_operation` is called only where an outage asks for the operation.
        """
        with self._lock:
            fault = self._faults.get(service)
            if fault is None or fault.is_over:
                return None
            if fault.operation is not None and fault.operation != read_operation():
                return None
            self._faults[service] = replace(fault, refused=fault.refused + 1)
            return fault

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, object]]:
        """Answer one request to the control address: HTTP status and JSON content."""
        named = _SERVICE.fullmatch(path)
        if method == "GET" and path == PATH:
            with self._lock:
                return 200, {name: asdict(fault) for name, fault in self._faults.items()}
        if named is None or method not in {"PUT", "DELETE"}:
            return 404, {"message": f"ask GET {PATH}, or PUT or DELETE {PATH}/SERVICE, e.g. {PATH}/sns"}
        with self._lock:
            ended = self._faults.pop(named.group(1), None)
            if method == "DELETE":
                return 200, {"refused": ended.refused if ended else 0}
        try:
            fault = _read_fault(named.group(1), body)
        except ValueError as error:
            return 400, {"message": str(error)}
        with self._lock:
            self._faults[named.group(1)] = fault
        return 200, asdict(fault)


def _read_fault(service: str, body: bytes) -> Fault:
    given = json.loads(body or b"{}")
    if not isinstance(given, dict) or not given.keys() <= {"status", "requests", "operation", "carried_out"}:
        raise ValueError(
            'a fault is an object like {"status": 503, "requests": 4, "operation": "Publish", '
            '"carried_out": true}; each may be left out'
        )
    fault = Fault(**given)
    if not isinstance(fault.status, int) or not 500 <= fault.status <= 599:
        raise ValueError(f"status {fault.status!r} is not an HTTP status from 500 to 599")
    if fault.requests is not None and (
        not isinstance(fault.requests, int) or not 1 <= fault.requests <= _MOST_REQUESTS
    ):
        raise ValueError(f"requests {fault.requests!r} is not a whole number from 1 to {_MOST_REQUESTS}")
    if fault.operation is not None and service == "s3":
        raise ValueError("requests to s3 do not name their operation; leave it out")
    if fault.operation is not None and not _OPERATION.fullmatch(str(fault.operation)):
        raise ValueError(f"operation {fault.operation!r} is not a name like CreateModelPackage")
    if fault.carried_out not in (True, False):
        raise ValueError(f"carried_out {fault.carried_out!r} is neither true nor false")
    return fault
