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
