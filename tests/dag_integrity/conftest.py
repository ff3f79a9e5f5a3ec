"""Airflow needs a home before it is imported; the DAG bag is built once."""

import os
import tempfile
from pathlib import Path

if "AIRFLOW_HOME" not in os.environ or "airflow-home-" not in os.environ["AIRFLOW_HOME"]:
    _HOME = tempfile.TemporaryDirectory(prefix="airflow-home-")
    os.environ["AIRFLOW_HOME"] = _HOME.name
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_HOME.name}/airflow.db"
for name in [name for name in os.environ if name.startswith("CHURN_") and name != "CHURN_REAL_DATA"]:
    del os.environ[name]

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def dag_folder() -> Path:
    return ROOT / "dags"


@pytest.fixture(scope="session")
def dag_bag(dag_folder):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(dag_folder), collect_dags=True, bundle_name="dags")


@pytest.fixture(scope="session")
def dags(dag_bag):
    assert not dag_bag.import_errors, f"mend these DAG files first: {dag_bag.import_errors}"
    assert dag_bag.dags, "the DAG bag is empty: every policy below would hold of nothing"
    return dag_bag.dags
