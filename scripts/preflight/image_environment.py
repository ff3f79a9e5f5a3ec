"""The environment that stands for one MWAA image: what is installed, what uv would change, a probe."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.mwaa_images import constraint_of, read_pins

_PROBE = Path(__file__).resolve().parent / "probe.py"
_UV_SECONDS = 300


class EnvironmentMissingError(Exception):
    """The image's environment is not there or does not start; the one-line message says what to do."""


@dataclass(frozen=True)
class ImageEnvironment:
    """One virtual environment under .venvs, made from the image's committed lock."""

    airflow_version: str
    python: Path
    uv: Path

    @classmethod
    def of_image(cls, project_root: Path, airflow_version: str) -> Self:
        """Find the environment; raises EnvironmentMissingError."""
        python = project_root / ".venvs" / f"preflight-{airflow_version}" / "bin" / "python"
        uv = project_root / ".venvs" / "tools" / "bin" / "uv"
        for tool in (python, uv):
            if not tool.exists():
                raise EnvironmentMissingError(f"{tool} is not there; `make preflight` makes it")
        return cls(airflow_version, python, uv)

    def installed(self) -> dict[str, str]:
        """Return normalized name → version of what is installed."""
        done = self._uv("freeze", "--python", str(self.python))
        if done.returncode != 0:
            raise EnvironmentMissingError(
                f"uv cannot read {self.python}: {' '.join(done.stderr.split())[:200]}"
            )
        return read_pins(done.stdout)

    def dry_run(self, requirements: str, pins: Mapping[str, str]) -> tuple[bool, str]:
        """Return whether the requirements could be installed here, under the pins, and what uv says of it.

        The constraint's URL is replaced by the pins: what is judged does not depend on the network. uv asks
        the package index only for what is not installed yet.
        """
        kept = [line for line in requirements.splitlines() if constraint_of(line) is None]
        with tempfile.TemporaryDirectory(prefix="preflight-") as temporary:
            constraints, wanted = Path(temporary, "constraints.txt"), Path(temporary, "requirements.txt")
            constraints.write_text("".join(f"{name}=={version}\n" for name, version in sorted(pins.items())))
            wanted.write_text("\n".join(kept) + "\n")
            done = self._uv(
                "install",
                "--dry-run",
                "--python",
                str(self.python),
                "-c",
                str(constraints),
                "-r",
                str(wanted),
            )
        return done.returncode == 0, done.stdout + done.stderr

    def _uv(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.uv), "pip", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_UV_SECONDS,
            env={**os.environ, "NO_COLOR": "1"},
        )


class Probe:
    """A process in the image's environment with nothing of this one's: no AWS, no settings, its own home."""

    def __init__(self, environment: ImageEnvironment) -> None:
        self._environment = environment
        self._home = tempfile.TemporaryDirectory(prefix="preflight-home-")
        self._log = Path(self._home.name, "probe.log")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        variables = {
            "PATH": "/usr/bin:/bin",
            "HOME": self._home.name,
            "AIRFLOW_HOME": self._home.name,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        log = self._log.open("w")
        # Isolated: no PYTHONPATH, no current folder, no user packages; no compiled files in the bundle.
        self._process = subprocess.Popen(
            [str(self._environment.python), "-I", "-B", str(_PROBE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=variables,
            cwd=self._home.name,
        )
        log.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.communicate(timeout=60)
        self._home.cleanup()

    def ask(
        self, plugins: Path, dags: Path | None = None, file: Path | None = None, seconds: float = 30.0
    ) -> dict[str, Any]:
        """Return the probe's answer to one request; raises EnvironmentMissingError when it cannot answer."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise EnvironmentMissingError("the probe is not running; use it in a `with` statement")
        request = {
            "plugins": str(plugins),
            "dags": str(dags) if dags else None,
            "file": str(file) if file else None,
            "seconds": seconds,
        }
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended before it could be asked; its log says why
        line = self._process.stdout.readline()
        if not line:
            last = (self._log.read_text().strip().splitlines() or ["it said nothing"])[-1]
            version = self._environment.airflow_version
            raise EnvironmentMissingError(
                f"Airflow {version} does not start in its environment ({last[:200]}); remove "
                f".venvs/preflight-{version} and run make preflight again"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer
