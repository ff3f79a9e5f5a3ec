"""The listener on Airflow's own tables: what tasks leave becomes the run's note."""

import importlib.util
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.models import import_all_models
from airflow.models.dagrun import DagRun, DagRunNote
from airflow.models.xcom import XComModel
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def run_notes():
    specification = importlib.util.spec_from_file_location("run_notes", ROOT / "plugins/run_notes.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def session():
    import_all_models()
    engine = create_engine("sqlite://")
    DagRun.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened


def make_run(session, *texts, run_id="run", note=None, dag_id="churn_retraining"):
    run = DagRun(dag_id=dag_id, run_id=run_id, run_type="manual", run_after=START)
    session.add(run)
    session.flush()
    for number, text in enumerate(texts):
        leave(session, run, text, number)
    if note:
        run.note = note
    session.flush()
    return run


def leave(session, run, text, number, key="run_note"):
    session.add(
        XComModel(
            dag_run_id=run.id,
            task_id=f"task_{number}",
            key=key,
            dag_id=run.dag_id,
            run_id=run.run_id,
            value=text,
            timestamp=START + timedelta(minutes=number),
        )
    )
    session.flush()


def end(session, run_notes, run):
    run_notes.RunNoteListener().on_dag_run_success(run, "success")
    session.commit()
    session.expire_all()
    return run.note


def test_listener_when_tasks_left_notes_then_the_run_has_them_in_order(session, run_notes):
    assert (
        end(session, run_notes, make_run(session, "Gate open.", "Registered 1."))
        == "Gate open.\nRegistered 1."
    )


def test_listener_when_a_run_failed_then_its_notes_are_copied_too(session, run_notes):
    run = make_run(session, "Refused: no data.")
    run_notes.RunNoteListener().on_dag_run_failed(run, "failure")
    session.commit()
    assert run.note == "Refused: no data."


def test_listener_when_called_twice_then_nothing_is_repeated(session, run_notes):
    run = make_run(session, "Gate open.")
    end(session, run_notes, run)
    assert end(session, run_notes, run) == "Gate open."


def test_listener_when_a_person_wrote_a_note_then_it_stays(session, run_notes):
    assert (
        end(session, run_notes, make_run(session, "Gate open.", note="Asked by Ann"))
        == "Asked by Ann\nGate open."
    )


def test_listener_when_no_task_left_a_note_then_there_is_none(session, run_notes):
    end(session, run_notes, make_run(session))
    assert session.query(DagRunNote).count() == 0


def test_listener_when_other_runs_and_keys_have_texts_then_they_are_not_taken(session, run_notes):
    make_run(session, "Another run.", run_id="other")
    run = make_run(session, "Mine.")
    leave(session, run, "a result", 7, key="return_value")
    assert end(session, run_notes, run) == "Mine."


def test_listener_when_a_run_of_another_dag_has_the_same_id_then_each_has_its_own_note(session, run_notes):
    retraining = make_run(session, "Gate open.")
    monitoring = make_run(session, "No approved model.", dag_id="churn_drift_monitoring")
    assert end(session, run_notes, monitoring) == "No approved model."
    assert end(session, run_notes, retraining) == "Gate open."


def test_listener_when_the_notes_are_too_long_then_they_fit_airflows_field(session, run_notes):
    assert len(end(session, run_notes, make_run(session, "x" * 3000))) == 1000


LOAD_PLUGINS = """
from airflow.plugins_manager import _get_plugins
plugins, errors = _get_plugins()
print(sorted(plugin.name for plugin in plugins), errors)
"""


def test_plugins_folder_when_airflow_loads_it_then_our_package_inside_is_left_alone(tmp_path):
    # MWAA unpacks plugins.zip into this shape: our plugins, and `include` as a package beside them.
    shutil.copytree(ROOT / "plugins", tmp_path / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plugins/include").mkdir()
    (tmp_path / "plugins/include/statistics.py").write_text(
        "raise RuntimeError('loaded under its bare name')\n"
    )
    settings = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins"), "AIRFLOW_HOME": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", LOAD_PLUGINS],
        env={"PATH": "/usr/bin:/bin", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "'run_notes'" in shown.stdout, shown.stderr[-1500:]
    assert shown.stdout.rstrip().endswith("{}"), shown.stdout
