"""scripts/make_environment with the real uv and a package of its own, no network."""

import hashlib
import os
import pty
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INFO = "tiny-1.0.dist-info"


@pytest.fixture
def project(tmp_path):
    """A project with the script, the tools and one package, `tiny`, in its lock file."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "ANSWER = 42\n")
        archive.writestr(f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{INFO}/RECORD", f"tiny.py,,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/RECORD,,\n")
    for folder in ("scripts", "requirements", ".venvs"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "scripts/make_environment", tmp_path / "scripts")
    (tmp_path / ".venvs/tools").symlink_to((ROOT / ".venvs/tools").resolve())
    write_lock(tmp_path, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return tmp_path


def write_lock(project, digest):
    lock = f"--no-index\n--find-links {project}\ntiny==1.0 \\\n    --hash=sha256:{digest}\n"
    (project / "requirements/small.lock").write_text(lock)


def make(project, **options):
    command = [project / "scripts/make_environment", "own", "small"]
    environment = {**os.environ, "PYTHON": sys.executable, "UV_CACHE_DIR": str(project / "cache")}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False, **options)


def test_environment_when_made_into_a_log_then_tells_packages_and_seconds_in_two_lines(project):
    done = make(project, stderr=subprocess.PIPE, text=True)
    first, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (0, "")
    assert first.startswith("environment own: installing 1 packages from requirements/small.lock")
    assert last.startswith("environment own: 1 packages ready in ")
    assert (project / ".venvs/own/.ready-small").exists()
    python = project / ".venvs/own/bin/python"
    assert subprocess.check_output([python, "-c", "import tiny; print(tiny.ANSWER)"], text=True) == "42\n"


def test_environment_when_made_on_a_terminal_then_tells_each_step_on_one_line(project):
    reader, terminal = pty.openpty()
    assert make(project, stderr=terminal).returncode == 0
    os.close(terminal)
    seen = os.read(reader, 65536).decode()
    os.close(reader)
    assert re.search(r"\r\x1b\[K +\d+ s  compiling bytecode\r", seen)
    assert seen.count("\n") == 2
    assert "tiny==1.0" not in seen


def test_environment_when_a_package_is_not_the_locked_one_then_fails_with_uvs_reason(project):
    write_lock(project, "0" * 64)
    done = make(project, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "ash mismatch" in done.stderr
    assert "environment own: could not be made" in done.stderr
    assert not (project / ".venvs/own/.ready-small").exists()
