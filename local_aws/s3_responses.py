"""S3 answers: objects with ranges and conditions, listings, error documents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO
from urllib.parse import quote
from xml.etree import ElementTree

from local_aws.api_error import ApiError
from local_aws.object_listing import Listing
from local_aws.object_store import CHUNK_BYTES, StoredObject, precondition_failed
from local_aws.s3_requests import S3Request, byte_range, http_date
from local_aws.s3_xml import element, iso_time, to_xml


@dataclass(frozen=True)
class S3Response:
    """Status, headers and body; a body from a file is sent piece by piece."""

    status: int
    headers: dict[str, str]
    body: Iterable[bytes]


def xml_response(root: ElementTree.Element, status: int = 200) -> S3Response:
    """Return a document as an answer."""
    content = to_xml(root)
    headers = {"Content-Type": "application/xml", "Content-Length": str(len(content))}
    return S3Response(status, headers, [content])


def empty_response(status: int = 200, headers: dict[str, str] | None = None) -> S3Response:
    """Return an answer without a body."""
    length = {} if status == 204 else {"Content-Length": "0"}
    return S3Response(status, {**length, **(headers or {})}, [])


class FilePart:
    """A stretch of an open file as a stream."""

    def __init__(self, file: BinaryIO, first: int, length: int):
        file.seek(first)
        self._file = file
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes of the stretch."""
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece

    def pieces(self) -> Iterator[bytes]:
        """Yield the content and close the file, also when the reader goes away early."""
        with self._file:
            while piece := self.read(CHUNK_BYTES):
                yield piece


def listing_document(
    request: S3Request, listing: Listing, max_keys: int, *, version_two: bool
) -> ElementTree.Element:
    """Return the ListObjects answer, first or second version."""
    encode = quote if request.query.get("encoding-type") == "url" else str
    contents = [
        element(
            "Contents",
            Key=encode(stored.key),
            LastModified=iso_time(stored.last_modified),
            ETag=f'"{stored.etag}"',
            Size=str(stored.size_bytes),
            StorageClass="STANDARD",
        )
        for stored in listing.objects
    ]
    prefixes = [element("CommonPrefixes", Prefix=encode(prefix)) for prefix in listing.common_prefixes]
    names: dict[str, str] = {
        "Name": request.bucket,
        "Prefix": encode(request.query.get("prefix", "")),
        "MaxKeys": str(max_keys),
        "IsTruncated": "true" if listing.next_after is not None else "false",
    }
    for asked, name in (("delimiter", "Delimiter"), ("encoding-type", "EncodingType"), ("marker", "Marker")):
        if request.query.get(asked):
            names[name] = request.query[asked]
    if version_two:
        names["KeyCount"] = str(len(contents) + len(prefixes))
        if request.query.get("continuation-token"):
            names["ContinuationToken"] = request.query["continuation-token"]
    if listing.next_after is not None:
        names["NextContinuationToken" if version_two else "NextMarker"] = listing.next_after
    return element("ListBucketResult", *contents, *prefixes, **names)


def object_response(request: S3Request, stored: StoredObject, file: BinaryIO | None) -> S3Response:
    """Return an object, a range of it, or 304; raises PreconditionFailed and InvalidRange."""
    headers = {
        "ETag": f'"{stored.etag}"',
        "Last-Modified": http_date(stored.last_modified),
        "Accept-Ranges": "bytes",
        **{name.title(): value for name, value in stored.headers.items() if not name.startswith("x-amz-")},
        **{name: value for name, value in stored.headers.items() if name.startswith("x-amz-meta-")},
    }
    if stored.tags:
        headers["x-amz-tagging-count"] = str(len(stored.tags))
    _check_conditions(request, stored)
    if _is_unchanged(request, stored):
        if file is not None:
            file.close()
        return S3Response(304, headers, [])
    wanted = byte_range(request.headers.get("range"), stored.size_bytes)
    if wanted is None and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= {
            name: value for name, value in stored.headers.items() if name.startswith("x-amz-checksum-")
        }
    first, last = wanted or (0, stored.size_bytes - 1)
    headers["Content-Length"] = str(last - first + 1)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{stored.size_bytes}"
    status = 200 if wanted is None else 206
    body = [] if file is None else FilePart(file, first, last - first + 1).pieces()
    return S3Response(status, headers, body)


def _check_conditions(request: S3Request, stored: StoredObject) -> None:
    wanted = request.headers.get("if-match", "").strip('"')
    if wanted not in {"", "*", stored.etag}:
        raise precondition_failed()


def _is_unchanged(request: S3Request, stored: StoredObject) -> bool:
    unwanted = request.headers.get("if-none-match", "").strip('"')
    if unwanted:
        return unwanted in {"*", stored.etag}
    since = request.headers.get("if-modified-since")
    if not since:
        return False
    modified = datetime.fromtimestamp(int(stored.last_modified), UTC)
    return modified <= parsedate_to_datetime(since)


def error_response(request: S3Request, error: ApiError) -> S3Response:
    """Return S3's error document; a HEAD request gets the status only."""
    if request.method == "HEAD":
        return empty_response(error.status)
    details: dict[str, Any] = {"Code": error.code, "Message": error.message, "RequestId": "local"}
    if request.bucket:
        details["BucketName"] = request.bucket
    if request.key:
        details["Key"] = request.key
    return xml_response(element("Error", **details), error.status)
