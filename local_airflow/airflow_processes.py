"""Airflow's components as children of one process that has imported Airflow once.

Importing Airflow and its Amazon provider costs each component, each task and each DAG parse a second or two;
forked children share what the parent imported. The parent starts a component again when it ends unasked, as a
container platform would, and gives up when that happens too often.

`python -m local_airflow.airflow_processes LOG_DIR COMPONENT…`
"""

import gc
import inspect
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

# A component that was killed comes back; one that cannot start does not loop for ever.
MAX_RESTARTS = 5
RESTART_PAUSE_SECONDS = 1.0

_ARGUMENTS = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}


def main(arguments: list[str]) -> int:
    """Fork one child per component and keep them running until SIGTERM; returns the exit code."""
    log_dir, components = Path(arguments[0]), arguments[1:]
    _import_airflow_once()
    children = {_fork_component(name, log_dir): name for name in components}
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in children:
            _send(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    restarts = 0
    while children:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        name = children.pop(pid, None)
        if name is None or stopping:
            continue
        print(f"{name} ended with status {os.waitstatus_to_exitcode(status)}", flush=True)
        restarts += 1
        if restarts > MAX_RESTARTS:
            print("a component keeps ending; giving up", flush=True)
            stop(signal.SIGTERM, None)
            return 1
        time.sleep(RESTART_PAUSE_SECONDS)
        children[_fork_component(name, log_dir)] = name
    return 0


def _import_airflow_once() -> None:
    import airflow.cli.cli_parser
    import airflow.providers.amazon.aws.hooks.s3
    import airflow.providers.amazon.aws.operators.sagemaker  # noqa: F401 - imported for the children
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_hooks()  # else each task looks through all providers anew
    inspect.stack()  # fills inspect's index of module files, which every AWS client's user agent asks for
    gc.collect()
    gc.freeze()  # keep the shared pages shared


def _fork_component(name: str, log_dir: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    log = os.open(log_dir / f"{name}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if name == "scheduler":
        _wait_for_api_server()
    sys.argv = ["airflow", name, *_ARGUMENTS.get(name, [])]
    from airflow.__main__ import main as airflow_main

    airflow_main()
    sys.exit(0)


def _wait_for_api_server() -> None:
    """After a crash the scheduler finds interrupted tasks at once: their workers need the API server.

    Without it a worker gives up within seconds, and each of the task's retries is lost in this way.
    """
    url = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] + "health"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            opener.open(url, timeout=60).close()
        except urllib.error.HTTPError:
            return  # an answer too
        except OSError:
            time.sleep(0.1)
        else:
            return


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
