"""Which loopback ports a stack takes: those asked for, those it already has, or the first free ones."""

import json
import os
import socket
from pathlib import Path

from local_airflow.processes import running_components
from local_airflow.stack_settings import LOOPBACK, PROJECT_ROOT, StackError, StackSettings

_DEFAULTS = {"airflow": ("AIRFLOW_PORT", 8080), "aws": ("AWS_PORT", 5566)}
_STEP = 10
_MOST_STEPS = 20


def read_stack_settings() -> StackSettings:
    """Read CHURN_LOCAL_DIR, AIRFLOW_PORT, AWS_PORT and CHURN_DEFERRABLE; errors name the variable.

    A port that is not asked for: a part that runs keeps its own; otherwise one that another program holds is
    passed over, so that the stacks of two checkouts do not meet.
    """
    state_dir = Path(os.environ.get("CHURN_LOCAL_DIR") or PROJECT_ROOT / ".local").resolve()
    remembered = _read_ports(state_dir)
    running = running_components(state_dir)
    ports = {}
    for component, (variable, default) in _DEFAULTS.items():
        if text := os.environ.get(variable):
            ports[component] = _checked_port(variable, text)
        elif component in running and component in remembered:
            ports[component] = remembered[component]
        else:
            ports[component] = _first_free(remembered.get(component, default), default, variable)
    return StackSettings(
        state_dir=state_dir,
        airflow_port=ports["airflow"],
        aws_port=ports["aws"],
        deferrable=os.environ.get("CHURN_DEFERRABLE", "false").lower() == "true",
    )


def remember_ports(settings: StackSettings) -> None:
    """Keep a started stack's ports for the next command."""
    ports = {"airflow": settings.airflow_port, "aws": settings.aws_port}
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    _ports_file(settings.state_dir).write_text(json.dumps(ports) + "\n")


def require_free_port(port: int, variable: str) -> None:
    """Raise StackError when something already listens on the loopback port."""
    if not _is_free(port):
        raise StackError(
            f"port {port} is taken by another program; end that program or choose another port with "
            f"{variable}={port + _STEP}"
        )


def _first_free(wanted: int, default: int, variable: str) -> int:
    for port in (wanted, *range(default, default + _STEP * _MOST_STEPS, _STEP)):
        if _is_free(port):
            return port
    raise StackError(f"ports {default} to {port} are all taken; choose another one with {variable}=…")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _checked_port(variable: str, text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise StackError(f"{variable}={text} is not a port number between 1024 and 65535")
    return int(text)


def _read_ports(state_dir: Path) -> dict[str, int]:
    try:
        return {name: int(port) for name, port in json.loads(_ports_file(state_dir).read_text()).items()}
    except (FileNotFoundError, ValueError):
        return {}


def _ports_file(state_dir: Path) -> Path:
    return state_dir / "ports.json"
