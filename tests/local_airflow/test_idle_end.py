import os
import sys
import threading
import time

import pytest

from local_airflow import idle_end
from local_airflow.processes import kill_stack, stack_processes, start_process
from local_airflow.stack_settings import STACK_MARK, StackSettings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_LOCAL_DIR", str(tmp_path))
    made = StackSettings(state_dir=tmp_path, airflow_port=8080, aws_port=5566)
    idle_end.note_use(made)
    yield made
    kill_stack(made)


def start(settings, environment):
    start_process("aws", [sys.executable, "-c", "import time; time.sleep(60)"], environment, settings)


def watch(minutes):
    watcher = threading.Thread(target=idle_end.main, args=([str(minutes)],), daemon=True)
    watcher.start()
    return watcher


def wait_for_two_looks(settings):
    """Each look at a running job counts as use of the stack."""
    last_use = settings.state_dir / "last_use"
    for _ in range(2):
        os.utime(last_use, (0, 0))
        deadline = time.monotonic() + 10
        while last_use.stat().st_mtime == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_idle_end_when_nobody_uses_the_stack_then_ends_it(settings):
    start(settings, {**os.environ, STACK_MARK: str(settings.state_dir)})
    watch(minutes=0.002).join(timeout=20)
    assert stack_processes(settings) == []


def test_idle_end_when_a_job_runs_then_waits_for_it(settings):
    job_home = settings.state_dir / "aws" / "job"
    start(settings, {**os.environ, "HOME": str(job_home)})
    watcher = watch(minutes=0.002)
    wait_for_two_looks(settings)
    assert watcher.is_alive()
    assert len(stack_processes(settings)) == 1
    kill_stack(settings)
    watcher.join(timeout=20)
    assert not watcher.is_alive()
