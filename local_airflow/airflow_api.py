"""The few calls of Airflow's public REST API (v2) that the laptop commands need."""

import time
from typing import Any
from urllib.parse import quote

import httpx

from local_airflow.stack_settings import ADMIN_USER, StackError, StackSettings, load_secrets

_TIMEOUT_SECONDS = 30.0
_PAGE = 100
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
_BACKFILL_ATTEMPTS = 30


class AirflowApi:
    """A logged-in client; every error is one line with Airflow's own words.

    None or an empty list means that Airflow knows no such thing (404), never that it could not be asked.
    """

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self._client = httpx.Client(base_url=settings.airflow_url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def is_healthy(self, components: tuple[str, ...]) -> bool:
        """Whether the API answers and each named component sends heartbeats."""
        try:
            health = self._client.get("/api/v2/monitor/health", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(health.get(name, {}).get("status") == "healthy" for name in ("metadatabase", *components))

    def log_in(self) -> None:
        """Fetch a token for the laptop's administrator."""
        password = load_secrets(self._settings)["admin_password"]
        account = {"username": ADMIN_USER, "password": password}
        answer = self._send("POST", "/auth/token", is_repeatable=True, json=account)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise StackError(
                f"another Airflow answers at {self._settings.airflow_url}; end it, or choose another port "
                f"with AIRFLOW_PORT={self._settings.airflow_port + 10}"
            )
        if answer.is_error:
            raise StackError(f"Airflow refused the login: {_reason(answer)}")
        self._client.headers["Authorization"] = f"Bearer {_content(answer)['access_token']}"

    def find_dag(self, dag_id: str) -> dict[str, Any] | None:
        """Facts of a DAG, or None as long as it has not been parsed."""
        return self._find(f"/api/v2/dags/{dag_id}")

    def import_errors(self) -> list[str]:
        """Last line of each DAG file's import error."""
        found = self._request("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{entry['filename']}: {entry['stack_trace'].strip().splitlines()[-1]}" for entry in found]

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> dict[str, Any]:
        """Start a run with conf; Airflow refuses values that the Params' schemas do not allow."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        return self._request("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)

    def unfinished_runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Runs that are queued or running, oldest first."""
        query = {"state": ["queued", "running"], "order_by": "run_after"}
        return list(self._request("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=query)["dag_runs"])

    def create_backfill(self, dag_id: str, from_date: str, to_date: str, conf: dict[str, Any]) -> int:
        """Run a DAG for every logical date of a span, ends included, one after the other; returns the id.

        A date that has run before runs anew. The same as `airflow backfill create --max-active-runs 1
        --reprocess-behavior completed`.

        SQLite refuses it when the scheduler writes meanwhile, so the DAG pauses until all runs are there.
        """
        body = {
            "dag_id": dag_id,
            "from_date": f"{from_date}T00:00:00Z",
            "to_date": f"{to_date}T00:00:00Z",
            "dag_run_conf": conf,
            "reprocess_behavior": "completed",
            "max_active_runs": 1,
        }
        self._pause(dag_id, is_paused=True)
        try:
            return int(
                self._request("POST", "/api/v2/backfills", attempts=_BACKFILL_ATTEMPTS, json=body)["id"]
            )
        finally:
            self._pause(dag_id, is_paused=False)

    def runs_between(self, dag_id: str, from_date: str, to_date: str) -> list[dict[str, Any]]:
        """Runs whose logical date lies in the span, in order of it."""
        query = {
            "logical_date_gte": f"{from_date}T00:00:00Z",
            "logical_date_lte": f"{to_date}T00:00:00Z",
            "order_by": "logical_date",
            "limit": _PAGE,
        }
        runs: list[dict[str, Any]] = []
        while True:
            page = self._request(
                "GET", f"/api/v2/dags/{dag_id}/dagRuns", params={**query, "offset": len(runs)}
            )
            runs += page["dag_runs"]
            if len(runs) >= page["total_entries"] or not page["dag_runs"]:
                return runs

    def get_run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """State, note and times of one run."""
        return self._request("GET", f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")

    def get_task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """State and times of every task of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return list(self._request("GET", path)["task_instances"])

    def get_xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Value a task returned, or None when it returned nothing."""
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries/{key}"
        entry = self._find(path, params={"deserialize": "false"})
        return entry["value"] if entry else None

    def get_log_lines(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[dict[str, Any]]:
        """Structured log of one try of a task."""
        path = f"{_task_path(dag_id, run_id, task_id)}/logs/{try_number}"
        log = self._find(path, headers={"Accept": "application/json"}) or {}
        return [line for line in log.get("content", []) if isinstance(line, dict)]

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Mark a task as a person does in the UI ("success" or "failed")."""
        self._request("PATCH", _task_path(dag_id, run_id, task_id), json={"new_state": state})

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear a task and everything after it, as a person does in the UI."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": [task_id],
            "include_downstream": True,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self._request("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", json=body)

    def _pause(self, dag_id: str, *, is_paused: bool) -> None:
        self._request("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": is_paused})

    def _request(
        self, method: str, path: str, *, attempts: int = _ATTEMPTS, **arguments: Any
    ) -> dict[str, Any]:
        answer = self._send(method, path, attempts=attempts, is_repeatable=method == "GET", **arguments)
        if answer.is_error:
            raise StackError(f"Airflow refused the request: {_reason(answer)}")
        return _content(answer)

    def _find(self, path: str, **arguments: Any) -> dict[str, Any] | None:
        answer = self._send("GET", path, is_repeatable=True, **arguments)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise StackError(f"Airflow refused the request: {_reason(answer)}")
        return _content(answer)

    def _send(
        self, method: str, path: str, *, is_repeatable: bool, attempts: int = _ATTEMPTS, **arguments: Any
    ) -> httpx.Response:
        """Return Airflow's answer, the last one when it kept failing (5xx).

        Raises StackError when none comes; a request that must not be sent twice is not repeated then.
        """
        for left in reversed(range(attempts)):
            try:
                answer = self._client.request(method, path, **arguments)
            except httpx.HTTPError as error:
                if left == 0 or not is_repeatable:
                    cause = str(error) or type(error).__name__
                    raise StackError(f"Airflow does not answer {method} {path}: {cause}") from error
            else:
                if left == 0 or not answer.is_server_error:
                    return answer
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError("at least one attempt is made")


def _task_path(dag_id: str, run_id: str, task_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}"


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(answer.json())
    except ValueError as error:
        raise StackError(
            f"{answer.request.url} does not answer like Airflow: {answer.text.strip()[:100]!r}"
        ) from error


def _reason(answer: httpx.Response) -> str:
    try:
        detail = answer.json().get("detail", answer.text)
    except ValueError:
        detail = answer.text
    return " ".join(str(detail).split())[:600]
