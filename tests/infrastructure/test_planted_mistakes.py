"""None of the planted mistakes slips through: each is caught by the layer that the README's table names."""

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.policy_coverage.__main__ import RECORDING, problems_of
from scripts.policy_coverage.coverage import read_recording
from scripts.terraform_runs import INFRASTRUCTURE, copy_infrastructure
from tests.infrastructure.planted_mistakes import (
    ACTIONS,
    COVERAGE,
    LOADING,
    METRICS,
    MISTAKES,
    REFERENCES,
    SCHEMA,
    TEST,
    Mistake,
)
from tests.infrastructure.test_metric_names import unpublished
from tests.infrastructure.test_terraform_checks import CHECKOUT, POLICY_PYTHON


def of_layer(layer: str) -> list[Mistake]:
    return [mistake for mistake in MISTAKES if mistake.layer == layer]


def named(layer: str):
    return pytest.mark.parametrize("mistake", of_layer(layer), ids=lambda mistake: mistake.name)


@pytest.fixture
def modules(tmp_path) -> Path:
    """A copy of the modules for checks that need no Terraform."""
    return Path(shutil.copytree(INFRASTRUCTURE / "modules", tmp_path / "modules"))


def copy_with(layer: str, target: Path) -> Path:
    """Copy infrastructure/ with all mistakes of a layer: each is known again by its own evidence."""
    copied = copy_infrastructure(target)
    for mistake in of_layer(layer):
        mistake.plant(copied / "modules")
    return copied


@pytest.fixture(scope="module")
def findings(attached, account_in_the_making, tmp_path_factory):
    """What Terraform says of the mistakes of each stage of `validate`: a stage hides those after it."""
    said = {}
    for layer in (LOADING, REFERENCES, SCHEMA):
        folder = copy_with(layer, tmp_path_factory.mktemp("validate")) / "environments/development"
        done = attached.run(folder, "init", "-backend=false", "-no-color")
        if done.returncode == 0:  # what cannot be loaded is told by init already
            done = attached.run(folder, "validate", "-no-color")
        assert done.returncode != 0
        said[layer] = " ".join((done.stdout + done.stderr).split())
    return said


@pytest.fixture(scope="module")
def said_by_test(attached, account_in_the_making, tmp_path_factory):
    """What `terraform test` says of all mistakes that it has to catch."""
    folder = copy_with(TEST, tmp_path_factory.mktemp("test")) / "modules/platform"
    attached.initialise(folder)
    done = attached.run(folder, "test", "-no-color")
    assert done.returncode != 0
    return " ".join((done.stdout + done.stderr).split())


@named(LOADING)
def test_mistake_when_in_the_wiring_then_terraform_validate_names_it(findings, mistake):
    assert mistake.evidence in findings[LOADING]


@named(REFERENCES)
def test_mistake_when_in_a_reference_then_terraform_validate_names_it(findings, mistake):
    assert mistake.evidence in findings[REFERENCES]


@named(SCHEMA)
def test_mistake_when_against_the_schema_then_terraform_validate_names_it(findings, mistake):
    assert mistake.evidence in findings[SCHEMA]


@named(TEST)
def test_mistake_when_in_values_or_meaning_then_terraform_test_names_it(said_by_test, mistake):
    assert mistake.evidence in said_by_test


@named(ACTIONS)
def test_mistake_when_in_an_action_then_the_list_of_actions_names_it(modules, mistake):
    if not POLICY_PYTHON.exists():
        pytest.skip("the environment .venvs/policy_check is missing: make environment-policies")
    mistake.plant(modules)
    done = subprocess.run(
        [POLICY_PYTHON, "scripts/check_policy_actions.py", str(modules)],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert mistake.evidence in done.stdout


@named(COVERAGE)
def test_mistake_when_in_what_a_role_may_do_then_the_coverage_names_it(modules, mistake):
    mistake.plant(modules)
    problems = problems_of(read_recording(RECORDING), is_complete=True, modules=modules)
    assert [line for line in problems if mistake.evidence in line], problems


@named(METRICS)
def test_mistake_when_in_a_metric_then_the_comparison_names_it(modules, mistake):
    mistake.plant(modules)
    assert mistake.evidence in unpublished(modules)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_when_caught_then_the_readme_says_by_which_layer(mistake):
    rows = [line for line in (INFRASTRUCTURE / "README.md").read_text().splitlines() if line.startswith("|")]
    assert f"| {mistake.name} | {mistake.layer} |" in rows
