"""Runs jobs, a few at a time, and picks up after a restart."""

import queue
import threading
import time
import traceback
from pathlib import Path

from local_aws import job_records
from local_aws.job_logs import JobLogs
from local_aws.job_process import end_leftover
from local_aws.job_records import Record
from local_aws.job_run import JobRun, RunSettings, Signal
from local_aws.server_log import say

JobKey = tuple[str, str, str]  # kind, region, name


class JobRunner:
    """A fixed number of slots; jobs that find none free wait in `Starting`."""

    def __init__(self, settings: RunSettings, slots: int):
        self._settings = settings
        self._waiting: queue.SimpleQueue[JobKey | None] = queue.SimpleQueue()
        self._running: dict[JobKey, JobRun] = {}
        self._lock = threading.Lock()
        self._going_down = False
        self._threads = [threading.Thread(target=self._slot, name=f"job-slot-{n}") for n in range(slots)]

    def start(self) -> list[str]:
        """Begin to run jobs, those first that a killed stand-in left behind; returns a line about each."""
        lines = [self._recover(record) for record in self._unfinished()]
        for thread in self._threads:
            thread.start()
        return lines

    def _unfinished(self) -> list[Record]:
        state = self._settings.state
        collections = [name for kind in job_records.KINDS for name in state.collections(f"{kind}/")]
        records = [record for name in collections for record in state.all(name)]
        unfinished = [record for record in records if not job_records.is_final(record)]
        return sorted(unfinished, key=lambda record: record["CreationTime"])

    def _recover(self, record: Record) -> str:
        name = f"{record['Kind']} {record['Name']}"
        killed = "Process" in record and end_leftover(record["Process"])
        what = "its process was still running and was ended" if killed else "its process is gone"
        if record["Status"] == "Stopping":
            collection = job_records.collection(record["Kind"], record["Region"])
            self._settings.state.update(
                collection, record["Name"], lambda found: job_records.finish(found, "Stopped", time.time())
            )
            return f"{name} was stopping ({what}): Stopped"
        self.submit(record["Kind"], record["Region"], record["Name"])
        return f"{name} was InProgress ({what}): it is run again"

    def submit(self, kind: str, region: str, name: str) -> None:
        """Run a job that was recorded as InProgress, as soon as a slot is free."""
        self._waiting.put((kind, region, name))

    def request_stop(self, kind: str, region: str, name: str) -> None:
        """Stop a job; its record says Stopping already."""
        with self._lock:
            run = self._running.get((kind, region, name))
        if run is not None:
            run.tell(Signal.STOP)

    def shut_down(self) -> None:
        """End all running programs and wait for the slots; the jobs stay recorded as InProgress."""
        with self._lock:
            self._going_down = True
            running = list(self._running.values())
        for run in running:
            run.tell(Signal.SHUTDOWN)
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _slot(self) -> None:
        while True:
            key = self._waiting.get()
            if key is None or self._going_down:
                return
            try:
                self._run(key)
            except Exception:  # noqa: BLE001 - a full disk, say: the slot must live on, the job is run again
                say(f"{key[0]} {key[2]}: {traceback.format_exc()}")

    def _run(self, key: JobKey) -> None:
        kind, region, name = key
        state = self._settings.state
        collection = job_records.collection(kind, region)
        with self._lock, state.transaction():
            record = state.get(collection, name)
            if record is None or self._going_down:
                return
            if record["Status"] == "Stopping":  # asked to stop while it waited for a slot
                state.put(collection, name, job_records.finish(record, "Stopped", time.time()))
                return
            run = JobRun(self._settings, kind, region, name)
            self._running[key] = run
        try:
            run.run()
        finally:
            with self._lock:
                del self._running[key]


def log_directory(state_directory: Path) -> JobLogs:
    """Return the logs kept below a state directory."""
    return JobLogs(state_directory / "logs")
