"""S3 multipart uploads: parts are blobs of their own until they are joined."""

import hashlib
import json
import time
import uuid
from typing import Any

from local_aws.api_error import ApiError
from local_aws.object_store import ByteStream, ObjectStore, StoredObject, WriteCondition, WrittenBlob
from local_aws.state_store import StateStore

UPLOADS = "multipart_upload"


class _JoinedParts:
    """The parts of an upload read one after the other."""

    def __init__(self, store: ObjectStore, blobs: list[str]):
        self._files = [store.blob_path(blob).open("rb") for blob in blobs]

    def read(self, size: int = -1, /) -> bytes:
        while self._files:
            piece = self._files[0].read(size)
            if piece:
                return piece
            self._files.pop(0).close()
        return b""

    def close(self) -> None:
        for file in self._files:
            file.close()


class MultipartUploads:
    """Uploads in progress, kept in the state so that they outlive a restart."""

    def __init__(self, state: StateStore, store: ObjectStore):
        self._state = state
        self._store = store

    def create(self, bucket: str, key: str, headers: dict[str, str], tags: dict[str, str]) -> str:
        """Begin an upload and return its id."""
        self._store.bucket(bucket)
        upload_id = uuid.uuid4().hex
        body = {"Bucket": bucket, "Key": key, "Headers": headers, "Tags": tags, "Initiated": time.time()}
        self._state.insert(UPLOADS, upload_id, body)
        return upload_id

    def get(self, bucket: str, key: str, upload_id: str) -> dict[str, Any]:
        """Return an upload's record; raises NoSuchUpload."""
        upload = self._state.get(UPLOADS, upload_id)
        if upload is None or (upload["Bucket"], upload["Key"]) != (bucket, key):
            raise ApiError("NoSuchUpload", "The specified upload does not exist.", 404)
        return upload

    def all(self, bucket: str) -> list[dict[str, Any]]:
        """Return the uploads in progress of a bucket with their ids."""
        rows = self._state.rows("SELECT name, body FROM documents WHERE collection = ?", (UPLOADS,))
        uploads = [{"UploadId": name, **json.loads(body)} for name, body in rows]
        return [upload for upload in uploads if upload["Bucket"] == bucket]

    def put_part(self, bucket: str, key: str, upload_id: str, part_number: int, stream: ByteStream) -> str:
        """Store one part and return its ETag; a part sent again replaces the earlier one."""
        self.get(bucket, key, upload_id)
        blob = self._store.write_blob(stream)
        body = {"blob": blob.name, "md5": blob.md5.hex(), "size_bytes": blob.size_bytes, "at": time.time()}
        with self._state.transaction() as connection:
            before = self._state.rows(
                "SELECT body FROM upload_parts WHERE upload_id = ? AND part_number = ?",
                (upload_id, part_number),
            )
            connection.execute(
                "INSERT OR REPLACE INTO upload_parts (upload_id, part_number, body) VALUES (?, ?, ?)",
                (upload_id, part_number, json.dumps(body)),
            )
        for (old,) in before:
            self._store.discard_blob(json.loads(old)["blob"])
        return blob.md5.hex()

    def parts(self, upload_id: str) -> dict[int, dict[str, Any]]:
        """Return the parts sent so far by number."""
        rows = self._state.rows(
            "SELECT part_number, body FROM upload_parts WHERE upload_id = ? ORDER BY part_number",
            (upload_id,),
        )
        return {number: json.loads(body) for number, body in rows}

    def complete(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        wanted: list[tuple[int, str]],
        *,
        condition: WriteCondition | None = None,
    ) -> StoredObject:
        """Join the named parts into the object; the parts are dropped afterwards."""
        upload = self.get(bucket, key, upload_id)
        sent = self.parts(upload_id)
        chosen = []
        for number, etag in wanted:
            part = sent.get(number)
            if part is None or (etag and part["md5"] != etag):
                raise ApiError("InvalidPart", f"Part {number} was not sent or has another ETag.")
            chosen.append(part)
        if [number for number, _ in wanted] != sorted({number for number, _ in wanted}):
            raise ApiError("InvalidPartOrder", "The list of parts was not in ascending order.")
        blob = self._join(chosen)
        digest = hashlib.md5(b"".join(bytes.fromhex(part["md5"]) for part in chosen), usedforsecurity=False)
        etag = f"{digest.hexdigest()}-{len(chosen)}"
        stored = self._store.attach(
            bucket,
            key,
            blob,
            upload["Headers"],
            etag=etag,
            tags=upload["Tags"],
            condition=condition,
        )
        self.abort(bucket, key, upload_id)
        return stored

    def _join(self, parts: list[dict[str, Any]]) -> WrittenBlob:
        joined = _JoinedParts(self._store, [part["blob"] for part in parts])
        try:
            return self._store.write_blob(joined)
        finally:
            joined.close()

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Forget an upload and its parts."""
        self.get(bucket, key, upload_id)
        parts = self.parts(upload_id)
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM upload_parts WHERE upload_id = ?", (upload_id,))
            self._state.delete(UPLOADS, upload_id)
        for part in parts.values():
            self._store.discard_blob(part["blob"])
