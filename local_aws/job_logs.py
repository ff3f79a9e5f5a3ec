"""Logs of jobs: one file per job, read back as CloudWatch log streams while it is being written.

Each line of a file is one event: milliseconds since the epoch, a space, the message. A position in the file
is the paging token, so reading on costs the same however long the log is.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local_aws.job_records import PROCESSING, TRAINING

LOG_GROUPS = {PROCESSING: "/aws/sagemaker/ProcessingJobs", TRAINING: "/aws/sagemaker/TrainingJobs"}
LONGEST_MESSAGE_CHARACTERS = 256 * 1024  # CloudWatch's limit for one event


@dataclass(frozen=True)
class LogEvent:
    """One line of a log; `start` and `end` are its place in the file in bytes."""

    timestamp_ms: int
    message: str
    start: int
    end: int


class JobLog:
    """The log of one job, for writing (one thread at a time) and reading."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()

    def append(self, messages: list[str]) -> None:
        """Write messages as one batch with the present time."""
        now_ms = int(time.time() * 1000)
        cut = [message[:LONGEST_MESSAGE_CHARACTERS].replace("\n", " ") for message in messages]
        batch = "".join(f"{now_ms} {message}\n" for message in cut)
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(batch)

    def size_bytes(self) -> int:
        """Return the length of the file, 0 before the first event."""
        return self.path.stat().st_size if self.path.exists() else 0

    def events(self, start: int = 0) -> Iterator[LogEvent]:
        """Yield the complete events from a position in the file on."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(start)
            position = start
            for line in file:
                if not line.endswith(b"\n"):
                    return
                end = position + len(line)
                stamp, _, message = line[:-1].partition(b" ")
                yield LogEvent(int(stamp), message.decode("utf-8", "replace"), position, end)
                position = end


class JobLogs:
    """All job logs below one directory: `<region>/<kind>/<job name>.log`."""

    def __init__(self, directory: Path):
        self._directory = directory

    def log(self, kind: str, region: str, name: str) -> JobLog:
        """Return the log of one job."""
        return JobLog(self._directory / region / kind / f"{name}.log")
