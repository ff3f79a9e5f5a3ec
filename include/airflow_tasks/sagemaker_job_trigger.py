"""The trigger that waits for a SageMaker job in the triggerer, without holding a worker slot."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.triggers.base import TriggerEvent

from include.airflow_tasks.aws_errors import is_transient, one_line
from include.airflow_tasks.job_calls import describe_job, request_stop
from include.airflow_tasks.job_kinds import FINAL_STATUSES, JOB_KINDS

# How long AWS may be out of reach before waiting becomes pointless; the job itself is left alone then.
UNREACHABLE_LIMIT_SECONDS = 900
# Airflow gives on_kill 30 s ([triggerer] on_kill_timeout); both parts together stay below that.
_STOP_PATIENCE_SECONDS = 20
_ASK_STATE_SECONDS = 5

OUTCOME_ENDED = "ended"
OUTCOME_TIME_LIMIT = "time_limit"
OUTCOME_UNREACHABLE = "unreachable"


class SageMakerJobTrigger(SageMakerTrigger):  # type: ignore[misc]
    """Wait until a job has ended, its deadline has passed, or AWS has been out of reach for too long.

    Differs from the provider's trigger: everything needed to reach AWS is serialised (connection, region,
    certificate check, botocore's configuration); the deadline is a moment, so a restarted triggerer does
    not begin to count anew; errors that pass are sat out; a person's action on the task stops the job. The
    event only wakes the task: what became of the job the operator reads from SageMaker itself. Calls run in
    threads with the ordinary client: a look every half minute is no reason to depend on aiobotocore.

    `deadline_epoch_seconds` is in seconds since 1970; `waiter_delay` in seconds between two looks.
    """

    def __init__(
        self,
        *,
        job_name: str,
        job_type: str,
        waiter_delay: float,
        deadline_epoch_seconds: float,
        aws_conn_id: str | None,
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            job_name=job_name,
            job_type=job_type,
            waiter_delay=waiter_delay,  # type: ignore[arg-type,unused-ignore]  # the provider says int
            aws_conn_id=aws_conn_id,
            region_name=region_name,
            verify=verify,
            botocore_config=botocore_config,
        )
        self.deadline_epoch_seconds = deadline_epoch_seconds
        self.kind = JOB_KINDS[job_type]  # type: ignore[index,unused-ignore]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and every argument, those that are None or False included."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "job_name": self.job_name,
                "job_type": self.job_type,
                "waiter_delay": self.waiter_delay,
                "deadline_epoch_seconds": self.deadline_epoch_seconds,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "verify": self.verify,
                "botocore_config": self.botocore_config,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, `{job_name, outcome, message}`, when there is something for the task to do."""
        outcome, message = await self._wait()
        yield TriggerEvent({"job_name": self.job_name, "outcome": outcome, "message": message})

    async def _wait(self) -> tuple[str, str]:
        unreachable_since: float | None = None
        client = await asyncio.to_thread(self._client)
        while True:
            # The operator has just looked when it defers, so the first look comes one interval later.
            await asyncio.sleep(self.waiter_delay)
            try:
                description = await asyncio.to_thread(describe_job, client, self.kind, self.job_name)
            except Exception as error:
                if not is_transient(error):
                    raise
                unreachable_since = unreachable_since or time.monotonic()
                self.log.warning("AWS did not answer, waiting on: %s", one_line(error))
                if time.monotonic() - unreachable_since > UNREACHABLE_LIMIT_SECONDS:
                    return OUTCOME_UNREACHABLE, one_line(error)
                continue
            unreachable_since = None
            status = self.kind.status(description) if description else "gone"
            if status in FINAL_STATUSES or description is None:
                return OUTCOME_ENDED, status
            self.log.info("The %s job %s is %s.", self.kind.name, self.job_name, status)
            # A wall clock on purpose: the deadline is shared with processes on other machines.
            if time.time() > self.deadline_epoch_seconds:
                return OUTCOME_TIME_LIMIT, "the job's own maximum and the start-up margin have passed"

    async def on_kill(self) -> None:
        """Stop the job: a person marked or cleared the task while it was deferred.

        The triggerer also ends here when it has merely lost the trigger to another triggerer (after a long
        pause, say). Then the task is still deferred, the job still wanted, and nothing is stopped.
        """
        if await self._is_task_still_deferred():
            self.log.info("The task still waits for job %s elsewhere; not stopping it.", self.job_name)
            return
        await asyncio.to_thread(self._stop_job)

    def _stop_job(self) -> None:
        request_stop(
            self._client(), self.kind, self.job_name, patience_seconds=_STOP_PATIENCE_SECONDS, logger=self.log
        )

    def _client(self) -> Any:
        return self.hook().get_conn()

    async def _is_task_still_deferred(self) -> bool:
        """Ask Airflow; where it cannot be asked, take the kill at its word."""
        task_instance = self.task_instance
        if task_instance is None:
            return False
        try:
            from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

            states = await asyncio.wait_for(
                asyncio.to_thread(
                    RuntimeTaskInstance.get_task_states,
                    dag_id=task_instance.dag_id,
                    task_ids=[task_instance.task_id],
                    run_ids=[task_instance.run_id],
                    map_index=task_instance.map_index,
                ),
                timeout=_ASK_STATE_SECONDS,
            )
        except Exception as error:  # noqa: BLE001 - an unanswered question must not keep a job running
            self.log.warning("Airflow did not tell the task's state: %s", one_line(error))
            return False
        mapped = f"_{task_instance.map_index}" if (task_instance.map_index or -1) >= 0 else ""
        state = states.get(task_instance.run_id, {}).get(f"{task_instance.task_id}{mapped}")
        return str(getattr(state, "value", state)) == "deferred"
