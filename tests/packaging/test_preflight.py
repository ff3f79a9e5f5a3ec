"""Faults planted in copies of a real bundle: each is caught, with a sentence that says what to do."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from scripts.mwaa_images import AIRFLOW_ITSELF, AIRFLOW_VERSIONS, constraint_url, lock_file, read_pins
from scripts.preflight.__main__ import comparison, main
from scripts.preflight.constraint_checks import check_constraints, constraints_folder, read_constraints
from scripts.preflight.findings import Verdict
from scripts.preflight.image_environment import ImageEnvironment, Probe
from scripts.preflight.process_checks import check_dag_file, check_web_server
from scripts.preflight.requirement_checks import check_dry_run, check_environment, check_requirements
from scripts.preflight.run import check_bundle_files, check_image_requirements, run_preflight

ROOT = Path(__file__).resolve().parents[2]
IMAGE = AIRFLOW_VERSIONS[0]
DAG = "from airflow.sdk import DAG\nwith DAG('planted', schedule=None): pass\n"
NO_CONSTRAINTS = Path("/nowhere/mwaa")
CONSTRAINTS = constraints_folder(ROOT)
AIRFLOW_LOCK = ROOT / "requirements/airflow.lock"


def environment_of(image):
    if not (ROOT / f".venvs/preflight-{image}/bin/python").exists():
        pytest.skip(f"no environment of image {image}; `make preflight` makes it")
    return ImageEnvironment.of_image(ROOT, image)


@pytest.fixture(scope="module")
def environment():
    return environment_of(IMAGE)


@pytest.fixture(scope="module")
def probe(environment):
    with Probe(environment) as running:
        yield running


@pytest.fixture(scope="module")
def pins():
    return read_pins(lock_file(ROOT, IMAGE).read_text())


def failures(findings):
    return [finding.sentence for finding in findings if finding.verdict is Verdict.FAILED]


def only(findings):
    told = failures(findings)
    assert len(told) == 1, told
    return told[0]


def constraints_text(pins):
    return "".join(f"{name}=={version}\n" for name, version in pins.items() if version)


def web_server(probe, planted):
    dag_modules = frozenset({"dags", "churn_retraining"})
    return check_web_server(IMAGE, probe.ask(planted.plugins), planted.plugins, dag_modules)


def dag(probe, planted, name="planted", seconds=30.0):
    file = f"dags/{name}.py"
    answer = probe.ask(planted.plugins, planted.folder / "dags", planted.folder / file, seconds)
    return check_dag_file(IMAGE, file, answer, planted.plugins)


# --- the bundle as it is ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def whole_preflight(built_bundle, tmp_path_factory):
    """What the command shows of the bundle as it is, and what it notes, on every image."""
    for image in AIRFLOW_VERSIONS:
        environment_of(image)
    bundle = Path(shutil.copytree(built_bundle, tmp_path_factory.mktemp("whole") / "dist"))
    with redirect_stdout(io.StringIO()) as shown:
        code = main(["--bundle", str(bundle), "--constraints", str(CONSTRAINTS)])
    return code, shown.getvalue().splitlines(), json.loads((bundle / "preflight.json").read_text())


def test_preflight_when_the_bundle_is_ours_then_passes_on_every_image(whole_preflight):
    code, shown, record = whole_preflight
    assert code == 0
    assert record["airflow_versions"] == list(AIRFLOW_VERSIONS)
    checks = ("environment", "constraints", "requirements", "resolve", "web server", "dag", "dag")
    for image in AIRFLOW_VERSIONS:
        lines = [line[6:].removeprefix(image).strip() for line in shown if line[6:].startswith(image)]
        assert len(lines) == len(checks), lines
        assert all(line.startswith(check) for line, check in zip(lines, checks, strict=True)), lines


def test_preflight_when_it_ends_then_says_which_images_were_compared_with_mwaas_constraints(whole_preflight):
    _, shown, record = whole_preflight
    at_hand = [image for image in AIRFLOW_VERSIONS if read_constraints(CONSTRAINTS, image)]
    assert record["compared_with_constraints"] == at_hand
    assert shown[-1].endswith(" 0 failed; " + comparison(AIRFLOW_VERSIONS, at_hand))


def test_comparison_when_one_image_was_compared_then_both_are_told():
    assert comparison(["3.3.1", "3.2.1"], ["3.2.1"]) == (
        "compared with MWAA's constraints: 3.2.1, NOT compared with MWAA's constraints: 3.3.1"
    )


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


def test_command_when_a_fault_is_planted_then_exits_with_1_and_leaves_no_record(planted, environment, capsys):
    planted.plant("plugins/statistics.py", "")
    planted.pack()
    (planted.folder / "preflight.json").write_text("{}")
    assert main(["--bundle", str(planted.folder), "--image", IMAGE]) == 1
    shown = capsys.readouterr().out
    assert "FAIL  all    names         plugins.zip: statistics.py would replace" in shown
    assert f"FAIL  {IMAGE}  web server" in shown
    assert not (planted.folder / "preflight.json").exists()


# --- files -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["plugins/statistics.py", "plugins/json/deep.py", "dags/statistics.py"])
def test_names_when_a_module_is_called_like_the_standard_librarys_then_rename_it(planted, path):
    planted.plant(path, "")
    assert "would replace the standard library's" in only(check_bundle_files(planted.unpacked()))


def test_layout_when_include_has_no_init_then_add_it(planted):
    planted.remove("plugins/include/__init__.py")
    told = only(check_bundle_files(planted.unpacked()))
    assert "include/__init__.py is missing" in told
    assert told.endswith("add it")


def test_layout_when_a_package_inside_include_has_no_init_then_names_it(planted):
    planted.remove("plugins/include/settings/__init__.py")
    assert "include/settings/__init__.py is missing" in only(check_bundle_files(planted.unpacked()))


def test_layout_when_the_ignore_file_is_gone_then_says_which_line_it_needs(planted):
    planted.remove("plugins/.airflowignore")
    assert "no .airflowignore with the line `include`" in failures(check_bundle_files(planted.unpacked()))[0]


def test_layout_when_the_folder_itself_was_zipped_then_says_so(planted):
    for path in list(planted.plugins.iterdir()):
        (planted.plugins / "plugins").mkdir(exist_ok=True)
        path.rename(planted.plugins / "plugins" / path.name)
    assert "zip the contents of plugins/" in only(check_bundle_files(planted.unpacked()))


def test_layout_when_a_compiled_file_ships_then_build_anew(planted):
    planted.plant("plugins/include/settings/__pycache__/x.cpython-312.pyc", "")
    assert "is a compiled file" in only(check_bundle_files(planted.unpacked()))


@pytest.mark.parametrize(
    ("path", "size"),
    [("plugins.zip", 11 << 20), ("dags/churn_retraining.py", 2 << 20), ("startup.sh", 1 << 17)],
)
def test_sizes_when_a_file_is_too_large_then_says_where_it_belongs(planted, path, size):
    with planted.path(path).open("ab") as file:
        file.write(b"\n" * size) if path != "plugins.zip" else file.truncate(size)
    if path == "plugins.zip":
        planted.plant("plugins/include/model.bin", "x" * size)
        planted.pack()
    told = [
        sentence
        for sentence in failures(check_bundle_files(planted.unpacked()))
        if "bytes, more than" in sentence
    ]
    assert len(told) == 1
    assert path in told[0]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("exit 0", "did not come to its end (it calls exit)"),
        ("export PYTHONPATH=/usr/local/airflow/dags", "sets PYTHONPATH, which is MWAA's own"),
        ("export MWAA__CORE__X=1", "sets MWAA__CORE__X"),
        ("if true; then", "did not come to its end"),
    ],
)
def test_startup_when_a_line_harms_then_says_which(planted, line, told):
    planted.plant("startup.sh", f"{line}\n")
    assert told in only(check_bundle_files(planted.unpacked()))


def test_manifest_when_a_file_was_changed_by_hand_then_build_anew(planted):
    planted.plant("dags/churn_retraining.py", DAG)
    planted.plant("dags/extra.py", DAG)
    told = failures(run_preflight(planted.folder, (), ROOT, NO_CONSTRAINTS))
    assert told == [
        "dags/extra.py is not in the manifest; make the bundle anew with `make bundle`",
        "dags/churn_retraining.py was changed after the build; make the bundle anew with `make bundle`",
    ]


def test_manifest_when_there_is_no_bundle_then_names_the_command(tmp_path):
    assert "make the bundle with `make bundle`" in only(run_preflight(tmp_path, (), ROOT, NO_CONSTRAINTS))


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


# --- the web server --------------------------------------------------------------------------------
def test_web_server_when_a_plugin_imports_from_dags_then_move_it_to_include(probe, planted):
    planted.plant("plugins/greedy.py", "from churn_retraining import dag\n")
    assert "greedy.py imports churn_retraining from dags/" in only(web_server(probe, planted))


def test_web_server_when_a_plugin_does_not_load_then_says_why(probe, planted):
    planted.plant("plugins/broken.py", "1 / 0\n")
    assert "broken.py does not load (division by zero)" in only(web_server(probe, planted))


def test_web_server_when_a_plugin_replaces_a_module_then_rename_it(probe, planted):
    planted.plant("plugins/statistics.py", "")
    assert "statistics.py took the place of the standard library's statistics" in only(
        web_server(probe, planted)
    )


def test_web_server_when_a_plugin_replaces_an_installed_package_then_rename_it(probe, planted):
    planted.plant("plugins/boto3.py", "")
    told = failures(web_server(probe, planted))
    assert "boto3.py took the place of the installed package boto3; rename the file" in told


def test_web_server_when_include_is_not_ignored_then_its_files_are_seen_under_bare_names(probe, planted):
    planted.remove("plugins/.airflowignore")
    told = failures(web_server(probe, planted))
    assert any(
        "include/settings/s3_layout.py was imported under the bare name s3_layout" in line for line in told
    )


def test_web_server_when_a_plugin_asks_aws_at_import_then_do_it_later(probe, planted):
    planted.plant(
        "plugins/eager.py", "import boto3\ntry:\n    boto3.client('s3')\nexcept RuntimeError:\n    pass\n"
    )
    assert "loading plugins makes an AWS client at eager.py:3" in only(web_server(probe, planted))


def test_web_server_when_no_plugin_is_found_then_says_where_they_belong(probe, planted):
    planted.remove("plugins/run_notes.py")
    assert "plugins.zip has them at its root" in only(web_server(probe, planted))


# --- the DAG processor -----------------------------------------------------------------------------
REACHING_OUT = {
    "an AWS client": "import boto3\nclient = boto3.client('s3', region_name='eu-west-1')\n",
    "an Airflow Variable": "from airflow.sdk import Variable\nbucket = Variable.get('bucket')\n",
    "an Airflow Connection": "from airflow.sdk import BaseHook\nBaseHook.get_connection('aws_default')\n",
    "a network connection": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/')\n",
}


@pytest.mark.parametrize("what", REACHING_OUT)
def test_dag_when_it_reaches_out_while_parsed_then_move_it_into_a_task(probe, planted, what):
    planted.plant("dags/planted.py", REACHING_OUT[what] + DAG)
    told = only(dag(probe, planted))
    assert (
        told == f"dags/planted.py reaches out while it is parsed: {what} at planted.py:2; move it into a task"
    )


def test_dag_when_it_swallows_the_refusal_then_is_caught_all_the_same(probe, planted):
    planted.plant(
        "dags/planted.py", "import boto3\ntry:\n    boto3.resource('s3')\nexcept Exception:\n    pass\n" + DAG
    )
    assert "an AWS client at planted.py:3" in only(dag(probe, planted))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def (:\n", "does not parse: SyntaxError: invalid syntax"),
        (
            "import pandas\n" + DAG,
            "No module named 'pandas'; MWAA's image does not have it: move what needs it into a job",
        ),
        ("from include.drift_statistics import profiles\n" + DAG, "it did not ship: keep it in include/"),
        (
            DAG.replace("'planted'", "'another'"),
            "holds the DAGs another; one file holds one DAG with the file's name",
        ),
        ("x = 1\n", "holds the DAGs none"),
        ("import sys\nsys.exit(3)\n", "does not parse: SystemExit: 3; mend the file"),
    ],
)
def test_dag_when_it_does_not_parse_then_says_what_to_do(probe, planted, text, told):
    planted.plant("dags/planted.py", text)
    assert told in only(dag(probe, planted))


def test_dag_when_its_name_is_too_long_for_the_rest_api_then_shorten_it(probe, planted):
    name = "planted_" + "x" * 50
    planted.plant(f"dags/{name}.py", DAG.replace("planted", name))
    assert "has a DAG id of 58 characters; MWAA's REST API takes 50" in only(dag(probe, planted, name))


def test_dag_when_it_loads_something_heavy_then_import_it_later(probe, planted):
    planted.plant("plugins/numpy.py", "")
    planted.plant("dags/planted.py", "import numpy\n" + DAG)
    assert "loads numpy at parse time; import it inside the function" in only(dag(probe, planted))


def test_dag_when_it_takes_too_long_then_is_stopped_and_told(probe, planted):
    planted.plant("dags/planted.py", "try:\n    while True:\n        pass\nexcept Exception:\n    pass\n")
    told = only(dag(probe, planted, seconds=1.0))
    assert "to parse, and again every time: import and compute less at module level" in told


def test_dag_when_the_init_of_include_is_missing_then_the_package_check_tells(probe, planted):
    planted.remove("plugins/include/__init__.py")
    planted.plant("dags/include/__init__.py", "")
    planted.plant("dags/planted.py", "import include\n" + DAG)
    assert "takes include from dags/; include ships in plugins.zip only" in only(dag(probe, planted))


def test_probe_when_a_file_prints_then_the_answer_is_still_read(probe, planted):
    planted.plant("dags/planted.py", "print('{\"dag_ids\": []}')\n" + DAG)
    assert failures(dag(probe, planted)) == []
