"""Whether one Airflow component works, for docker-compose.yaml: health_check.py COMPONENT.

Importing Airflow for each look, as `airflow jobs check` does, would cost a core a tenth of its time.
"""

import json
import os
import socket
import sys
import urllib.request
from datetime import UTC, datetime

_TIMEOUT_SECONDS = 10
_SCHEDULER_PORT = 8974
# Both send a heartbeat every few seconds; the API server knows when the last one came.
_KEYS = {"dag-processor": ("dag_processor", "latest_dag_processor_heartbeat"),
         "triggerer": ("triggerer", "latest_triggerer_heartbeat")}  # fmt: skip
_LONGEST_SILENCE_SECONDS = 60


def main(component: str) -> int:
    """Return 0 when the component works."""
    if component == "api-server":
        return _is_answer_good(f"{_api_url()}/api/v2/version")
    if component == "scheduler":
        return _is_answer_good(f"http://127.0.0.1:{_SCHEDULER_PORT}/health")
    if component == "worker":
        return _ping_worker()
    return _check_heartbeat(component)


def _api_url() -> str:
    return os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].removesuffix("/execution/")


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
        return bytes(answer.read())


def _is_answer_good(url: str) -> int:
    _read(url)  # a status of 400 or more raises
    return 0


def _check_heartbeat(component: str) -> int:
    name, key = _KEYS[component]
    health = json.loads(_read(f"{_api_url()}/api/v2/monitor/health"))[name]
    beat = datetime.fromisoformat(health[key])
    silence = (datetime.now(UTC) - beat).total_seconds()
    print(f"{component}: {health['status']}, last heartbeat {silence:.0f} s ago")
    return 0 if health["status"] == "healthy" and silence < _LONGEST_SILENCE_SECONDS else 1


def _ping_worker() -> int:
    """Ask the worker itself, over the broker, as `celery inspect ping` does."""
    from celery import Celery

    name = f"celery@{socket.gethostname()}"
    celery = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"])
    answers = celery.control.ping(destination=[name], timeout=_TIMEOUT_SECONDS, limit=1)
    print(f"{name}: {answers or 'no answer'}")
    return 0 if answers else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
