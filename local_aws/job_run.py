"""One run of one job, from its recorded request to its final status."""

import os
import queue
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from local_aws import job_records
from local_aws.container_layout import JobDirectory
from local_aws.job_data import JobDataError
from local_aws.job_environments import CHECKOUT, JobEnvironment, UnknownImageError, choose_environment
from local_aws.job_logs import JobLogs
from local_aws.job_process import Command, JobProcess
from local_aws.job_records import PROCESSING, Record
from local_aws.metric_definitions import MetricScanner
from local_aws.object_store import ObjectStore
from local_aws.processing_container import ProcessingContainer
from local_aws.state_store import StateStore
from local_aws.training_container import TrainingContainer

DEFAULT_MAX_RUNTIME_SECONDS = 86_400
LEFTOVER_OUTPUT_SECONDS = 10.0


class Signal(Enum):
    """What a run is told while it waits for its program."""

    EXITED = "exited"
    STOP = "stop"
    SHUTDOWN = "shutdown"


class ShutdownError(Exception):
    """The stand-in is going down: the job stays as it is and is run again at the next start."""


class StoppedError(Exception):
    """The job was asked to stop before its program had started."""


@dataclass(frozen=True)
class RunSettings:
    """What every run needs to know of the stand-in."""

    state: StateStore
    store: ObjectStore
    logs: JobLogs
    environments: list[JobEnvironment]
    directory: Path
    endpoint: str
    stop_grace_seconds: float = 120.0


@dataclass(frozen=True)
class Ending:
    """How the program of a job ended."""

    exit_status: int
    stopped: bool = False
    timed_out: bool = False


class JobRun:
    """Runs one job in the calling thread; other threads may only `tell` it something."""

    def __init__(self, settings: RunSettings, kind: str, region: str, name: str):
        self._settings = settings
        self._key = (job_records.collection(kind, region), name)
        self._signals: queue.Queue[Signal] = queue.Queue()
        self._log = settings.logs.log(kind, region, name)
        self._directory = JobDirectory(settings.directory / region / kind / name)
        self._is_processing = kind == PROCESSING
        self.record = self._update(lambda record: job_records.begin_attempt(record, time.time()))

    def tell(self, what: Signal) -> None:
        """Ask the run to stop, or tell it that the stand-in goes down."""
        self._signals.put(what)

    def run(self) -> None:
        """Run the job to its end; every failure becomes the job's FailureReason."""
        try:
            self._run()
        except ShutdownError:
            return
        except StoppedError:
            self._finish("Stopped")
        except (JobDataError, UnknownImageError) as error:
            reason = str(error) if isinstance(error, JobDataError) else f"ClientError: {error}"
            self._say(reason)
            self._finish("Failed", FailureReason=reason)
        except Exception as error:  # noqa: BLE001 - a defect of the stand-in must not lose the job
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            self._say(reason)
            self._finish("Failed", FailureReason=reason)

    def _run(self) -> None:
        environment = self._environment()
        self._check_signals()
        self._move_to("Downloading")
        container_class = ProcessingContainer if self._is_processing else TrainingContainer
        container = container_class(
            self.record, self._directory, self._settings.store, environment, self._settings.endpoint
        )
        if self._directory.path.exists():
            container.save_checkpoints()
            shutil.rmtree(self._directory.path)
        command = container.prepare()
        self._check_signals()
        self._move_to("Training", StartTime=time.time())
        algorithm = self.record["Request"].get("AlgorithmSpecification") or {}
        scanner = MetricScanner(algorithm.get("MetricDefinitions", []))
        ending = self._execute(command, scanner, self._max_runtime_seconds())
        self._complete(container, ending, scanner)

    def _complete(
        self, container: ProcessingContainer | TrainingContainer, ending: Ending, scanner: MetricScanner
    ) -> None:
        cut_short = ending.stopped or ending.timed_out
        succeeded = ending.exit_status == 0 and not cut_short
        if not ending.stopped:
            self._move_to("Uploading")
        facts = container.collect(succeeded=succeeded)
        facts["Metrics"] = scanner.latest
        if succeeded:
            self._finish("Completed", **facts)
        elif ending.stopped:
            self._finish("Stopped", **facts)
        elif ending.timed_out and self._is_processing:
            limit = self._max_runtime_seconds()
            reason = f"ClientError: The job ran longer than its MaxRuntimeInSeconds of {limit} seconds"
            self._finish("Failed", FailureReason=reason, **facts)
        elif ending.timed_out:
            self._finish("Stopped", secondary="MaxRuntimeExceeded", **facts)
        else:
            reason = container.failure_reason(ending.exit_status)
            self._finish("Failed", FailureReason=reason, ExitStatus=ending.exit_status, **facts)

    # --- the program ---------------------------------------------------------------------------------
    def _environment(self) -> JobEnvironment:
        """Return the environment of the job's image, made now if it is not there yet."""
        request = self.record["Request"]
        application = (
            request["AppSpecification"] if self._is_processing else request["AlgorithmSpecification"]
        )
        image = application["ImageUri" if self._is_processing else "TrainingImage"]
        environment = choose_environment(self._settings.environments, image)
        if not environment.is_ready() and environment.prepare:
            with environment.lock:
                if not environment.is_ready():
                    self._prepare(environment)
        if not environment.python.exists():
            raise JobDataError(f"ClientError: the environment {environment.name} has no {environment.python}")
        return environment

    def _prepare(self, environment: JobEnvironment) -> None:
        self._say(f"local_aws: preparing the environment {environment.name}: {' '.join(environment.prepare)}")
        command = Command(list(environment.prepare), CHECKOUT, dict(os.environ))
        ending = self._execute(command, MetricScanner([]), DEFAULT_MAX_RUNTIME_SECONDS)
        if ending.stopped:
            raise StoppedError
        if ending.exit_status != 0:
            raise JobDataError(
                f"ClientError: preparing the environment {environment.name} failed with exit status "
                f"{ending.exit_status}: {' '.join(environment.prepare)} (see the job's log)"
            )

    def _execute(self, command: Command, scanner: MetricScanner, limit_seconds: float) -> Ending:
        def on_lines(lines: list[str]) -> None:
            self._log.append(lines)
            for line in lines:
                scanner.scan(line)

        process = JobProcess(
            command,
            record=lambda identity: self._note(Process=identity),
            on_lines=on_lines,
            on_exit=lambda: self._signals.put(Signal.EXITED),
        )
        return self._wait(process, time.monotonic() + limit_seconds)

    def _wait(self, process: JobProcess, limit: float) -> Ending:
        """Wait for the end; a stop request or the time limit gives the grace period, then SIGKILL."""
        stopped = timed_out = False
        deadline = limit
        while True:
            try:
                what = self._signals.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                what = None
            if what is Signal.EXITED:
                return Ending(process.exit_status(), stopped=stopped, timed_out=timed_out)
            if what is Signal.SHUTDOWN:
                self._end_for_shutdown(process)
            if stopped or timed_out:
                if what is None:  # the grace period is over
                    process.signal(signal.SIGKILL)
                    deadline = time.monotonic() + LEFTOVER_OUTPUT_SECONDS
                continue
            stopped, timed_out = what is Signal.STOP, what is None
            process.signal(signal.SIGTERM)
            deadline = time.monotonic() + self._settings.stop_grace_seconds

    def _end_for_shutdown(self, process: JobProcess) -> None:
        process.signal(signal.SIGTERM)
        try:
            self._signals.get(timeout=1.0)
        except queue.Empty:
            process.signal(signal.SIGKILL)
        process.signal(signal.SIGKILL)
        process.exit_status()
        raise ShutdownError

    def _check_signals(self) -> None:
        while True:
            try:
                what = self._signals.get_nowait()
            except queue.Empty:
                return
            if what is Signal.STOP:
                raise StoppedError
            if what is Signal.SHUTDOWN:
                raise ShutdownError

    # --- the record ----------------------------------------------------------------------------------
    def _max_runtime_seconds(self) -> int:
        stopping = self.record["Request"].get("StoppingCondition") or {}
        return stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)

    def _update(self, change: Callable[[Record], Record]) -> Record:
        self.record = self._settings.state.update(*self._key, change)
        return self.record

    def _note(self, **facts: Any) -> None:
        self._update(lambda record: {**record, **facts})

    def _move_to(self, secondary: str, **facts: Any) -> None:
        def change(record: Record) -> Record:
            moved = (
                record
                if record["Status"] == "Stopping"
                else job_records.move_to(record, secondary, time.time())
            )
            return {**moved, **facts}

        self._update(change)

    def _finish(self, status: str, *, secondary: str | None = None, **facts: Any) -> None:
        if status == "Failed":
            shutil.rmtree(self._directory.opt_ml / "input" / "data", ignore_errors=True)
        else:
            shutil.rmtree(self._directory.path, ignore_errors=True)
        self._update(
            lambda record: job_records.finish(record, status, time.time(), secondary=secondary, **facts)
        )

    def _say(self, text: str) -> None:
        self._log.append(text.splitlines() or [""])
