"""Requirements, constraints and locks: what could move a package of an image is refused, and told."""

from pathlib import Path

import pytest

from scripts.mwaa_images import AIRFLOW_ITSELF, AIRFLOW_VERSIONS, constraint_url, lock_file, read_pins
from scripts.preflight.constraint_checks import check_constraints, constraints_folder, read_constraints
from scripts.preflight.findings import Verdict
from scripts.preflight.requirement_checks import check_dry_run, check_environment, check_requirements
from scripts.preflight.run import check_image_requirements
from tests.packaging.deployment_command import ROOT
from tests.packaging.preflight_findings import IMAGE, failures, only

NO_CONSTRAINTS = Path("/nowhere/mwaa")
CONSTRAINTS = constraints_folder(ROOT)
AIRFLOW_LOCK = ROOT / "requirements/airflow.lock"


def constraints_text(pins):
    return "".join(f"{name}=={version}\n" for name, version in pins.items() if version)


# --- requirements ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text + "cowsay\n", "'cowsay' has no exact version and no constraint covers it"),
        (lambda text: text + "cowsay>=4\n", "write cowsay==VERSION, or take it out"),
        (
            lambda text: text.replace("9.34.0", "9.30.0"),
            "the image holds 9.34.0; write apache-airflow-providers",
        ),
        (
            lambda text: text.replace("--constraint", "# constraint"),
            "pip may replace MWAA's own Airflow; begin with",
        ),
        (
            lambda text: text.replace("/constraints-3.3.1/", "/constraints-3.1.0/"),
            "is of Airflow 3.1.0, the image is",
        ),
        (lambda text: "boto3\n" + text, "the constraint comes after a package; put it first"),
        (
            lambda text: text.replace("constraints-3.12.txt", "constraints-3.10.txt"),
            "the constraint is of Python 3.10, the image has 3.12; write --constraint",
        ),
        (
            lambda text: text.replace(f'"{constraint_url(IMAGE)}"', "constraints.txt"),
            "'constraints.txt' is no constraint file that MWAA's containers can read; write --constraint",
        ),
        (
            lambda text: text.replace("raw.githubusercontent.com/apache", "example.com"),
            "is no constraint file that MWAA's containers can read",
        ),
        (
            lambda text: text.replace(f'"{constraint_url(IMAGE)}"', "/usr/local/airflow/plugins/absent.txt"),
            "the bundle has no plugins/absent.txt; ship it there, or write --constraint",
        ),
        (lambda text: text + "-cmore.txt\n", "line 8: a second constraint beside that of line 3; keep one"),
        (lambda text: text + "--constraint=more.txt\n", "line 8: a second constraint"),
        (
            lambda text: text + "--extra-index-url https://example.com/simple\n",
            "lets packages come from elsewhere than the constraint was made for; take the line out",
        ),
        (lambda text: text + "--find-links=/usr/local/airflow/plugins\n", "take the line out"),
        (lambda text: text + "-ihttps://example.com/simple\n", "lets packages come from elsewhere"),
        (lambda text: text + "-r more.txt\n", "which MWAA's containers lack; write its lines here"),
        (lambda text: text + "-e /usr/local/airflow/plugins\n", "ship own code in plugins/ or include/"),
        (lambda text: text + "--pre\n", "'--pre' is an option that nothing here needs; take the line out"),
        (
            lambda text: text + "boto3 @ https://example.com/boto3.whl\n",
            "is not a package with a version; write name==version",
        ),
    ],
)
def test_requirements_when_something_could_move_then_says_what_to_write(planted, pins, change, told):
    text = (planted.folder / "requirements.txt").read_text()
    assert told in only(check_requirements("requirements.txt", change(text), IMAGE, pins, {}))


def test_requirements_when_a_line_goes_on_in_the_next_then_both_are_refused(planted, pins):
    text = (planted.folder / "requirements.txt").read_text().replace("--constraint ", "--constraint \\\n")
    told = failures(check_requirements("requirements.txt", text, IMAGE, pins, {}))
    assert "is no constraint file" in told[0]
    assert "is not a package with a version" in told[1]


SHIPPED = "/usr/local/airflow/plugins/constraints.txt"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"boto3": "1.0"}, "has boto3 1.0, the image holds 1.43.56; ship a copy of"),
        ({"a2wsgi": None}, "does not name a2wsgi, which the image holds; ship a copy of https://"),
    ],
)
def test_requirements_when_the_constraint_ships_then_it_must_name_what_the_image_holds(
    planted, pins, change, told
):
    planted.plant("plugins/constraints.txt", constraints_text({**pins, **change}))
    text = (planted.folder / "requirements.txt").read_text()
    text = text.replace(f'"{constraint_url(IMAGE)}"', SHIPPED)
    shipped = planted.unpacked().shipped_texts()
    found = check_requirements("requirements.txt", text, IMAGE, pins, shipped)
    if told is None:
        assert failures(found) == []
    else:
        assert told in only(found)


def test_requirements_when_unconstrained_then_uv_is_not_even_asked(planted, environment, pins):
    planted.plant("requirements.txt", (planted.folder / "requirements.txt").read_text() + "cowsay\n")
    findings = list(check_image_requirements(planted.unpacked(), environment, pins))
    assert [finding.check for finding in findings] == ["requirements"]


def test_dry_run_when_uv_would_move_a_pinned_package_then_names_both_versions(pins):
    output = "Would install 1 package\n - boto3==1.43.56\n + boto3==1.50.0\n + cowsay==4.0\n"
    told = only(check_dry_run("requirements.txt", output, True, IMAGE, {"boto3": "1.43.56"}))
    assert "would move boto3 from 1.43.56 to 1.50.0" in told


def test_dry_run_when_uv_only_adds_then_passes_and_names_it(pins):
    findings = list(check_dry_run("requirements.txt", "Would install\n + cowsay==4.0\n", True, IMAGE, pins))
    assert "adds cowsay 4.0" in findings[0].sentence
    assert failures(findings) == []


def test_dry_run_when_the_environment_itself_is_asked_then_nothing_changes(environment, pins):
    succeeded, output = environment.dry_run('--constraint "https://x/c.txt"\nboto3\n', pins)
    assert succeeded
    assert failures(check_dry_run("requirements.txt", output, succeeded, IMAGE, pins)) == []


def test_environment_when_a_package_is_not_the_locked_one_then_make_it_anew():
    told = only(check_environment(IMAGE, {"boto3": "1"}, {"boto3": "2"}))
    assert "remove .venvs/preflight-3.3.1 and run make preflight again" in told


# --- MWAA's own constraints ------------------------------------------------------------------------
def test_constraints_when_mwaas_are_absent_then_says_so_and_how_to_name_them(pins):
    (finding,) = check_constraints(IMAGE, pins, NO_CONSTRAINTS)
    assert finding.verdict is Verdict.SKIPPED
    assert finding.sentence == (
        "NOT compared: requirements/preflight/3.3.1.lock with MWAA's own constraints, because "
        "/nowhere/mwaa/constraints-3.3.1.txt is not there; CHURN_MWAA_CONSTRAINTS names the folder"
    )


@pytest.mark.parametrize(
    ("constraints", "told"),
    [
        ({"boto3": "1.0"}, "the lock has boto3 1.43.56, MWAA's constraints 1.0; make the lock anew"),
        ({"boto3": None}, "MWAA's constraints do not name boto3, which the lock has; make the lock anew"),
    ],
)
def test_constraints_when_the_lock_is_not_of_mwaas_then_says_which_package(tmp_path, pins, constraints, told):
    (tmp_path / f"constraints-{IMAGE}.txt").write_text(constraints_text({**pins, **constraints}))
    assert told in only(check_constraints(IMAGE, pins, tmp_path))


@pytest.mark.parametrize(
    ("image", "lock"),
    [*((image, lock_file(ROOT, image)) for image in AIRFLOW_VERSIONS), (IMAGE, AIRFLOW_LOCK)],
    ids=lambda value: getattr(value, "name", value),
)
def test_locks_when_mwaas_constraints_are_at_hand_then_hold_their_versions(image, lock):
    named = read_constraints(CONSTRAINTS, image)
    if named is None:
        pytest.skip(f"no {CONSTRAINTS}/constraints-{image}.txt; CHURN_MWAA_CONSTRAINTS names the folder")
    locked = read_pins(lock.read_text())
    # Only of interest to a Python that MWAA does not have.
    locked = {name: version for name, version in locked.items() if name != "pyyaml-ft"}
    assert {name: named.get(name) for name in locked.keys() - AIRFLOW_ITSELF} == {
        name: locked[name] for name in locked.keys() - AIRFLOW_ITSELF
    }
