"""A line of JSON per request, when asked for: who called which operation, with what. For judging permissions.

The access key names the caller: it is not checked here, so each part of a stack can have a name of its own.
Bodies of S3 requests (the objects) are not kept.
"""

import base64
import io
import json
import threading
from pathlib import Path
from typing import Any

from local_aws.request_details import CREDENTIAL_KEY, Target, action_of

LARGEST_KEPT_BODY = 1024 * 1024
_KEPT_HEADERS = {"HTTP_X_AMZ_COPY_SOURCE": "copy_source"}


class RequestLog:
    """Appends to one file; a line is complete as soon as it can be seen."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()

    def note(self, environ: dict[str, Any], target: Target) -> None:
        """Write down one request; its body, where kept, can be read again afterwards."""
        if not target.service:
            return  # health checks and the stand-in's own switches
        body = b"" if target.service == "s3" else _keep_body(environ)
        caller = CREDENTIAL_KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
        line = {
            "caller": caller.group(1) if caller else "",
            "service": target.service,
            "region": target.region,
            "action": "" if target.service == "s3" else action_of(environ, body),
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ.get("QUERY_STRING", ""),
            **{name: environ[header] for header, name in _KEPT_HEADERS.items() if header in environ},
            "content_type": environ.get("CONTENT_TYPE", ""),
            "body": base64.b64encode(body).decode(),
        }
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _keep_body(environ: dict[str, Any]) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > LARGEST_KEPT_BODY:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body
