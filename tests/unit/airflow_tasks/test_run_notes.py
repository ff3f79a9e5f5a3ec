"""The listener on Airflow's own tables: what tasks leave becomes the run's note."""

import importlib.util
import itertools
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from airflow.models import import_all_models
from airflow.models.dagrun import DagRun, DagRunNote
from airflow.models.taskinstance import TaskInstance, uuid7
from airflow.models.xcom import XComModel
from sqlalchemy import create_engine, delete, insert, update
from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2026, 11, 24, tzinfo=UTC)
NUMBERS = itertools.count()


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


def try_id(minute):
    """Return an id as Airflow makes one for a try, of that minute after the start."""
    milliseconds = int((START + timedelta(minutes=minute)).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | next(NUMBERS))


def leave(session, run, text, number, key="run_note"):
    """Let task `number` run at that minute and leave a text, in place of what it left before."""
    forget(session, run, number)
    clear(session, run, number, number - 0.5)
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


def clear(session, run, number, minute):
    """Give the task a new try, as clearing does: its texts stay until it runs."""
    same = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": f"task_{number}"}
    session.execute(delete(TaskInstance).filter_by(**same))
    session.execute(
        insert(TaskInstance.__table__).values(
            **same, id=try_id(minute), map_index=-1, pool="default", pool_slots=1, try_number=1
        )
    )


def forget(session, run, number):
    """Drop a task's texts, as Airflow does when it runs again."""
    task = f"task_{number}"
    session.execute(delete(XComModel).filter_by(dag_id=run.dag_id, run_id=run.run_id, task_id=task))


def rerun(session, run, text, number, minute):
    """Clear the task and let it run again at that minute."""
    leave(session, run, text, number)
    clear(session, run, number, minute - 0.5)
    session.execute(
        update(XComModel)
        .filter_by(dag_id=run.dag_id, run_id=run.run_id, task_id=f"task_{number}")
        .values(timestamp=START + timedelta(minutes=minute))
    )


def end(session, run_notes, run):
    run_notes.RunNoteListener().on_dag_run_success(run, "success")
    session.commit()
    session.expire_all()
    return run.note


def test_listener_when_tasks_left_notes_then_the_run_has_them_newest_first(session, run_notes):
    run = make_run(session, "Gate open.", "Registered 1.")
    assert end(session, run_notes, run) == "» Registered 1.\n» Gate open."


def test_listener_when_a_run_failed_then_its_notes_are_copied_too(session, run_notes):
    run = make_run(session, "Refused: no data.")
    run_notes.RunNoteListener().on_dag_run_failed(run, "failure")
    session.commit()
    assert run.note == "» Refused: no data."


def test_listener_when_called_twice_then_nothing_is_repeated(session, run_notes):
    run = make_run(session, "Gate open.")
    end(session, run_notes, run)
    assert end(session, run_notes, run) == "» Gate open."


def test_listener_when_a_person_wrote_a_note_then_it_stays(session, run_notes):
    run = make_run(session, "Gate open.", note="Asked by Ann\nand Bo")
    assert end(session, run_notes, run) == "» Gate open.\nAsked by Ann\nand Bo"


def test_listener_when_a_cleared_run_ends_otherwise_then_only_the_new_verdict_is_told(session, run_notes):
    run = make_run(session, "Gate open.", "Registered 1.", note="Asked by Ann")
    end(session, run_notes, run)
    run.note = f"{run.note}\nLooked at by Bo"
    rerun(session, run, "Gate closed.", 0, minute=60)
    clear(session, run, 1, minute=60)  # and skipped, because the gate is closed
    assert end(session, run_notes, run) == "» Gate closed.\nAsked by Ann\nLooked at by Bo"


def test_listener_when_a_cleared_run_says_nothing_then_its_old_verdict_is_gone(session, run_notes):
    run = make_run(session, "Refused: no data.", note="Asked by Ann")
    end(session, run_notes, run)
    forget(session, run, 0)
    assert end(session, run_notes, run) == "Asked by Ann"


def test_listener_when_no_task_left_a_note_then_there_is_none(session, run_notes):
    end(session, run_notes, make_run(session))
    assert session.query(DagRunNote).count() == 0


def test_listener_when_other_runs_and_keys_have_texts_then_they_are_not_taken(session, run_notes):
    make_run(session, "Another run.", run_id="other")
    run = make_run(session, "Mine.")
    leave(session, run, "a result", 7, key="return_value")
    assert end(session, run_notes, run) == "» Mine."


def test_listener_when_a_run_of_another_dag_has_the_same_id_then_each_has_its_own_note(session, run_notes):
    retraining = make_run(session, "Gate open.")
    monitoring = make_run(session, "No approved model.", dag_id="churn_drift_monitoring")
    assert end(session, run_notes, monitoring) == "» No approved model."
    assert end(session, run_notes, retraining) == "» Gate open."


@pytest.mark.parametrize("written", ["", "y" * 500, "y" * 996, "y" * 997, "y" * 998, "y" * 1000])
def test_note_when_all_is_too_long_then_it_fits_and_a_persons_words_are_whole(run_notes, written):
    note = run_notes.compose_note(written, ["newest " + "x" * 3000, "older"])
    assert len(note) <= 1000
    assert note.endswith(written)
    assert "older" not in note
    assert note.startswith("» newest") == (len(written) <= 500)
    assert run_notes.compose_note(note, []) == written


def test_note_when_a_text_has_several_lines_then_it_is_one(run_notes):
    assert run_notes.compose_note("", ["Gate\n  closed."]) == "» Gate closed."


def test_task_instance_when_airflow_makes_one_then_its_id_tells_the_time(run_notes):
    assert abs(run_notes._seconds_of(uuid7()) - time.time()) < 5


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
