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

log = logging.getLogger(__name__)


class RunNoteListener:
    """Copies the tasks' notes to the run when it ends, in the order in which the tasks ended."""

    @hookimpl
    def on_dag_run_success(self, dag_run, msg):  # noqa: ARG002 - the hook's signature
        """Airflow calls this when a run has succeeded, a run with a closed gate included."""
        copy_notes(dag_run)

    @hookimpl
    def on_dag_run_failed(self, dag_run, msg):  # noqa: ARG002 - the hook's signature
        """Airflow calls this when a run has failed."""
        copy_notes(dag_run)


def copy_notes(dag_run) -> None:
    """Append the tasks' notes to the run's note, within the session that is ending the run."""
    from sqlalchemy.orm import object_session

    if (session := object_session(dag_run)) is not None:
        append_notes(dag_run, session)
        return
    # `airflow dags test` hands over a run that belongs to no session.
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as own_session:
        append_notes(own_session.get(DagRun, dag_run.id), own_session)


def append_notes(dag_run, session) -> None:
    """Add the notes that are not in the run's note yet; a person's own words stay. Commits nothing."""
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    query = (
        select(XComModel.value)
        .where(
            XComModel.dag_id == dag_run.dag_id,
            XComModel.run_id == dag_run.run_id,
            XComModel.key == NOTE_KEY,
        )
        .order_by(XComModel.timestamp)
    )
    note = dag_run.note or ""
    for text in session.scalars(query):
        if isinstance(text, str) and text not in note:
            note = f"{note}\n{text}".strip()
    if note and note != dag_run.note:
        dag_run.note = note[:LONGEST_NOTE]
        log.info("Run %s of %s: %s", dag_run.run_id, dag_run.dag_id, note)


class RunNotesPlugin(AirflowPlugin):
    """Registers the listener."""

    name = "run_notes"
    listeners: ClassVar[list] = [RunNoteListener()]
