"""When base images are pulled, kept or replaced by stand-ins; a recorder answers in the engine's place."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "docker/stand_in_images/build"
TAGS = ["python:3.12-slim-bookworm", "apache/airflow:3.3.1-python3.12", "postgres:16", "redis:7.2-bookworm"]

# Like docker 28, an empty line on standard output for an image that is not there.
DOCKER = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$1 $2" in
  "image inspect") echo "$LABEL"; exit "$INSPECT_STATUS" ;;
  "pull --quiet") [ "$PULL_STATUS" = 0 ] || echo "no such host" >&2; exit "$PULL_STATUS" ;;
esac
exit 99
"""


@pytest.fixture
def build(tmp_path):
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)

    def run(*, inspect_status: int, pull_status: int = 0, label: str = ""):
        calls = tmp_path / "calls"
        calls.write_text("")
        environment = {
            "PATH": f"{docker.parent}:/usr/bin:/bin",  # debootstrap lies in /usr/sbin
            "CALLS": str(calls),
            "LABEL": label,
            "INSPECT_STATUS": str(inspect_status),
            "PULL_STATUS": str(pull_status),
        }
        done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)
        return done, [line for line in calls.read_text().splitlines() if not line.startswith("image inspect")]

    return run


def test_base_images_when_absent_then_are_pulled(build):
    done, calls = build(inspect_status=1)
    assert done.returncode == 0, done.stderr
    assert calls == [f"pull --quiet {tag}" for tag in TAGS]


def test_base_images_when_the_public_ones_are_there_then_stay(build):
    done, calls = build(inspect_status=0)
    assert (done.returncode, calls) == (0, [])


def test_base_images_when_they_can_neither_be_pulled_nor_built_then_the_reason_is_told(build):
    done, calls = build(inspect_status=1, pull_status=1)
    assert done.returncode == 1
    assert calls == [f"pull --quiet {TAGS[0]}"]
    assert "cannot be pulled (no such host)" in done.stderr
    wanted = "install debootstrap" if os.geteuid() == 0 else "by root only"
    assert "no registry answers" in done.stderr.splitlines()[-1]
    assert wanted in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("last_words", "told"),
    [
        (
            "E: Failed getting release file http://mirror.example/debian/dists/bookworm/Release",
            "no registry answers, nor does the default Debian mirror; name another with DEBIAN_MIRROR",
        ),
        (
            "E: Couldn't download packages: libc6",
            "debootstrap failed although the default Debian mirror answers",
        ),
    ],
)
def test_base_images_when_debootstrap_fails_then_an_absent_mirror_is_told_apart(
    build, tmp_path, last_words, told
):
    for name, script in {"id": "echo 0", "debootstrap": f'echo "{last_words}" >&2; exit 1'}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    done, _ = build(inspect_status=1, pull_status=1)
    assert done.returncode == 1
    assert last_words in done.stderr
    assert done.stderr.splitlines()[-1] == f"base images: {told}"
