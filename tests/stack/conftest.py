"""The compose stack for all its tests: a project, secrets and ports of its own, gone again at the end."""

import json
import os
import socket

import pytest

from local_airflow.stack_settings import StackSettings
from tests.stack.compose_stack import Stack


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The stack, started from nothing with `scripts/stack up`, as a person starts it."""
    if os.environ.get("CHURN_STACK_TEST") != "1":
        pytest.skip("starts a dozen containers: run it with `make test-stack`")
    state_dir = tmp_path_factory.mktemp("stack")
    settings = StackSettings(state_dir=state_dir, airflow_port=free_port(), aws_port=free_port())
    made = Stack(project=f"churn-test-{os.getpid()}", env_file=state_dir / "env", settings=settings)
    try:
        made.compose("up")
        secrets = dict(line.split("=", 1) for line in made.env_file.read_text().splitlines() if "=" in line)
        (state_dir / "secrets.json").write_text(
            json.dumps({"admin_password": secrets["STACK_ADMIN_PASSWORD"]})
        )
        yield made
    finally:
        made.remove()
