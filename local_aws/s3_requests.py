"""Reading S3 requests: which bucket and key, the body as a stream, its checks, dates and ranges."""

import base64
import binascii
import email.utils
import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from local_aws.api_error import ApiError
from local_aws.object_store import WriteCondition

# Where the server leaves the headers of a request in its WSGI environment, names in lower case.
HEADERS = "local_aws.headers"
# Sent back with the object exactly as they came.
KEPT_HEADERS = (
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "cache-control",
    "expires",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
)
CHECKSUM_HEADER = re.compile(r"x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)")


@dataclass(frozen=True)
class S3Request:
    """One request, split into what the handlers need; header names in lower case."""

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: "RequestBody"


class RequestBody:
    """The body of a request as a stream that ends where the request ends and checks what was promised."""

    def __init__(self, stream: Any, headers: dict[str, str]):
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self._left = int(headers.get("content-length") or 0)
        self._stream = stream
        self._aws_chunked = headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        self._chunk_left = 0
        self._at_end = False
        self._checks = _promised_digests(headers)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes of content; raises BadDigest at the end when a checksum differs."""
        piece = self._read_aws_chunk(size) if self._aws_chunked else self._read_raw(size)
        for check in self._checks:
            check.add(piece)
        if not piece and size != 0:
            self._verify()
        return piece

    def read_all(self) -> bytes:
        """Return the whole (small) body."""
        pieces = []
        while piece := self.read(65536):
            pieces.append(piece)
        return b"".join(pieces)

    def drain(self) -> None:
        """Read what is left, so that the connection can be used again."""
        self._checks = []
        while self._read_raw(1024 * 1024):
            pass

    def _read_raw(self, size: int) -> bytes:
        if self._chunked:
            return self._stream.read(size if size > 0 else 65536)
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._stream.read(wanted) if wanted else b""
        if wanted and not piece:
            raise ApiError("IncompleteBody", "The request ended before its body was complete.")
        self._left -= len(piece)
        return piece

    def _read_line(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\r\n"):
            byte = self._read_raw(1)
            if not byte:
                break
            line += byte
        return bytes(line).strip()

    def _read_aws_chunk(self, size: int) -> bytes:
        """Take content out of the `aws-chunked` framing: hex length, content, and trailers at the end."""
        if self._at_end:
            return b""
        if self._chunk_left == 0:
            header = self._read_line() or self._read_line()
            self._chunk_left = int(header.split(b";")[0] or b"0", 16)
            if self._chunk_left == 0:
                self._at_end = True
                while self._read_line():
                    pass
                return b""
        piece = self._read_raw(min(size if size > 0 else 65536, self._chunk_left))
        self._chunk_left -= len(piece)
        return piece

    def _verify(self) -> None:
        for check in self._checks:
            if check.value() != check.promised:
                raise ApiError(
                    "BadDigest", f"The {check.name} you specified did not match what was received."
                )
        self._checks = []


class _Digest:
    def __init__(self, name: str, promised: bytes):
        self.name = name
        self.promised = promised
        self._crc = 0
        self._hash = None if name == "crc32" else hashlib.new(name, usedforsecurity=False)

    def add(self, piece: bytes) -> None:
        if self._hash is None:
            self._crc = zlib.crc32(piece, self._crc)
        else:
            self._hash.update(piece)

    def value(self) -> bytes:
        return self._crc.to_bytes(4, "big") if self._hash is None else self._hash.digest()


def _promised_digests(headers: dict[str, str]) -> list[_Digest]:
    """Checks the sender asked for; crc32c and crc64nvme are kept but not computed."""
    names = {"content-md5": "md5", "x-amz-checksum-crc32": "crc32", "x-amz-checksum-sha1": "sha1"}
    names["x-amz-checksum-sha256"] = "sha256"
    try:
        return [
            _Digest(name, base64.b64decode(headers[header], validate=True))
            for header, name in names.items()
            if header in headers
        ]
    except binascii.Error as error:
        raise ApiError("InvalidDigest", "A checksum header is not valid base64.") from error


def parse_request(environ: dict[str, Any]) -> S3Request:
    """Split a WSGI request; buckets are named in the path or, as `bucket.localhost`, in the host name."""
    headers: dict[str, str] = environ[HEADERS]
    raw_path = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    path = unquote(raw_path.split("?")[0].lstrip("/"))
    host = headers.get("host", "").split(":")[0]
    if host.endswith(".localhost"):
        path = f"{host.removesuffix('.localhost')}/{path}"
    bucket, _, key = path.partition("/")
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    body = RequestBody(environ["wsgi.input"], headers)
    return S3Request(environ["REQUEST_METHOD"], bucket, key, query, headers, body)


def kept_headers(headers: dict[str, str]) -> dict[str, str]:
    """Choose the headers that belong to the object."""
    kept = {
        name: value
        for name, value in headers.items()
        if name in KEPT_HEADERS or name.startswith("x-amz-meta-") or CHECKSUM_HEADER.fullmatch(name)
    }
    encodings = [part.strip() for part in kept.get("content-encoding", "").split(",")]
    kept["content-encoding"] = ",".join(part for part in encodings if part and part != "aws-chunked")
    kept.setdefault("content-type", "binary/octet-stream")
    return {name: value for name, value in kept.items() if value}


def parse_tags(header: str) -> dict[str, str]:
    """Read tags from the `x-amz-tagging` header."""
    return dict(parse_qsl(header, keep_blank_values=True))


def write_condition(headers: dict[str, str]) -> WriteCondition:
    """Return what a write asks to hold of the object that is there; S3 knows If-None-Match: * only."""
    unwanted, wanted = headers.get("if-none-match"), headers.get("if-match")
    if unwanted is not None and unwanted.strip('"') != "*":
        message = "A header you provided implies functionality that is not implemented: If-None-Match"
        raise ApiError("NotImplemented", message, 501)
    return WriteCondition(unwanted is not None, None if wanted is None else wanted.strip('"'))


def byte_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the first and last byte asked for, or None for the whole object."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not match or match.groups() == ("", ""):
        return None
    first_text, last_text = match.groups()
    if not first_text:
        first, last = max(0, size_bytes - int(last_text)), size_bytes - 1
    else:
        first, last = int(first_text), min(int(last_text) if last_text else size_bytes - 1, size_bytes - 1)
    if first > last:
        raise ApiError("InvalidRange", "The requested range is not satisfiable", 416)
    return first, last


def http_date(seconds: float) -> str:
    """Return a time as HTTP headers write it."""
    return email.utils.formatdate(seconds, usegmt=True)
