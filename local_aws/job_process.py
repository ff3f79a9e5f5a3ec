"""Processes of jobs: started behind a gate, in a process group of their own, found again after a crash.

The gate: a process waits for a word from the stand-in before it becomes the job's program. The stand-in
records its process id first and gives the word then. Killed in between, the stand-in leaves a process that
sees the end of the gate and leaves; so no program of a job ever runs unrecorded.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GATE = 'read -r word || exit 125; exec "$@" </dev/null'
READ_BYTES = 65536
SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class Command:
    """What to run, where, and with which environment (the whole of it)."""

    arguments: list[str]
    directory: Path
    environment: dict[str, str]


class JobProcess:
    """A running program of a job; `on_lines` gets its output in batches of lines."""

    def __init__(
        self,
        command: Command,
        *,
        record: Callable[[dict[str, Any]], None],
        on_lines: Callable[[list[str]], None],
        on_exit: Callable[[], None],
    ):
        gate_reader, gate_writer = os.pipe()
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", GATE, "job", *_unusual_variables(command), *command.arguments],
                cwd=command.directory,
                env=command.environment,
                stdin=gate_reader,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            record(identity(self._process.pid))
            with suppress(BrokenPipeError):
                os.write(gate_writer, b"go\n")
        finally:
            os.close(gate_reader)
            os.close(gate_writer)
        self._reader = threading.Thread(target=self._read, args=(on_lines,), name=f"log-{self._process.pid}")
        self._waiter = threading.Thread(target=self._wait, args=(on_exit,), name=f"wait-{self._process.pid}")
        self._reader.start()
        self._waiter.start()

    def _read(self, on_lines: Callable[[list[str]], None]) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - tells the type checker what PIPE means
        rest = b""
        with stream:
            while piece := stream.read1(READ_BYTES):  # type: ignore[attr-defined]
                *lines, rest = (rest + piece).split(b"\n")
                if lines:
                    on_lines([_text(line) for line in lines])
        if rest:
            on_lines([_text(rest)])

    def _wait(self, on_exit: Callable[[], None]) -> None:
        self._process.wait()
        # Whatever the program left running would keep its output open and outlive the job.
        signal_group(self._process.pid, signal.SIGKILL)
        on_exit()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of the job."""
        signal_group(self._process.pid, number)

    def exit_status(self) -> int:
        """Wait for the end, with all output read; a death by signal N gives 128 + N, as a container does."""
        self._waiter.join()
        self._reader.join()
        status = self._process.returncode
        return 128 - status if status < 0 else status


def _unusual_variables(command: Command) -> list[str]:
    """Set variables whose names a shell would drop (SM_HP_WITH-HYPHEN) behind the gate's shell."""
    unusual = [
        f"{name}={value}" for name, value in command.environment.items() if not SHELL_NAME.fullmatch(name)
    ]
    return ["/usr/bin/env", *unusual] if unusual else []


def _text(line: bytes) -> str:
    """Decode a line; of a progress bar that rewrites itself the last state is kept."""
    return line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; one that is gone already is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def identity(process_id: int) -> dict[str, Any]:
    """Return what tells this process from a later one with the same number."""
    return {"ProcessId": process_id, "Started": _start_time(process_id)}


def end_leftover(recorded: dict[str, Any], wait_seconds: float = 10.0) -> bool:
    """Kill what still lives of a recorded process group; says whether anything did."""
    group = recorded["ProcessId"]
    started = _start_time(group)
    if started is not None and started != recorded["Started"]:
        return False  # the number belongs to somebody else now
    if not _group_lives(group):
        return False
    signal_group(group, signal.SIGKILL)
    deadline = time.monotonic() + wait_seconds
    while _group_lives(group) and time.monotonic() < deadline:
        time.sleep(0.01)
    return True


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    # A killed orphan may stay as a zombie until its new parent collects it: it runs nothing any more.
    return any(state != "Z" for state in _states_of_group(group))


def _states_of_group(group: int) -> list[str]:
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        listing = subprocess.run(["ps", "-axo", "pgid=,state="], capture_output=True, text=True, check=False)
        fields = [line.split() for line in listing.stdout.splitlines()]
        return [field[1][0] for field in fields if len(field) > 1 and field[0] == str(group)]
    states = []
    for directory in proc.iterdir():
        if directory.name.isdigit():
            stat = _stat_fields(int(directory.name))
            if stat and stat[2] == str(group):
                states.append(stat[0])
    return states


def _stat_fields(process_id: int) -> list[str] | None:
    """Return the fields of /proc/<id>/stat after the command name: state, parent, group and on."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _start_time(process_id: int) -> str | None:
    fields = _stat_fields(process_id)
    if fields:
        return fields[19]
    if Path("/proc/self/stat").exists():
        return None
    listing = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return listing.stdout.strip() or None
