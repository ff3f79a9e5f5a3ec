"""Sees over the MWAA REST API that the deployed code is what Airflow runs."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment.airflow_environment import Waiting
from scripts.deployment.errors import DeploymentError

# What Airflow itself answers, as opposed to what AWS answers about the caller.
_AIRFLOW_ERRORS = frozenset({"RestApiClientException", "RestApiServerException"})
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class AirflowRestApi:
    """Airflow's REST API behind MWAA's InvokeRestApi."""

    def __init__(self, mwaa: Any, environment_name: str) -> None:
        self._mwaa = mwaa
        self._name = environment_name

    def get(self, path: str) -> tuple[int, Mapping[str, Any]]:
        """Return status and answer of one GET; a refusal by AWS itself passes through."""
        try:
            answer = self._mwaa.invoke_rest_api(Name=self._name, Path=path, Method="GET")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _AIRFLOW_ERRORS:
                raise
            answer = error.response
        content = answer.get("RestApiResponse")
        return int(answer["RestApiStatusCode"]), content if isinstance(content, Mapping) else {}


def verify(
    api: AirflowRestApi,
    airflow_version: str,
    dags: Mapping[str, str],
    waiting: Waiting,
    tell: Callable[[str], None],
) -> None:
    """Wait until Airflow is healthy and runs these DAG files (DAG id → sha256); raises DeploymentError."""
    began, told = waiting.now(), ""
    while True:
        problem = find_problem(api, airflow_version, dags)
        if problem is None:
            tell(f"verified: Airflow {airflow_version} is healthy and runs {', '.join(dags)} as deployed")
            return
        if problem != told:
            told = problem
            tell(f"not yet: {problem}")
        if waiting.now() - began > waiting.verify_seconds:
            raise DeploymentError(
                f"after {waiting.verify_seconds:.0f} s {problem}; the new code is in place: look into "
                "Airflow's logs, then deploy a mended bundle, or `make deploy` with ROLLBACK=1"
            )
        waiting.sleep(waiting.poll_seconds)


def find_problem(api: AirflowRestApi, airflow_version: str, dags: Mapping[str, str]) -> str | None:
    """Return the first thing that is not as deployed, or None."""
    for look in (
        lambda: _version_problem(api, airflow_version),
        lambda: _health_problem(api),
        lambda: _import_problem(api, "/plugins/importErrors", "source", "error", "plugin"),
        lambda: _import_problem(api, "/importErrors", "filename", "stack_trace", "DAG file"),
        lambda: _dag_problem(api, dags),
    ):
        problem = look()
        if problem:
            return problem
    return None


def _version_problem(api: AirflowRestApi, airflow_version: str) -> str | None:
    status, answer = api.get("/version")
    found = str(answer.get("version", f"no answer, status {status}"))
    return None if found == airflow_version else f"Airflow's version is {found}, not {airflow_version}"


def _health_problem(api: AirflowRestApi) -> str | None:
    status, answer = api.get("/monitor/health")
    if status != 200:
        return f"Airflow's health page answers with status {status}"
    states = {name: (answer.get(name) or {}).get("status") for name in _COMPONENTS}
    sick = [f"{name} is {state or 'not running'}" for name, state in states.items() if state != "healthy"]
    return f"Airflow is not healthy: {', '.join(sick)}" if sick else None


def _import_problem(api: AirflowRestApi, path: str, name: str, text: str, what: str) -> str | None:
    status, answer = api.get(path)
    if status != 200:
        return f"Airflow answers {path} with status {status}"
    errors = answer.get("import_errors") or []
    if not errors:
        return None
    last = (str(errors[0].get(text, "")).strip().splitlines() or ["no reason given"])[-1]
    return f"{what} {errors[0].get(name)} cannot be imported: {last[:200]}"


def _dag_problem(api: AirflowRestApi, dags: Mapping[str, str]) -> str | None:
    for dag_id, sha256 in dags.items():
        status, answer = api.get(f"/dags/{dag_id}")
        if status != 200:
            return f"Airflow does not have the DAG {dag_id} (status {status})"
        if answer.get("is_stale"):
            return f"the DAG {dag_id} is stale: its file has not been read again"
        # The DAG's source as Airflow keeps it: the proof that the very file of the bundle was parsed.
        status, answer = api.get(f"/dagSources/{dag_id}")
        found = hashlib.sha256(str(answer.get("content", "")).encode()).hexdigest()
        if status != 200 or found != sha256:
            return f"Airflow still runs another version of the DAG {dag_id}"
    return None
