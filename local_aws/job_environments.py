"""Which Python runs a job: picked by the job's image URI, and made on demand."""

import json
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_FILE = Path(__file__).resolve().parent / "environments.json"


class EnvironmentsFileError(Exception):
    """The environments file cannot be used; the message says which entry and why."""


class UnknownImageError(Exception):
    """No environment answers to an image URI."""


@dataclass(frozen=True)
class JobEnvironment:
    """An interpreter that stands for an image.

    `ready` is a file that exists once the environment is complete (the interpreter itself unless named);
    `prepare` is the command that makes it, run in the checkout.
    """

    name: str
    image_pattern: re.Pattern[str]
    python: Path
    ready: Path
    prepare: tuple[str, ...]
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def is_ready(self) -> bool:
        """Say whether jobs can be started in it."""
        return self.python.exists() and self.ready.exists()


def read_environments(path: Path) -> list[JobEnvironment]:
    """Read the table; the first entry whose pattern is found in the image URI is used."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["environments"]
        return [_environment(entry) for entry in entries]
    except OSError as error:
        raise EnvironmentsFileError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, re.error) as error:
        wanted = 'expected {"environments": [{"name", "image_pattern", "python", "prepare"?, "ready"?}]}'
        raise EnvironmentsFileError(f"{path}: {type(error).__name__} {error}; {wanted}") from error


def _environment(entry: dict[str, Any]) -> JobEnvironment:
    python = CHECKOUT / entry["python"]
    return JobEnvironment(
        name=entry["name"],
        image_pattern=re.compile(entry["image_pattern"]),
        python=python,
        ready=CHECKOUT / entry["ready"] if "ready" in entry else python,
        prepare=tuple(entry.get("prepare", ())),
    )


def choose_environment(environments: list[JobEnvironment], image_uri: str) -> JobEnvironment:
    """Return the environment for an image; raises UnknownImageError."""
    for environment in environments:
        if environment.image_pattern.search(image_uri):
            return environment
    known = ", ".join(environment.name for environment in environments)
    raise UnknownImageError(
        f"no local environment answers to the image {image_uri}; known are: {known} "
        "(local_aws/environments.json)"
    )
