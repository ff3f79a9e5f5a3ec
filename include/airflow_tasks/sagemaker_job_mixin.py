"""How a task runs one SageMaker job: start or find it, wait for it, tell how it ended, never lose it."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, NoReturn

from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.sdk import Context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    TaskDeferralError,
    TaskDeferralTimeout,
)

from include.airflow_tasks import job_calls
from include.airflow_tasks.aws_errors import is_transient, one_line
from include.airflow_tasks.job_kinds import (
    COMPLETED,
    FINAL_STATUSES,
    IN_PROGRESS,
    Description,
    JobKind,
    deadline_epoch_seconds,
    failure_reason,
    is_invalid_input,
    job_result,
    log_console_url,
    time_limit_seconds,
)
from include.airflow_tasks.sagemaker_job_trigger import (
    OUTCOME_TIME_LIMIT,
    UNREACHABLE_LIMIT_SECONDS,
    SageMakerJobTrigger,
)
from include.data_contracts.run_plan import RunPlan
from include.sagemaker_requests.job_names import job_name

type RequestBuilder = Callable[..., dict[str, Any]]
type PlanReader = Callable[[Any], RunPlan]
# Raises where the job must not be started although everything before it went well.
type StartCheck = Callable[[Any], None]
# Turns the mapping of a task before this one into what the request builder takes.
type ResultReader = Callable[[Any], Any]

# A short outage of AWS while a task starts or ends its job is sat out in the worker.
_PATIENCE_SECONDS = 60.0
# Airflow kills a worker's task 5 s after asking it to end; accepting a stop takes SageMaker well under one.
_KILL_PATIENCE_SECONDS = 4.0
# More attempts than any number of retries needs: a loop that goes on would mean that names are broken.
_MOST_ATTEMPTS = 100
# Beyond the trigger's own deadline: only a trigger that never ran again lets this pass.
TRIGGER_SLACK = timedelta(minutes=10)
_FAST_CLIENT: dict[str, Any] = {"connect_timeout": 2, "read_timeout": 3, "retries": {"max_attempts": 1}}


class SageMakerJobMixin:
    """Start or find the run's job, wait for it in a trigger or in the worker, return its `JobResult`.

    Which job a task means follows from Airflow's own counters. `generation` is 0 at first and grows when a
    finished task is cleared; within it, attempts are walked from 0: a job that runs or has completed is the
    one, a job that failed or was stopped leads to the next, and the first free name is for a new job.
    """

    kind: ClassVar[JobKind]
    plan: Mapping[str, Any]
    upstream_results: Mapping[str, Any]
    # What the operator class beside this one brings; its types are not known to the checker.
    task_id: str
    retries: int | None
    deferrable: bool
    execution_timeout: timedelta | None
    aws_conn_id: str | None
    region_name: str | None
    verify: bool | str | None
    botocore_config: dict[str, Any] | None
    config: dict[str, Any]
    hook: Any
    log: Any
    defer: Callable[..., NoReturn]

    _job_name: str | None = None
    _killed: bool = False
    _stop_client: Any = None

    def _keep(
        self,
        stage: str,
        plan: Any,
        read_plan: PlanReader,
        build_request: RequestBuilder,
        upstream_results: Mapping[str, Any] | None,
        read_result: ResultReader,
        poll_interval_seconds: float,
        check_start: StartCheck | None,
    ) -> None:
        self.stage = stage
        self.check_start = check_start
        self.plan = plan
        self.read_plan = read_plan
        self.read_result = read_result
        self.build_request = build_request
        self.upstream_results = upstream_results or {}
        self.poll_interval_seconds = poll_interval_seconds

    # --- Airflow's entry points ------------------------------------------------------------------------
    def execute(self, context: Context) -> dict[str, Any]:
        """Start or find the job, wait for it, and return its `JobResult` as a mapping."""
        description = self._start_or_find(context)
        if self.kind.status(description) in FINAL_STATUSES:
            return self._finish(description)
        if self.deferrable:
            self._defer_until_ended(description)
        return self._finish(self._wait_in_worker(description))

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - Airflow passes it by name
        event: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Go on after the trigger has woken the task; what became of the job is asked of SageMaker."""
        if not event or "job_name" not in event:
            raise AirflowException(f"{self.task_id}: the trigger sent no job name: {event!r}")
        self._follow(str(event["job_name"]))
        description = self._patiently(partial(self._describe, str(event["job_name"])))
        if description is None:
            raise AirflowException(f"{self.task_id}: the {self.kind.name} job {self._job_name} is gone")
        if self.kind.status(description) in FINAL_STATUSES:
            return self._finish(description)
        if event.get("outcome") == OUTCOME_TIME_LIMIT:
            self._give_up(description)
        return self._defer_until_ended(description)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after a deferral; where Airflow ends it (timed out, trigger lost), leave no job behind.

        A lost trigger with retries left is no reason to stop: the next try finds the job and follows it.
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)  # type: ignore[misc]
        except TaskDeferralTimeout:
            self._stop_running_job(self._generation(context))
            raise
        except TaskDeferralError:
            if context["ti"].try_number > context["ti"].max_tries:
                self._stop_running_job(self._generation(context))
            raise

    def on_kill(self) -> None:
        """Stop the job: a person ended the task while a worker held it, or its execution_timeout passed.

        Runs in a signal handler, perhaps in the middle of a call on the ordinary client: it uses a client
        of its own and is done before Airflow loses patience. While that client is not made yet, the code
        that makes it looks at `_killed` next.
        """
        self._killed = True
        if self._job_name and self._stop_client is not None:
            job_calls.request_stop(
                self._stop_client,
                self.kind,
                self._job_name,
                patience_seconds=_KILL_PATIENCE_SECONDS,
                logger=self.log,
            )

    # --- finding or starting ---------------------------------------------------------------------------
    def _start_or_find(self, context: Context) -> Description:
        generation = self._generation(context)
        for earlier in range(generation):
            self._stop_running_job(earlier)
        for name in self._names(generation):
            existing = self._patiently(partial(self._describe, name))
            if existing is None:
                return self._create(name)
            status = self.kind.status(existing)
            if job_calls.is_following_worthwhile(self.kind, existing):
                self.log.info("Following the %s job %s of this run: it is %s.", self.kind.name, name, status)
                self._follow(name)
                return existing
            self.log.info(
                "The %s job %s of an earlier try is %s (%s); trying the next name.",
                self.kind.name,
                name,
                status,
                failure_reason(self.kind, existing),
            )
        raise AirflowFailException(f"{self.task_id}: {_MOST_ATTEMPTS} attempts at one job; start a new run")

    def _generation(self, context: Context) -> int:
        """Return how often a person has asked for the task anew, counted in tries.

        max_tries = retries when a task is first scheduled; clearing it sets tries so far + retries.
        """
        return max(0, int(context["ti"].max_tries) - (self.retries or 0))

    def _names(self, generation: int) -> list[str]:
        """Return the names of this task's possible jobs, in the order in which they are used."""
        plan = self.read_plan(self.plan)
        return [job_name(self.stage, plan, generation, attempt) for attempt in range(_MOST_ATTEMPTS)]

    def _stop_running_job(self, generation: int) -> None:
        """Stop the generation's running job, if there is one: nobody waits for it any more.

        Clearing a deferred task should stop its job through the trigger, but cannot where the triggerer is
        down at that moment. Never raises over the problem at hand.
        """
        try:
            for name in self._names(generation):
                description = self._patiently(partial(self._describe, name))
                if description is None:
                    return
                if self.kind.status(description) == IN_PROGRESS:
                    self._request_stop(name)
        except Exception as error:  # noqa: BLE001 - see the docstring
            self.log.warning("Could not look for a running job to stop: %s", one_line(error))

    def _create(self, name: str) -> Description:
        if self.check_start is not None:
            self.check_start(self.read_plan(self.plan))
        request = self._request(name)
        self.config = request
        self._job_name = name
        self.log.info("Starting the %s job %s.", self.kind.name, name)
        try:
            description = job_calls.create_job_once(
                self._client(), self.kind, request, patience_seconds=_PATIENCE_SECONDS, logger=self.log
            )
        except Exception as error:
            if self._killed:
                self._follow(name)  # SageMaker may have taken the request before the answer was lost
            if is_transient(error):
                raise AirflowException(f"{self.task_id}: AWS is out of reach: {one_line(error)}") from error
            # Refused for what it asks (quota, role, parameter): one line, and retries as configured.
            raise AirflowException(
                f"{self.task_id}: SageMaker refused the {self.kind.name} job {name}: {one_line(error)}"
            ) from None
        self._follow(name)
        self.log.info("The job's ARN is %s.", self.kind.arn(description))
        return description

    def _request(self, name: str) -> dict[str, Any]:
        results = {name: self.read_result(result) for name, result in self.upstream_results.items()}
        return self.build_request(self.read_plan(self.plan), name, **results)

    def _follow(self, name: str) -> None:
        """Note which job on_kill must stop and make its client; stop at once where the kill came before."""
        self._job_name = name
        if self._stop_client is None:
            from botocore.config import Config

            self._stop_client = self.hook.get_client_type(
                config=self.hook.config.merge(Config(**_FAST_CLIENT))
            )
        if self._killed:
            self.on_kill()
            raise AirflowException(f"{self.task_id}: ended by Airflow; job {name} was asked to stop")

    # --- waiting ---------------------------------------------------------------------------------------
    def _defer_until_ended(self, description: Description) -> NoReturn:
        limit = timedelta(seconds=time_limit_seconds(description)) + TRIGGER_SLACK
        self.defer(
            trigger=SageMakerJobTrigger(
                job_name=str(description[self.kind.name_key]),
                job_type=self.kind.name,
                waiter_delay=self.poll_interval_seconds,
                deadline_epoch_seconds=deadline_epoch_seconds(description),
                aws_conn_id=self.aws_conn_id,
                region_name=self.region_name,
                verify=self.verify,
                botocore_config=self.botocore_config,
            ),
            method_name="execute_complete",
            timeout=self.execution_timeout or limit,
        )

    def _wait_in_worker(self, description: Description) -> Description:
        """Look at the job until it has ended; holds the worker slot, so only where there is no triggerer."""
        name = str(description[self.kind.name_key])
        deadline = deadline_epoch_seconds(description)
        while self.kind.status(description) not in FINAL_STATUSES:
            if time.time() > deadline:
                self._give_up(description)
            self._sleep(self.poll_interval_seconds)
            if self._killed:
                raise AirflowException(f"{self.task_id}: ended by Airflow; job {name} was asked to stop")
            latest = job_calls.with_patience(
                partial(self._describe, name), patience_seconds=UNREACHABLE_LIMIT_SECONDS, logger=self.log
            )
            if latest is None:
                raise AirflowException(f"{self.task_id}: the {self.kind.name} job {name} is gone")
            description = latest
        return description

    def _sleep(self, seconds: float) -> None:
        """Sleep in slices, because a sleep goes on after the signal that set `_killed`."""
        end = time.monotonic() + seconds
        while not self._killed and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))

    # --- ending ----------------------------------------------------------------------------------------
    def _finish(self, description: Description) -> dict[str, Any]:
        self.serialized_job = self.serialized_training_data = dict(
            description
        )  # the provider's lineage reads it
        if self.kind.status(description) == COMPLETED:
            result = job_result(self.kind, description)
            self.log.info("Completed: %s, %.1f s.", result.job_arn, result.seconds)
            return result.to_mapping()
        return self._fail(description)

    def _fail(self, description: Description) -> NoReturn:
        name = str(description[self.kind.name_key])
        logs_hook = AwsLogsHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )
        tail = job_calls.log_tail(logs_hook.get_conn(), self.kind, name)
        if tail:
            self.log.info("The last lines of the job's log:\n%s", "\n".join(tail))
        sentence = (
            f"{self.task_id}: the {self.kind.name} job {name} {self._verb(description)}: "
            f"{failure_reason(self.kind, description)} "
            f"(log: {log_console_url(self.kind, name, self.hook.conn_region_name)})"
        )
        # Input that a person must mend ends the same way however often it is tried.
        raise (
            AirflowFailException(sentence)
            if is_invalid_input(self.kind, description)
            else AirflowException(sentence)
        )

    def _verb(self, description: Description) -> str:
        return "failed" if self.kind.status(description) == "Failed" else "was stopped"

    def _give_up(self, description: Description) -> NoReturn:
        name = str(description[self.kind.name_key])
        self._request_stop(name)
        limit = time_limit_seconds(description)
        raise AirflowException(
            f"{self.task_id}: the {self.kind.name} job {name} did not end within {limit} s "
            "(its own maximum and the start-up margin) and was asked to stop"
        )

    # --- AWS -------------------------------------------------------------------------------------------
    def _client(self) -> Any:
        return self.hook.get_conn()

    def _describe(self, name: str) -> dict[str, Any] | None:
        return job_calls.describe_job(self._client(), self.kind, name)

    def _request_stop(self, name: str) -> None:
        job_calls.request_stop(
            self._client(), self.kind, name, patience_seconds=_PATIENCE_SECONDS, logger=self.log
        )

    def _patiently[T](self, call: Callable[[], T]) -> T:
        return job_calls.with_patience(call, patience_seconds=_PATIENCE_SECONDS, logger=self.log)
