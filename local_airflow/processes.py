"""Start processes in groups of their own, know them again later, and end every one of them."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil

from local_airflow.stack_settings import (
    COMPONENT_MARK,
    JOBS_COMPONENT,
    STACK_MARK,
    StackSettings,
)

GRACE_SECONDS = 8.0
_RECORD_LOCK = threading.Lock()


def start_process(name: str, command: list[str], environment: dict[str, str], settings: StackSettings) -> int:
    """Start one component in a session of its own; its output goes to its log file. Returns the pid."""
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    with (settings.log_dir / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**environment, COMPONENT_MARK: name},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=settings.state_dir,
        )
    with _RECORD_LOCK:
        record = read_process_record(settings.state_dir)
        record[name] = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
        _record_path(settings.state_dir).write_text(json.dumps(record, indent=1))
    return process.pid


def read_process_record(state_dir: Path) -> dict[str, dict[str, float]]:
    """Components as last started: name → pid and creation time (a pid alone may be someone else's by now)."""
    path = _record_path(state_dir)
    try:
        return dict(json.loads(path.read_text()))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def running_components(state_dir: Path) -> set[str]:
    """Names of recorded components that still run."""
    return {
        name
        for name, entry in read_process_record(state_dir).items()
        if _is_same_process(int(entry["pid"]), entry["created"])
    }


def stack_processes(settings: StackSettings, component: str | None = None) -> list[psutil.Process]:
    """Every live process of this stack or of one component, workers and jobs included; never the caller.

    Components and their children carry the stack's mark. A job inherits nothing, as in a container, but its
    home lies in the stack's folder.
    """
    found = []
    for process in psutil.process_iter():
        try:
            owner = _component_of(process.environ(), settings)
            is_wanted = owner is not None and component in {None, owner}
            if is_wanted and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def has_running_job(settings: StackSettings) -> bool:
    """Tell whether the stand-in runs a job: its process inherits nothing, so it has no mark but its home."""
    for process in stack_processes(settings, JOBS_COMPONENT):
        try:
            if STACK_MARK not in process.environ():
                return True
        except (psutil.Error, OSError):
            continue
    return False


def stop_stack(
    settings: StackSettings, component: str | None = None, *, grace_seconds: float = GRACE_SECONDS
) -> int:
    """End all processes of the stack or of one component: politely, then for good. Returns how many."""
    processes = stack_processes(settings, component)
    _signal_all(processes, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while (left := stack_processes(settings, component)) and time.monotonic() < deadline:
        time.sleep(0.1)
    while left:  # a dying parent may have started one more
        _signal_all(left, signal.SIGKILL)
        psutil.wait_procs(left, timeout=1)
        left = stack_processes(settings, component)
    return len(processes)


def kill_stack(settings: StackSettings) -> int:
    """End all processes of the stack with SIGKILL at once, as a power cut would."""
    processes = stack_processes(settings)
    _signal_all(processes, signal.SIGKILL)
    psutil.wait_procs(processes, timeout=5)
    return len(processes)


def tail_of_log(settings: StackSettings, name: str, lines: int = 12) -> str:
    """Last lines of a component's log, for an error message."""
    path = settings.log_dir / f"{name}.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def _signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except (psutil.Error, OSError):
            continue


def _component_of(environment: dict[str, str], settings: StackSettings) -> str | None:
    mark = str(settings.state_dir)
    if environment.get(STACK_MARK) == mark:
        return environment.get(COMPONENT_MARK, "")
    return JOBS_COMPONENT if environment.get("HOME", "").startswith(f"{mark}/") else None


def _is_same_process(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _record_path(state_dir: Path) -> Path:
    return state_dir / "processes.json"
