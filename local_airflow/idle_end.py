"""End a stack that nobody uses any more: `python -m local_airflow.idle_end MINUTES`.

`make run` and `make drift` leave their stack up, because the next one then needs no start and its runs can be
looked at; this watcher sees to it that nothing stays for ever. `make up` does without it.
"""

import sys
import time
from pathlib import Path

from local_airflow.ports import read_stack_settings
from local_airflow.processes import has_running_job, stop_stack
from local_airflow.stack_settings import StackSettings

COMPONENT = "idle-end"
MINUTES = 30
_LOOK_SECONDS = 15.0


def note_use(settings: StackSettings) -> None:
    """Say that the stack is wanted: the quiet minutes count from now."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    _last_use(settings).touch()


def main(arguments: list[str]) -> int:
    """Look every few seconds; stop the stack after the quiet minutes, never under a running job."""
    settings, limit = read_stack_settings(), 60 * float(arguments[0])
    while True:
        time.sleep(min(_LOOK_SECONDS, limit))
        if has_running_job(settings):
            note_use(settings)
        elif time.time() - _last_use(settings).stat().st_mtime > limit:
            stop_stack(settings)
            return 0


def _last_use(settings: StackSettings) -> Path:
    return settings.state_dir / "last_use"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
