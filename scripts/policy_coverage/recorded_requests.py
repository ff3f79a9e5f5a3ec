"""Read the stand-in's request log: one recorded request per line, its parameters decoded."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs


class RecordingError(ValueError):
    """The request log cannot be read; the one-line message names the line."""


@dataclass(frozen=True)
class RecordedRequest:
    """One request: who made it, to which service, and what it asked for."""

    caller: str
    service: str
    region: str
    action: str
    method: str
    path: str
    query: dict[str, str]
    copy_source: str | None
    parameters: dict[str, Any]


def read_requests(path: Path) -> Iterator[RecordedRequest]:
    """Yield the requests of a log, in order; raises RecordingError."""
    with path.open() as file:
        for number, line in enumerate(file, start=1):
            try:
                yield _read(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise RecordingError(f"{path.name}, line {number}: {error!r:.200}") from None


def _read(entry: dict[str, Any]) -> RecordedRequest:
    query = {key: values[0] for key, values in parse_qs(entry["query"], keep_blank_values=True).items()}
    body = base64.b64decode(entry["body"])
    return RecordedRequest(
        caller=entry["caller"],
        service=entry["service"],
        region=entry["region"],
        action=entry["action"],
        method=entry["method"],
        path=entry["path"],
        query=query,
        copy_source=entry.get("copy_source"),
        parameters=_parameters(body, entry["content_type"]) if entry["service"] != "s3" else {},
    )


def _parameters(body: bytes, content_type: str) -> dict[str, Any]:
    if not body:
        return {}
    if "cbor" in content_type:
        return _decode_cbor(body)
    if "x-www-form-urlencoded" in content_type:
        return {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def _decode_cbor(body: bytes) -> dict[str, Any]:
    """Decode with botocore's own reader of the protocol that CloudWatch's client speaks."""
    from botocore.parsers import RpcV2CBORParser

    parser = RpcV2CBORParser()
    decoded: dict[str, Any] = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    return decoded
