"""What processing and training containers have in common: directories, rewritten paths, environment, Python.

A job sees its own directory where a container would have `/opt/ml`: the path is rewritten in arguments and
environment values, so neither root nor a mount namespace is needed.
"""

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.job_environments import JobEnvironment

CONTAINER_ROOT = "/opt/ml"
MESSAGE_BYTES = 1024
# Not inside a longer path or address (s3://bucket/opt/ml/…), and not /opt/mlflow.
CONTAINER_PATH = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")
PYTHON_NAME = re.compile(r"python(3(\.\d+)?)?")


@dataclass(frozen=True)
class JobDirectory:
    """The directory of one job: `opt/ml` inside it is what the job sees as /opt/ml."""

    path: Path

    @property
    def opt_ml(self) -> Path:
        """The directory that stands for /opt/ml."""
        return self.path / "opt" / "ml"

    @property
    def home(self) -> Path:
        """The job's home and temporary directory."""
        return self.path / "home"

    def local(self, container_path: str) -> Path:
        """Return where a path below /opt/ml of the container lies here."""
        return Path(self.rewrite(container_path))

    def rewrite(self, text: str) -> str:
        """Replace /opt/ml by this job's directory."""
        return CONTAINER_PATH.sub(lambda _: str(self.opt_ml), text)

    def make(self) -> None:
        """Make the directories every job has."""
        self.opt_ml.mkdir(parents=True)
        (self.home / "tmp").mkdir(parents=True)


def base_environment(
    directory: JobDirectory, environment: JobEnvironment, region: str, endpoint: str
) -> dict[str, str]:
    """Return the clean environment of a job: nothing of the stand-in's own is inherited."""
    return {
        "PATH": f"{environment.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(environment.python.parent.parent),
        "HOME": str(directory.home),
        "TMPDIR": str(directory.home / "tmp"),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "UTF-8",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def with_python(arguments: list[str], environment: JobEnvironment) -> list[str]:
    """Replace a leading `python3`, wherever the image has it, by the environment's interpreter."""
    first, *rest = arguments
    if PYTHON_NAME.fullmatch(Path(first).name):
        return [str(environment.python), *rest]
    return arguments


def write_json(path: Path, content: Any) -> None:
    """Write a configuration file of the container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def read_message(path: Path) -> str | None:
    """Return the first KB of a text file a job left, or None; raises UnicodeDecodeError."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        content = file.read(MESSAGE_BYTES)
    # A character cut by the limit is no encoding error of the job's.
    is_whole = len(content) < MESSAGE_BYTES
    return codecs.getincrementaldecoder("utf-8")().decode(content, final=is_whole)
