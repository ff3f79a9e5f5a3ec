import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

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


@pytest.fixture
def stranger():
    server = HTTPServer(("127.0.0.1", 0), StrangerHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_log_in_when_another_airflow_has_the_port_then_says_so_and_how_to_choose_another(stranger, tmp_path):
    api = AirflowApi(StackSettings(state_dir=tmp_path, airflow_port=stranger, aws_port=1))
    with pytest.raises(StackError, match=f"another Airflow answers.*AIRFLOW_PORT={stranger + 10}"):
        api.log_in()
