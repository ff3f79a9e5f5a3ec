import os
import socket
import sys
from contextlib import closing

import pytest

from local_airflow.ports import read_stack_settings, remember_ports, require_free_port
from local_airflow.processes import kill_stack, start_process
from local_airflow.stack_settings import STACK_MARK, StackError, StackSettings


@pytest.fixture
def listener():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def state_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_LOCAL_DIR", str(tmp_path))
    for name in ("AIRFLOW_PORT", "AWS_PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("text", ["http", "80", "70000", "-1", "8080.5"])
def test_read_stack_settings_when_a_port_is_no_port_then_names_the_variable(monkeypatch, text):
    monkeypatch.setenv("AIRFLOW_PORT", text)
    with pytest.raises(StackError, match="AIRFLOW_PORT"):
        read_stack_settings()


def test_require_free_port_when_taken_then_says_which_and_how_to_choose_another(listener):
    with pytest.raises(StackError, match="AWS_PORT"):
        require_free_port(listener, "AWS_PORT")


def test_read_stack_settings_when_a_port_is_asked_for_then_takes_no_other(state_dir, monkeypatch, listener):
    monkeypatch.setenv("AIRFLOW_PORT", str(listener))
    assert read_stack_settings().airflow_port == listener


def test_read_stack_settings_when_another_program_holds_the_port_then_passes_it_over(state_dir, listener):
    remember_ports(StackSettings(state_dir=state_dir, airflow_port=listener, aws_port=5566))
    assert read_stack_settings().airflow_port != listener


def test_read_stack_settings_when_our_part_runs_then_keeps_its_port(state_dir, listener):
    settings = StackSettings(state_dir=state_dir, airflow_port=listener, aws_port=5566)
    remember_ports(settings)
    environment = {**os.environ, STACK_MARK: str(state_dir)}
    start_process("airflow", [sys.executable, "-c", "import time; time.sleep(60)"], environment, settings)
    try:
        assert read_stack_settings().airflow_port == listener
    finally:
        kill_stack(settings)


def test_read_stack_settings_when_the_remembered_ports_are_garbage_then_starts_from_the_defaults(state_dir):
    (state_dir / "ports.json").write_text("[half")
    assert read_stack_settings().airflow_port >= 8080
