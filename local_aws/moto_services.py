"""Every other AWS service: moto, made to survive a restart by a journal of the requests that changed it.

moto keeps its state in memory only. Requests that change something are written to the journal with the time
and the seed of moto's random numbers, and are given to moto again at the next start, so ARNs and ids come out
the same. moto is loaded at the first request that needs it: the stand-in itself starts without it.
"""

import base64
import datetime
import io
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from local_aws.message_outbox import MessageOutbox
from local_aws.request_details import action_of
from local_aws.state_store import StateStore

# Actions that begin like this only read.
READING = ("Describe", "Get", "List", "Lookup", "Head", "Search", "Query", "Scan", "Filter", "Test")
READING += ("BatchGet", "AssumeRole")
# Not given to moto again: what they do outside the state would happen twice, or they change nothing kept.
NOT_REPLAYED = ("Publish", "PublishBatch", "Invoke", "InvokeAsync", "SendEmail", "ReceiveMessage")
# Of an address or a session, not of the request.
DROPPED_HEADERS = ("HTTP_X_AMZ_SECURITY_TOKEN", "HTTP_EXPECT", "HTTP_CONNECTION")
KEPT_ENVIRONMENT = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "RAW_URI", "REQUEST_URI", "CONTENT_TYPE")
StartResponse = Callable[..., Any]


class _ReplayClock:
    """Stands for the datetime module inside moto's clock, so that a replayed request keeps its time."""

    class datetime(datetime.datetime):  # noqa: N801 - takes the place of a name of the standard library
        """`datetime.datetime` whose present can be set."""

        present: float | None = None

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            if cls.present is None:
                return datetime.datetime.now(tz)
            return datetime.datetime.fromtimestamp(cls.present, tz)

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)


class MotoServices:
    """moto's own WSGI application behind the journal."""

    def __init__(self, state: StateStore, outbox: MessageOutbox):
        self._state = state
        self._outbox = outbox
        self._application: Any = None
        self._clock = _ReplayClock()
        self._lock = threading.RLock()

    def load(self) -> None:
        """Import moto and give it the journal; done once, by whoever needs it first."""
        with self._lock:
            if self._application is not None:
                return
            import moto.core.utils
            from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

            moto.core.utils.datetime = self._clock  # type: ignore[attr-defined]
            application = DomainDispatcherApplication(create_backend_app)  # type: ignore[arg-type]
            for entry in self._state.journal():
                self._run(application, entry)
            self._application = application

    def handle(self, environ: dict[str, Any], start_response: StartResponse) -> Any:
        """Answer one request; one that changes something is journaled before its answer goes out."""
        self.load()
        body = _read_body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        action = action_of(environ, body)
        if not _changes(environ, action):
            return self._application(environ, start_response)
        entry = {
            "Time": time.time(),
            "Seed": secrets.randbits(64),
            "Action": action,
            "Environment": {
                name: value
                for name, value in environ.items()
                if (name in KEPT_ENVIRONMENT or name.startswith("HTTP_"))
                and name not in DROPPED_HEADERS
                and isinstance(value, str)
            },
            "Body": base64.b64encode(body).decode(),
        }
        # One at a time: the order of the journal is the order in which moto saw the requests.
        with self._lock:
            status, headers, content = self._run(self._application, entry)
            if status < 400:
                self._outbox.take(action, body, content)
                if action not in NOT_REPLAYED:
                    self._state.append_to_journal(entry)
        start_response(f"{status} {'OK' if status < 400 else 'ERROR'}", headers)
        return [content]

    def _run(self, application: Any, entry: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        from moto.moto_api._internal import mock_random

        mock_random.seed(entry["Seed"])
        body = base64.b64decode(entry["Body"])
        environ = {
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **entry["Environment"],
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
        }
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            answer.update(status=int(status.split(maxsplit=1)[0]), headers=headers)

        self._clock.datetime.present = entry["Time"]
        try:
            content = b"".join(application(environ, start_response))
        finally:
            self._clock.datetime.present = None
            mock_random.seed()
        return answer["status"], answer["headers"], content


def _read_body(environ: dict[str, Any]) -> bytes:
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        return environ["wsgi.input"].read()
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _changes(environ: dict[str, Any], action: str) -> bool:
    if action:
        return not action.startswith(READING)
    return environ["REQUEST_METHOD"] not in {"GET", "HEAD", "OPTIONS"}
