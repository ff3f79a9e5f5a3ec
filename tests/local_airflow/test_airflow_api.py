import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from local_airflow.airflow_api import AirflowApi
from local_airflow.stack_settings import StackError, StackSettings


class StrangerHandler(BaseHTTPRequestHandler):
    """Another Airflow: it does not know our password."""

    def do_POST(self):
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b'{"detail": "Invalid credentials"}')

    def log_message(self, *_arguments):
        return


class BusySqliteHandler(BaseHTTPRequestHandler):
    """An Airflow on SQLite whose scheduler gets in the way of the first `refusals` backfills."""

    seen: ClassVar[list[tuple[str, object]]] = []
    refusals = 1

    def do_PATCH(self):
        self._answer(200, {})

    def do_POST(self):
        tries = sum(name == "POST" for name, _ in self.seen)
        if tries < self.refusals:
            self._answer(503, {"detail": "Database is locked."})
        else:
            self._answer(200, {"id": 7})

    def _answer(self, status, content):
        length = int(self.headers["Content-Length"])
        self.seen.append((self.command, json.loads(self.rfile.read(length)).get("is_paused")))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_arguments):
        return


class FlakyHandler(BaseHTTPRequestHandler):
    """An Airflow that gives the prepared answers in turn, the last one for ever; None hangs up."""

    answers: ClassVar[list[tuple[int, str] | None]] = []

    def do_GET(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer[0])
        self.end_headers()
        self.wfile.write(answer[1].encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_arguments):
        return


@contextmanager
def served_by(handler):
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def stranger():
    with served_by(StrangerHandler) as port:
        yield port


@pytest.fixture
def busy(monkeypatch, tmp_path):
    """A client of the busy Airflow; it does not wait between its tries."""
    monkeypatch.setattr(BusySqliteHandler, "seen", [])
    monkeypatch.setattr("local_airflow.airflow_api.time.sleep", lambda _: None)
    with served_by(BusySqliteHandler) as port:
        yield AirflowApi(StackSettings(state_dir=tmp_path, airflow_port=port, aws_port=1))


@pytest.fixture
def flaky(monkeypatch, tmp_path):
    """A client of an Airflow that gives these answers; it does not wait between its tries."""
    monkeypatch.setattr("local_airflow.airflow_api.time.sleep", lambda _: None)
    with served_by(FlakyHandler) as port:

        def answer(*answers):
            monkeypatch.setattr(FlakyHandler, "answers", list(answers))
            return AirflowApi(StackSettings(state_dir=tmp_path, airflow_port=port, aws_port=1))

        yield answer


ABSENT = (404, '{"detail": "no such thing"}')
BROKEN = (500, '{"detail": "database is locked"}')
LOG = {"content": [{"event": "hello"}, "text"]}
READERS = {
    "get_xcom": (lambda api: api.get_xcom("dag", "run", "task"), {"value": 7}, 7, None),
    "find_dag": (lambda api: api.find_dag("dag"), {"dag_id": "dag"}, {"dag_id": "dag"}, None),
    "get_log_lines": (lambda api: api.get_log_lines("dag", "run", "task", 1), LOG, [{"event": "hello"}], []),
}


@pytest.mark.parametrize(("read", "content", "found", "absent"), READERS.values(), ids=READERS)
@pytest.mark.parametrize("trouble", [BROKEN, None], ids=["5xx", "hangs up"])
def test_read_when_airflow_is_in_trouble_for_a_moment_then_asks_again(
    flaky, read, content, found, absent, trouble
):
    assert read(flaky(trouble, trouble, (200, json.dumps(content)))) == found
    assert read(flaky(trouble, ABSENT)) == absent


@pytest.mark.parametrize("read", [reader[0] for reader in READERS.values()], ids=READERS)
@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (BROKEN, "refused the request: database is locked"),
        ((403, '{"detail": "Forbidden"}'), "refused the request: Forbidden"),
        (None, "does not answer GET /api/v2/dags/dag"),
        ((200, "<html>"), "does not answer like Airflow: '<html>'"),
    ],
    ids=["5xx", "forbidden", "hangs up", "no JSON"],
)
def test_read_when_airflow_stays_in_trouble_then_says_so_instead_of_finding_nothing(
    flaky, read, trouble, said
):
    with pytest.raises(StackError, match=said):
        read(flaky(trouble))


def test_log_in_when_airflow_hangs_up_once_then_asks_again(flaky):
    api = flaky(None, (201, '{"access_token": "t"}'), (200, '{"value": 7}'))
    api.log_in()
    assert api.get_xcom("dag", "run", "task") == 7


def test_trigger_when_airflow_hangs_up_then_is_not_sent_twice(flaky):
    api = flaky(None, (200, '{"dag_run_id": "run"}'))
    with pytest.raises(StackError, match="does not answer POST"):
        api.trigger("dag", "run", {})


def test_create_backfill_when_sqlite_is_busy_then_tries_again_while_the_dag_pauses(busy):
    assert busy.create_backfill("some_dag", "2026-01-01", "2026-01-03", {}) == 7
    assert BusySqliteHandler.seen == [("PATCH", True), ("POST", None), ("POST", None), ("PATCH", False)]


def test_create_backfill_when_it_is_refused_for_good_then_the_dag_does_not_stay_paused(busy, monkeypatch):
    monkeypatch.setattr(BusySqliteHandler, "refusals", 1_000)
    with pytest.raises(StackError, match="Database is locked"):
        busy.create_backfill("some_dag", "2026-01-01", "2026-01-03", {})
    assert BusySqliteHandler.seen[-1] == ("PATCH", False)


def test_log_in_when_another_airflow_has_the_port_then_says_so_and_how_to_choose_another(stranger, tmp_path):
    api = AirflowApi(StackSettings(state_dir=tmp_path, airflow_port=stranger, aws_port=1))
    with pytest.raises(StackError, match=f"another Airflow answers.*AIRFLOW_PORT={stranger + 10}"):
        api.log_in()
