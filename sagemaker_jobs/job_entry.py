"""What every job does the same way: report progress, write outputs whole, fail in one readable line.

The `/opt/ml` paths are SageMaker's container contract: a training job's failure text is the first 1,024
characters of `/opt/ml/output/failure`, a processing job's exit message the first kilobyte of
`/opt/ml/output/message`.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

EXIT_INVALID_INPUT = 2
EXIT_CRASH = 1
FAILURE_TEXT_LIMIT = 1024
INVALID_INPUT_PREFIX = "invalid input:"  # tells the operator that trying again would not help
_STARTED = time.monotonic()


class InvalidInputError(Exception):
    """Input that a person must mend; the message is one line: what, where, and what to do."""


class JobArguments(argparse.ArgumentParser):
    """The parser of every job: a wrong argument is refused like wrong input.

    argparse's own way out, SystemExit, would leave SageMaker no word of what was wrong.
    """

    def error(self, message: str) -> NoReturn:
        """Raise InvalidInputError; `message` names the argument."""
        raise InvalidInputError(f"{message}; {self.prog} --help tells the arguments")


def report_progress(stage: str, text: str) -> None:
    """Print one progress line; CloudWatch and the terminal show it at once."""
    print(f"[{time.monotonic() - _STARTED:7.2f} s] {stage}: {text}", flush=True)


def write_text_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text so that `path` holds either its old content or all of the new one."""
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write bytes so that `path` holds either its old content or all of the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _leave_failure_text(text: str) -> None:
    """Leave the reason where SageMaker looks for it; by hand, outside a container, there is no such place."""
    is_training = "TRAINING_JOB_NAME" in os.environ or "SM_TRAINING_ENV" in os.environ
    output = Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"))
    if output.is_dir():
        name = "failure" if is_training else "message"
        (output / name).write_bytes(text.encode()[:FAILURE_TEXT_LIMIT])


def run_entry(main: Callable[[], None]) -> None:
    """Run a job and end the process: 0 done, 2 input a person must mend (one line), 1 our own defect."""
    try:
        main()
    except InvalidInputError as error:
        line = _one_line(str(error))
        print(f"error: {line}", file=sys.stderr, flush=True)
        _leave_failure_text(f"{INVALID_INPUT_PREFIX} {line}")
        sys.exit(EXIT_INVALID_INPUT)
    except Exception as error:  # noqa: BLE001 - the last line of defence must name any defect
        traceback.print_exc()
        _leave_failure_text(_one_line(f"{type(error).__name__}: {error}"))
        sys.exit(EXIT_CRASH)
