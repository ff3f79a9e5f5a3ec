"""What happens while DAG files are parsed: everything that should, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXPECTED_DAGS = {
    "churn_drift_monitoring": "churn_drift_monitoring.py",
    "churn_retraining": "churn_retraining.py",
}
HEAVY = (
    "pandas",
    "numpy",
    "scipy",
    "sklearn",
    "tensorflow",
    "keras",
    "pyarrow",
    "matplotlib",
    "joblib",
    "sagemaker",
)

# Parses one file in a process in which any socket, AWS client, session or Variable ends the parse.
PARSE = """
import json, sys, socket, time
import airflow.sdk
from airflow.providers.amazon.aws.operators import sagemaker  # paid by every DAG that uses it

before = set(sys.modules)
violations = []

def refuse(what):
    def refused(*arguments, **named):
        violations.append(what)
        raise RuntimeError(f"{what} while a DAG file is parsed")
    return refused

socket.socket.connect = socket.socket.connect_ex = refuse("a network connection")
import boto3, botocore.session
boto3.client = boto3.resource = refuse("a boto3 client")
boto3.session.Session.client = boto3.session.Session.resource = refuse("a boto3 client")
botocore.session.Session.create_client = refuse("a botocore client")
from airflow.sdk import Variable, BaseHook
Variable.get = refuse("Variable.get")
BaseHook.get_connection = refuse("a connection")

import importlib.util
began = time.perf_counter()
specification = importlib.util.spec_from_file_location("parsed_dag_file", sys.argv[1])
specification.loader.exec_module(importlib.util.module_from_spec(specification))
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "violations": violations,
    "modules": sorted(sys.modules),
}))
"""


def parse(path: Path, **environment: str) -> dict:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CHURN_"))}
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(path)],
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, (
        f"{path.name} does not parse without AWS and without settings:\n{done.stderr[-2000:]}"
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=sorted(EXPECTED_DAGS.values()))
def parsed(request):
    return parse(ROOT / "dags" / request.param)


def test_dag_folder_when_listed_then_every_file_is_expected_here(dag_folder):
    found = {path.name for path in dag_folder.rglob("*.py")}
    assert found == set(EXPECTED_DAGS.values()), "list a new DAG file in EXPECTED_DAGS of this test"


def test_dag_bag_when_built_then_there_are_no_import_errors(dag_bag):
    assert dag_bag.import_errors == {}


def test_dag_bag_when_built_then_it_holds_exactly_the_expected_dags(dags):
    assert {dag_id: Path(dag.fileloc).name for dag_id, dag in dags.items()} == EXPECTED_DAGS
    assert len(dags) == 2


def test_dag_file_when_parsed_then_no_heavy_package_is_imported(parsed):
    loaded = [name for name in parsed["modules"] if name.split(".")[0] in HEAVY]
    assert not loaded, f"import these inside the function that needs them: {loaded}"


def test_dag_file_when_parsed_then_nothing_reaches_out(parsed):
    assert not parsed["violations"], f"move these into a task: {parsed['violations']}"


def test_dag_file_when_parsed_then_our_own_code_takes_little_time(parsed):
    assert parsed["seconds"] < 2.0, (
        "the DAG processor parses this file again and again: import less at the top"
    )


def test_parse_when_a_file_makes_a_client_then_this_test_would_notice(tmp_path):
    offender = tmp_path / "offender.py"
    offender.write_text("import boto3\nboto3.client('s3', region_name='eu-west-1')\n")
    with pytest.raises(AssertionError, match="a boto3 client while a DAG file is parsed"):
        parse(offender)


def test_parse_when_a_file_opens_a_socket_then_this_test_would_notice(tmp_path):
    offender = tmp_path / "offender.py"
    offender.write_text("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1/')\n")
    with pytest.raises(AssertionError, match="a network connection while a DAG file is parsed"):
        parse(offender)


def test_parse_when_a_file_imports_something_heavy_then_this_test_would_notice(tmp_path):
    (tmp_path / "pandas.py").write_text("")
    offender = tmp_path / "offender.py"
    offender.write_text(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport pandas\n")
    assert "pandas" in parse(offender)["modules"]


@pytest.mark.parametrize("file", sorted(EXPECTED_DAGS.values()))
def test_dag_file_when_it_may_not_defer_then_it_parses(file):
    assert parse(ROOT / "dags" / file, CHURN_DEFERRABLE="false")["violations"] == []
