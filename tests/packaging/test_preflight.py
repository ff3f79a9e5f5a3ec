"""The whole preflight, and faults in files of a copy of a real bundle, each told in a sentence that helps."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from scripts.mwaa_images import AIRFLOW_VERSIONS
from scripts.preflight.__main__ import comparison, main
from scripts.preflight.constraint_checks import constraints_folder, read_constraints
from scripts.preflight.run import check_bundle_files, run_preflight
from tests.packaging.deployment_command import ROOT
from tests.packaging.preflight_findings import IMAGE, environment_of, failures, only

CONSTRAINTS = constraints_folder(ROOT)


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
    planted.plant("dags/churn_retraining.py", "# another\n")
    planted.plant("dags/extra.py", "")
    told = failures(run_preflight(planted.folder, (), ROOT, CONSTRAINTS))
    assert told == [
        "dags/extra.py is not in the manifest; make the bundle anew with `make bundle`",
        "dags/churn_retraining.py was changed after the build; make the bundle anew with `make bundle`",
    ]


def test_manifest_when_there_is_no_bundle_then_names_the_command(tmp_path):
    assert "make the bundle with `make bundle`" in only(run_preflight(tmp_path, (), ROOT, CONSTRAINTS))
