"""The order in which Airflow's components start."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from local_airflow.airflow_processes import _wait_for_api_server


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments):
        """Keep pytest's output clean."""


@pytest.mark.parametrize("status", [200, 404])
def test_scheduler_when_the_api_server_does_not_answer_yet_then_it_waits_for_it(monkeypatch, status):
    server = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.server_bind()  # the port is taken, nobody listens
    server.status = status
    url = f"http://127.0.0.1:{server.server_address[1]}/execution/"
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", url)
    waiting = threading.Thread(target=_wait_for_api_server, daemon=True)
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    server.server_activate()
    server.timeout = 10
    server.handle_request()
    waiting.join(10)
    server.server_close()
    assert not waiting.is_alive()
