"""Faults that show in processes of Airflow only, planted in copies of a bundle, in an image's environment."""

import pytest

from scripts.preflight.image_environment import Probe
from scripts.preflight.process_checks import check_dag_file, check_web_server
from tests.packaging.preflight_findings import IMAGE, failures, only

DAG = "from airflow.sdk import DAG\nwith DAG('planted', schedule=None): pass\n"


@pytest.fixture(scope="module")
def probe(environment):
    with Probe(environment) as running:
        yield running


def web_server(probe, planted):
    dag_modules = frozenset({"dags", "churn_retraining"})
    return check_web_server(IMAGE, probe.ask(planted.plugins), planted.plugins, dag_modules)


def dag(probe, planted, name="planted", seconds=30.0):
    file = f"dags/{name}.py"
    answer = probe.ask(planted.plugins, planted.folder / "dags", planted.folder / file, seconds)
    return check_dag_file(IMAGE, file, answer, planted.plugins)


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
