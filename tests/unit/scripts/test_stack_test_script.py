"""When `make test-stack` tests, skips and fails, and what .ci/run installs; recorders stand in its way."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENGINE = 'case "$1" in info) exit "$ENGINE_STATUS";; compose) exit 0;; esac; exit 99'
AS_ROOT = "echo 0"
TOOLS = ("bash", "dirname", "mktemp", "rm", "tail", "tee", "grep", "sleep", "setsid", "cat")


class Machine:
    """A copy of the scripts whose commands are recorders; nothing else is on its PATH."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.variables = {"PATH": str(folder / "bin"), "CALLS": str(folder / "calls"), "ENGINE_STATUS": "0"}
        for name in ("scripts/test_stack", ".ci/run"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        (folder / "bin").mkdir()
        for tool in TOOLS:
            (folder / "bin" / tool).symlink_to(shutil.which(tool))
        self.has("bin/id", AS_ROOT)
        self.has("docker/stand_in_images/build", "echo all there")
        self.has(".venvs/airflow/bin/python", 'echo "python $*" >>"$CALLS"; exit "${PYTEST_STATUS:-0}"')

    def has(self, name: str, script: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def run(self, script: str = "scripts/test_stack", **variables: str):
        done = subprocess.run(
            [self.folder / script],
            env=self.variables | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        calls = self.folder / "calls"
        return done, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def with_engine(machine):
    machine.has("bin/docker", ENGINE)
    return machine


def last_line(done) -> str:
    return done.stdout.splitlines()[-1]


def test_stack_test_when_an_engine_answers_then_pytest_decides(with_engine):
    done, calls = with_engine.run()
    assert (done.returncode, len(calls)) == (0, 1)
    assert "tests/stack" in calls[0]
    assert "done after 0 s of at most 1200 s" in last_line(done)
    failing, _ = with_engine.run(PYTEST_STATUS="1")
    assert failing.returncode == 1


def test_stack_test_when_green_but_too_slow_then_fails(with_engine):
    done, _ = with_engine.run(CHURN_STACK_SECONDS="-1")
    assert done.returncode == 1
    assert last_line(done).startswith("test-stack: FAILED: green, but it took 0 s, more than -1 s")


LACKING = {
    "docker is not installed; on Debian: apt-get install docker.io docker-compose debootstrap": {},
    "docker compose is not installed; on Debian: apt-get install docker-compose": {"bin/docker": "exit 1"},
    "dockerd is not installed; on Debian: apt-get install docker.io": {"bin/docker": ENGINE},
    "only root can start dockerd": {"bin/docker": ENGINE, "bin/dockerd": "exit 1", "bin/id": "echo 1000"},
    "dockerd does not start here; run it by hand to see more: no overlay": {
        "bin/docker": ENGINE,
        "bin/dockerd": "echo no overlay; exit 1",
    },
    "no registry answers; install debootstrap": {
        "bin/docker": "exit 0",
        "docker/stand_in_images/build": "echo 'no registry answers; install debootstrap'; exit 1",
    },
}


@pytest.mark.parametrize("reason", LACKING)
def test_stack_test_when_something_is_lacking_then_skips_with_advice_unless_required(machine, reason):
    for name, script in LACKING[reason].items():
        machine.has(name, script)
    skipped, calls = machine.run(ENGINE_STATUS="1")
    assert (skipped.returncode, calls) == (0, [])
    assert last_line(skipped).startswith("test-stack: SKIPPED, nothing was tested: ")
    assert reason in last_line(skipped)
    required, _ = machine.run(ENGINE_STATUS="1", CHURN_STACK_REQUIRED="1")
    assert required.returncode == 1
    assert last_line(required).startswith("test-stack: FAILED: CHURN_STACK_REQUIRED=1")


def test_stack_test_when_base_images_fail_though_a_mirror_answers_then_fails(with_engine):
    with_engine.has("docker/stand_in_images/build", "echo debootstrap failed although it answers; exit 1")
    done, calls = with_engine.run()
    assert (done.returncode, calls) == (1, [])
    assert last_line(done) == "test-stack: FAILED: debootstrap failed although it answers"


# --- .ci/run ---------------------------------------------------------------------------------------
RECORD = 'echo "${0##*/} $*" >>"$CALLS"'
INSTALL = "apt-get install -qq --yes"


@pytest.mark.parametrize(
    ("there", "installed"),
    [
        ((), ["apt-get update -qq", f"{INSTALL} docker.io docker-compose debootstrap"]),
        (("dockerd", "docker-compose"), ["apt-get update -qq", f"{INSTALL} debootstrap"]),
        (("dockerd", "docker-compose", "debootstrap"), []),
    ],
)
def test_ci_when_packages_are_missing_then_installs_those_between_the_tests(machine, there, installed):
    for name in ("apt-get", "make", *there):
        machine.has(f"bin/{name}", RECORD)
    done, calls = machine.run(".ci/run")
    assert done.returncode == 0, done.stdout
    assert calls == ["make test", *installed, "make test-stack"]


@pytest.mark.parametrize("change", [{"id": "echo 1000"}, {"DOCKER_HOST": "tcp://elsewhere"}])
def test_ci_when_it_may_not_install_then_goes_on(machine, change):
    for name in ("apt-get", "make"):
        machine.has(f"bin/{name}", RECORD)
    if "id" in change:
        machine.has("bin/id", change.pop("id"))
    done, calls = machine.run(".ci/run", **change)
    assert (done.returncode, calls) == (0, ["make test", "make test-stack"])


def test_ci_when_packages_cannot_be_had_then_says_so_and_goes_on(machine):
    machine.has("bin/make", RECORD)
    machine.has("bin/apt-get", "echo no mirror >&2; exit 100")
    done, calls = machine.run(".ci/run")
    assert (done.returncode, calls) == (0, ["make test", "make test-stack"])
    assert "ci: could not be installed, so the stack test may be skipped: no mirror" in done.stdout


def test_ci_when_the_tests_fail_then_nothing_is_installed(machine):
    machine.has("bin/make", f"{RECORD}; exit 2")
    machine.has("bin/apt-get", RECORD)
    done, calls = machine.run(".ci/run")
    assert (done.returncode, calls) == (2, ["make test"])
