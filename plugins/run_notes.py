"""Show on a run's page why it ended as it did: what its tasks left under the XCom key `run_note`.

A task cannot write its run's note itself: Airflow's execution API has no call for it, and the public API
would need a password in every worker. Listeners run where the run's end is decided (scheduler; API server
when a person marks the run), with the run at hand, on MWAA as on a laptop.
"""

import logging
from typing import ClassVar

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

NOTE_KEY = "run_note"
# The limit of Airflow's own note field.
LONGEST_NOTE = 1000
# Begins each line that is ours: the next end of the run replaces it.
MARK = "» "

log = logging.getLogger(__name__)


class RunNoteListener:
    """Copies the tasks' notes to the run when it ends, above what a person wrote."""

    @hookimpl
    def on_dag_run_success(self, dag_run, msg):  # noqa: ARG002 - the hook's signature
        """Airflow calls this when a run has succeeded, a run with a closed gate included."""
        copy_notes(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run, msg):  # noqa: ARG002 - the hook's signature
        """Airflow calls this when a run has failed."""
        copy_notes(dag_run)


def copy_notes(dag_run) -> None:
    """Bring the run's note up to date, within the session that is ending the run."""
    from sqlalchemy.orm import object_session

    if (session := object_session(dag_run)) is not None:
        renew_note(dag_run, session)
        return
    # `airflow dags test` hands over a run that belongs to no session.
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as own_session:
        renew_note(own_session.get(DagRun, dag_run.id), own_session)


def renew_note(dag_run, session) -> None:
    """Replace what an earlier end of the run said by what its tasks say now. Commits nothing."""
    note = compose_note(dag_run.note or "", read_texts(dag_run, session))
    if note != (dag_run.note or ""):
        dag_run.note = note
        log.info("Run %s of %s: %s", dag_run.run_id, dag_run.dag_id, note)


def read_texts(dag_run, session) -> list[str]:
    """Return the notes of the run's tasks, newest first.

    A task that was cleared and then did not run (its gate is closed now) still has the note of its last run.
    Airflow gives a task instance a new id for each try, and the id holds the time when it was made.
    """
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import and_, select

    is_same_task = and_(
        *(
            getattr(XComModel, name) == getattr(TaskInstance, name)
            for name in ("dag_id", "run_id", "task_id", "map_index")
        )
    )
    query = (
        select(XComModel.value, XComModel.timestamp, TaskInstance.id)
        .join(TaskInstance, is_same_task)
        .where(
            XComModel.dag_id == dag_run.dag_id,
            XComModel.run_id == dag_run.run_id,
            XComModel.key == NOTE_KEY,
        )
        .order_by(XComModel.timestamp.desc())
    )
    return [
        text
        for text, left_at, try_id in session.execute(query)
        if isinstance(text, str) and left_at.timestamp() >= _seconds_of(try_id)
    ]


def _seconds_of(try_id) -> float:
    """Return when an UUID of version 7 was made, in seconds since 1970 (RFC 9562: its first 48 bits)."""
    return (try_id.int >> 80) / 1000


def compose_note(note: str, texts: list[str]) -> str:
    """Return the texts, one marked line each, above the lines of `note` that a person wrote.

    A person's words are never cut: the texts get the room that is left, the first one first.
    """
    written = "\n".join(line for line in note.split("\n") if not line.startswith(MARK)).strip("\n")
    told = "\n".join(MARK + " ".join(text.split()) for text in texts)
    room = LONGEST_NOTE - len(written) - 1 if written else LONGEST_NOTE
    if len(told) > room:
        told = f"{told[: room - 1]}…" if room > len(MARK) else ""
    return "\n".join(part for part in (told, written) if part)


class RunNotesPlugin(AirflowPlugin):
    """Registers the listener."""

    name = "run_notes"
    listeners: ClassVar[list] = [RunNoteListener()]
