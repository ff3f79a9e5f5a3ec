"""The MWAA environment: its state, its update, and waiting for it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.deployment.artifact_store import FileVersion
from scripts.deployment.errors import DeploymentError, TargetError

KINDS = ("plugins", "requirements", "startup")
# The field names of MWAA's API, path and object version of each kind.
_FIELDS = {
    "plugins": ("PluginsS3Path", "PluginsS3ObjectVersion"),
    "requirements": ("RequirementsS3Path", "RequirementsS3ObjectVersion"),
    "startup": ("StartupScriptS3Path", "StartupScriptS3ObjectVersion"),
}
_BUSY = frozenset({"CREATING", "UPDATING", "ROLLING_BACK", "CREATING_SNAPSHOT", "PENDING", "MAINTENANCE"})
_USABLE = frozenset({"AVAILABLE", "UPDATE_FAILED"})


@dataclass(frozen=True)
class EnvironmentState:
    """What GetEnvironment tells, as far as a deployment needs it; `code` maps kind to (key, version id)."""

    status: str
    airflow_version: str
    source_bucket_arn: str
    dags_path: str
    code: Mapping[str, tuple[str | None, str | None]]
    last_update_status: str | None
    last_update_at: Any
    last_error: str | None

    @property
    def is_busy(self) -> bool:
        """Tell whether MWAA is at work and takes no update."""
        return self.status in _BUSY

    def runs(self, wanted: Mapping[str, FileVersion]) -> bool:
        """Tell whether the environment points at exactly these versions."""
        return all(self.code[kind] == (file.key, file.version_id) for kind, file in wanted.items())


@dataclass(frozen=True)
class Waiting:
    """How often to look and how long to wait, in seconds; `sleep` and `now` are a test's to replace."""

    poll_seconds: float = 30.0
    # An update of an environment takes 10 to 30 minutes, one that MWAA rolls back an hour and more.
    update_seconds: float = 7200.0
    # A new DAG file is read within [dag_processor] refresh_interval, 300 s, and then has to be parsed.
    verify_seconds: float = 1200.0
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


class AirflowEnvironment:
    """One environment through a boto3 MWAA client, whose errors pass through."""

    def __init__(self, mwaa: Any, name: str, waiting: Waiting, tell: Callable[[str], None]) -> None:
        self._mwaa = mwaa
        self.name = name
        self._waiting = waiting
        self._tell = tell

    def read(self) -> EnvironmentState:
        """Ask MWAA for the state."""
        environment = self._mwaa.get_environment(Name=self.name)["Environment"]
        update = environment.get("LastUpdate") or {}
        error = update.get("Error") or {}
        code = {
            kind: (environment.get(path), environment.get(version))
            for kind, (path, version) in _FIELDS.items()
        }
        return EnvironmentState(
            status=environment["Status"],
            airflow_version=environment["AirflowVersion"],
            source_bucket_arn=environment.get("SourceBucketArn", ""),
            dags_path=environment.get("DagS3Path", "").strip("/"),
            code=code,
            last_update_status=update.get("Status"),
            last_update_at=update.get("CreatedAt"),
            last_error=": ".join(str(part) for part in error.values()) or None,
        )

    def read_when_idle(self) -> EnvironmentState:
        """Wait until MWAA is done with whatever it does; raises TargetError when it can take no update."""
        state = self._poll(lambda state: not state.is_busy, "is not done")
        if state.status not in _USABLE:
            raise TargetError(
                f"environment {self.name} is {state.status} and takes no update; look into the MWAA console"
            )
        return state

    def update(self, wanted: Mapping[str, FileVersion], before: EnvironmentState) -> None:
        """Point the environment at these versions and wait until it runs them; raises DeploymentError."""
        fields = {}
        for kind, file in wanted.items():
            path, version = _FIELDS[kind]
            fields |= {path: file.key, version: file.version_id}
        self._mwaa.update_environment(Name=self.name, **fields)
        self._tell(f"environment {self.name} is being updated; MWAA takes 10 to 30 minutes")

        def is_over(state: EnvironmentState) -> bool:
            if state.is_busy:
                return False
            # Right after the call MWAA may still tell of the time before it.
            is_new = (state.status, state.last_update_at) != (before.status, before.last_update_at)
            has_failed = state.status != "AVAILABLE" or state.last_update_status == "FAILED"
            if has_failed and is_new:
                reason = state.last_error or "no reason given"
                raise DeploymentError(
                    f"MWAA could not update {self.name} ({state.status}, {reason}); no DAG was changed. Read "
                    "the startup and requirements logs in CloudWatch, mend the bundle and deploy again, or "
                    "`make deploy` with ROLLBACK=1"
                )
            return not has_failed and state.runs(wanted)

        self._poll(is_over, "does not run the new versions")

    def _poll(self, is_over: Callable[[EnvironmentState], bool], complaint: str) -> EnvironmentState:
        """Look until it is over; tells every change of status; raises DeploymentError when time is up."""
        began, told = self._waiting.now(), ""
        while True:
            state = self.read()
            if is_over(state):
                return state
            if state.status != told:
                told = state.status
                self._tell(f"environment {self.name}: {told}")
            if self._waiting.now() - began > self._waiting.update_seconds:
                raise DeploymentError(
                    f"environment {self.name} {complaint} after {self._waiting.update_seconds:.0f} s "
                    f"({state.status}); run the same command again to go on"
                )
            self._waiting.sleep(self._waiting.poll_seconds)
