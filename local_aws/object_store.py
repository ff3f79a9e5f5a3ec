"""S3 objects on disk: one file per object, one row per key.

An object's bytes go to a new file first; the row that points to it is written last, in one transaction, so a
reader or a killed process sees the old object or the new one, never half of it.
"""

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from local_aws.api_error import ApiError
from local_aws.state_store import AlreadyExistsError, StateStore

CHUNK_BYTES = 1024 * 1024
ROWS_AT_A_TIME = 1000
BUCKETS = "bucket"


class ByteStream(Protocol):
    """Anything that is read in pieces until it gives no more bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, or none at the end."""
        ...


@dataclass(frozen=True)
class StoredObject:
    """What is known of one S3 object; `blob` names the file that holds its bytes."""

    bucket: str
    key: str
    size_bytes: int
    etag: str
    last_modified: float  # seconds since the epoch
    blob: str
    headers: dict[str, str] = field(default_factory=dict)  # Content-Type, x-amz-meta-…, given back as sent
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WrittenBlob:
    """A file of bytes that no key points to yet."""

    name: str
    size_bytes: int
    md5: bytes


@dataclass(frozen=True)
class WriteCondition:
    """What must hold of the object under a key when a write completes; without either, nothing."""

    must_be_absent: bool = False
    etag: str | None = None

    def check(self, before: StoredObject | None) -> None:
        """Raise PreconditionFailed, or NoSuchKey when the object to replace is not there."""
        if self.etag is not None and before is None:
            raise ApiError("NoSuchKey", "The specified key does not exist.", 404)
        if before is None:
            return
        if self.must_be_absent or (self.etag is not None and self.etag not in {"*", before.etag}):
            raise precondition_failed()


class ObjectStore:
    """Buckets and objects; every method is safe to call from several threads."""

    def __init__(self, state: StateStore, directory: Path):
        self._state = state
        self._blobs = directory
        self._blobs.mkdir(parents=True, exist_ok=True)

    # --- buckets -------------------------------------------------------------------------------------
    def create_bucket(self, bucket: str, region: str) -> None:
        """Add an empty bucket; refuses a name that is taken."""
        try:
            body = {"Name": bucket, "Region": region, "CreationDate": time.time(), "Configuration": {}}
            self._state.insert(BUCKETS, bucket, body)
        except AlreadyExistsError as error:
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise ApiError("BucketAlreadyOwnedByYou", message, 409) from error

    def bucket(self, bucket: str) -> dict[str, Any]:
        """Return a bucket's record; raises NoSuchBucket."""
        record = self._state.get(BUCKETS, bucket)
        if record is None:
            raise ApiError("NoSuchBucket", f"The specified bucket does not exist: {bucket}", 404)
        return record

    def buckets(self) -> list[dict[str, Any]]:
        """Return all buckets by name."""
        return sorted(self._state.all(BUCKETS), key=lambda record: record["Name"])

    def configure_bucket(self, bucket: str, aspect: str, content: str | None) -> None:
        """Keep (or with None forget) what was sent for one aspect, such as `versioning`; it has no effect."""
        self.bucket(bucket)

        def change(record: dict[str, Any]) -> dict[str, Any]:
            configuration = {k: v for k, v in record["Configuration"].items() if k != aspect}
            if content is not None:
                configuration[aspect] = content
            return {**record, "Configuration": configuration}

        self._state.update(BUCKETS, bucket, change)

    def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket."""
        with self._state.transaction():
            self.bucket(bucket)
            if self._state.rows("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)):
                raise ApiError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
            self._state.delete(BUCKETS, bucket)

    # --- bytes ---------------------------------------------------------------------------------------
    def blob_path(self, blob: str) -> Path:
        """Return the file of a blob; two levels keep directories small."""
        return self._blobs / blob[:2] / blob

    def write_blob(self, stream: ByteStream) -> WrittenBlob:
        """Copy a stream to a new file, piece by piece."""
        name = uuid.uuid4().hex
        path = self.blob_path(name)
        path.parent.mkdir(exist_ok=True)
        digest = hashlib.md5(usedforsecurity=False)
        size_bytes = 0
        try:
            with path.open("xb") as file:
                while piece := stream.read(CHUNK_BYTES):
                    digest.update(piece)
                    size_bytes += len(piece)
                    file.write(piece)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return WrittenBlob(name, size_bytes, digest.digest())

    def discard_blob(self, blob: str) -> None:
        """Delete a blob's file; readers that hold it open finish in peace."""
        self.blob_path(blob).unlink(missing_ok=True)

    def discard_orphans(self) -> int:
        """Delete files no key and no open upload points to (left by a killed process); returns how many."""
        known = {json.loads(row[0])["blob"] for row in self._state.rows("SELECT body FROM objects")}
        known |= {json.loads(row[0])["blob"] for row in self._state.rows("SELECT body FROM upload_parts")}
        orphans = [path for path in self._blobs.glob("*/*") if path.name not in known]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    # --- objects -------------------------------------------------------------------------------------
    def put(self, bucket: str, key: str, stream: ByteStream, headers: dict[str, str]) -> StoredObject:
        """Store a stream under a key."""
        self.bucket(bucket)
        return self.attach(bucket, key, self.write_blob(stream), headers)

    def put_file(self, bucket: str, key: str, path: Path) -> StoredObject:
        """Store a copy of a local file under a key."""
        with path.open("rb") as file:
            return self.put(bucket, key, file, {"Content-Type": "binary/octet-stream"})

    def attach(
        self,
        bucket: str,
        key: str,
        blob: WrittenBlob,
        headers: dict[str, str],
        *,
        etag: str | None = None,
        tags: dict[str, str] | None = None,
        condition: WriteCondition | None = None,
    ) -> StoredObject:
        """Point a key to a written blob and drop the blob it pointed to before."""
        stored = StoredObject(
            bucket=bucket,
            key=key,
            size_bytes=blob.size_bytes,
            etag=etag or blob.md5.hex(),
            last_modified=time.time(),
            blob=blob.name,
            headers=headers,
            tags=tags or {},
        )
        try:
            with self._state.transaction() as connection:
                self.bucket(bucket)
                before = self.find(bucket, key)
                (condition or WriteCondition()).check(before)
                connection.execute(
                    "INSERT OR REPLACE INTO objects (bucket, key, body) VALUES (?, ?, ?)",
                    (bucket, key, _to_body(stored)),
                )
        except BaseException:
            self.discard_blob(blob.name)
            raise
        if before is not None:
            self.discard_blob(before.blob)
        return stored

    def find(self, bucket: str, key: str) -> StoredObject | None:
        """Return the object, or None."""
        rows = self._state.rows("SELECT body FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        return _from_body(bucket, key, rows[0][0]) if rows else None

    def get(self, bucket: str, key: str) -> StoredObject:
        """Return the object; raises NoSuchBucket or NoSuchKey."""
        stored = self.find(bucket, key)
        if stored is None:
            self.bucket(bucket)
            raise ApiError("NoSuchKey", "The specified key does not exist.", 404)
        return stored

    def open(self, bucket: str, key: str) -> tuple[StoredObject, BinaryIO]:
        """Return the object and its open file; tries again when it is overwritten in between."""
        for _ in range(100):
            stored = self.get(bucket, key)
            try:
                return stored, self.blob_path(stored.blob).open("rb")
            except FileNotFoundError:
                continue
        raise ApiError(
            "InternalError", f"The bytes of s3://{bucket}/{key} are gone from the state directory", 500
        )

    def set_tags(self, bucket: str, key: str, tags: dict[str, str]) -> None:
        """Replace the tags of an object."""
        with self._state.transaction() as connection:
            stored = replace(self.get(bucket, key), tags=tags)
            connection.execute(
                "UPDATE objects SET body = ? WHERE bucket = ? AND key = ?", (_to_body(stored), bucket, key)
            )

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; a key that is not there is no error, as on S3."""
        self.bucket(bucket)
        with self._state.transaction() as connection:
            stored = self.find(bucket, key)
            connection.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        if stored is not None:
            self.discard_blob(stored.blob)

    def keys_from(
        self, bucket: str, prefix: str, after: str, *, inclusive: bool = False
    ) -> Iterator[StoredObject]:
        """Yield objects with the prefix, in UTF-8 order, from `after` on; reads a page of rows at a time."""
        start, comparison = max(after, prefix), ">=" if inclusive or after < prefix else ">"
        while True:
            rows = self._state.rows(
                f"SELECT key, body FROM objects WHERE bucket = ? AND key {comparison} ? "  # noqa: S608 - a constant
                f"ORDER BY key LIMIT {ROWS_AT_A_TIME}",
                (bucket, start),
            )
            for key, body in rows:
                if not key.startswith(prefix):
                    return
                yield _from_body(bucket, key, body)
            if len(rows) < ROWS_AT_A_TIME:
                return
            start, comparison = rows[-1][0], ">"

    def copy_to_file(self, stored: StoredObject, target: Path) -> None:
        """Write an object's current bytes to a local file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        _, source = self.open(stored.bucket, stored.key)
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK_BYTES)
            os.utime(file.fileno(), (stored.last_modified, stored.last_modified))


def precondition_failed() -> ApiError:
    """Return the refusal of a conditional request."""
    return ApiError(
        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412
    )


def _to_body(stored: StoredObject) -> str:
    body = asdict(stored)
    del body["bucket"], body["key"]
    return json.dumps(body)


def _from_body(bucket: str, key: str, body: str) -> StoredObject:
    return StoredObject(bucket=bucket, key=key, **json.loads(body))
