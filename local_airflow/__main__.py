"""Commands behind the Makefile: `python -m local_airflow COMMAND`; their settings are in the environment."""

import sys
import time
from collections.abc import Callable

from local_airflow import idle_end
from local_airflow.drift_backfill import read_backfill_request, run_drift_backfill
from local_airflow.drift_demo import read_demo_request, run_drift_demo
from local_airflow.drift_run import read_drift_conf, read_drift_request, run_drift
from local_airflow.ports import read_stack_settings
from local_airflow.processes import running_components, stop_stack
from local_airflow.registered_models import (
    DEFAULT_GROUP,
    approve_model,
    choose_for_approval,
    list_models,
)
from local_airflow.request_variables import read_version
from local_airflow.retraining_run import read_run_request, run_retraining
from local_airflow.stack import describe_login, open_aws_client, start_stack
from local_airflow.stack_settings import APPROVER_CALLER, StackError, StackSettings

_STARTED = time.monotonic()


def _report(text: str) -> None:
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {text}" if text else "", flush=True)


def _up(settings: StackSettings) -> int:
    if start_stack(settings, _report):
        _report("Airflow is up")
    print("\n".join(describe_login(settings)))
    return 0


def _down(settings: StackSettings) -> int:
    ended = stop_stack(settings)
    _report(f"stopped {ended} processes" if ended else "nothing was running")
    return 0


def _run(settings: StackSettings) -> int:
    return run_retraining(settings, read_run_request(), _report)


def _approve(settings: StackSettings) -> int:
    version, conf = read_version("VERSION"), read_drift_conf()
    start_stack(settings, _report, quiet_minutes=idle_end.MINUTES)
    sagemaker = open_aws_client(settings, "sagemaker", APPROVER_CALLER)
    models = list_models(sagemaker, str(conf.get("model_package_group") or DEFAULT_GROUP))
    for line in approve_model(sagemaker, choose_for_approval(models, version)):
        _report(line)
    return 0


def _drift(settings: StackSettings) -> int:
    return run_drift(settings, read_drift_request(), _report)


def _drift_demo(settings: StackSettings) -> int:
    return run_drift_demo(settings, read_demo_request(), _report)


def _drift_backfill(settings: StackSettings) -> int:
    return run_drift_backfill(settings, read_backfill_request(), _report)


def _status(settings: StackSettings) -> int:
    names = sorted(running_components(settings.state_dir))
    _report("running: " + ", ".join(names) if names else "nothing is running")
    return 0


_COMMANDS: dict[str, Callable[[StackSettings], int]] = {
    "up": _up,
    "down": _down,
    "run": _run,
    "approve": _approve,
    "drift": _drift,
    "drift-demo": _drift_demo,
    "drift-backfill": _drift_backfill,
    "status": _status,
}


def main(arguments: list[str]) -> int:
    """Run one command; a problem a person can mend is one line and exit code 2."""
    if len(arguments) != 1 or arguments[0] not in _COMMANDS:
        print(f"usage: python -m local_airflow {' | '.join(_COMMANDS)}", file=sys.stderr)
        return 2
    try:
        return _COMMANDS[arguments[0]](read_stack_settings())
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "interrupted; the run goes on in the running stack, or when it is next started", file=sys.stderr
        )
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
