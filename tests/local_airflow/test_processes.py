import os
import sys
import time

import psutil
import pytest

from local_airflow.processes import (
    kill_stack,
    running_components,
    stack_processes,
    start_process,
    stop_stack,
)
from local_airflow.stack_settings import STACK_MARK, StackSettings, process_environment


@pytest.fixture
def settings(tmp_path):
    made = StackSettings(state_dir=tmp_path, airflow_port=8080, aws_port=5566)
    yield made
    kill_stack(made)


def start(settings, code, name="part"):
    environment = {**os.environ, STACK_MARK: str(settings.state_dir)}
    return start_process(name, [sys.executable, "-c", code], environment, settings)


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_stop_stack_when_a_part_started_children_in_other_sessions_then_none_is_left(settings):
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        "time.sleep(60)"
    )
    start(settings, code)
    wait_for(lambda: len(stack_processes(settings)) == 2)
    assert stop_stack(settings) == 2
    assert stack_processes(settings) == []


def test_stop_stack_when_a_part_ignores_the_polite_signal_then_ends_it_anyway(settings):
    ready = settings.state_dir / "ready"
    code = (
        "import pathlib, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(ready)!r}).touch()\ntime.sleep(60)"
    )
    start(settings, code)
    wait_for(ready.exists)
    stop_stack(settings, grace_seconds=0.3)
    assert stack_processes(settings) == []


def test_stop_stack_when_another_stack_runs_then_leaves_it_alone(settings, tmp_path):
    other = StackSettings(state_dir=tmp_path / "other", airflow_port=8081, aws_port=5567)
    other.state_dir.mkdir()
    pid = start(other, "import time; time.sleep(60)")
    start(settings, "import time; time.sleep(60)")
    stop_stack(settings)
    assert psutil.pid_exists(pid)
    kill_stack(other)


def test_stop_stack_when_a_job_has_a_clean_environment_then_is_found_by_its_home(settings):
    environment = {"PATH": os.environ["PATH"], "HOME": str(settings.state_dir / "aws/jobs/one/home")}
    start_process("job", [sys.executable, "-c", "import time; time.sleep(60)"], environment, settings)
    wait_for(lambda: len(stack_processes(settings)) == 1)
    stop_stack(settings)
    assert stack_processes(settings) == []


def test_running_components_when_a_part_ended_then_it_is_not_listed(settings):
    start(settings, "import time; time.sleep(60)", name="stays")
    pid = start(settings, "pass", name="ends")
    wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert running_components(settings.state_dir) == {"stays"}


def test_stop_stack_when_a_process_gives_itself_a_title_then_is_still_found(settings):
    title = "airflow worker -- a title much longer than the command line it overwrites " * 20
    code = f"import setproctitle, time\nsetproctitle.setproctitle({title!r})\ntime.sleep(60)"
    pid = start_process(
        "titled", [sys.executable, "-c", code], {**os.environ, **process_environment(settings)}, settings
    )
    wait_for(lambda: "airflow worker" in " ".join(psutil.Process(pid).cmdline()))
    assert [process.pid for process in stack_processes(settings)] == [pid]


def test_stop_stack_when_one_component_is_named_then_the_other_goes_on(settings):
    environment = {**os.environ, STACK_MARK: str(settings.state_dir)}
    code = "import time; time.sleep(60)"
    pids = {
        name: start_process(name, [sys.executable, "-c", code], environment, settings)
        for name in ("aws", "airflow")
    }
    wait_for(lambda: len(stack_processes(settings)) == 2)
    stop_stack(settings, "airflow")
    assert [process.pid for process in stack_processes(settings)] == [pids["aws"]]
