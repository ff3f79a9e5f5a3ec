"""The artifact bucket as a deployment sees it: files with versions, compared by content."""

import hashlib
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment.errors import DeploymentError, TargetError

_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})


@dataclass(frozen=True)
class FileVersion:
    """One version of one file in the bucket."""

    key: str
    version_id: str
    sha256: str


class ArtifactStore:
    """Reads and writes one versioned bucket through a boto3 S3 client, whose errors pass through."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket

    def refuse_unversioned(self) -> None:
        """Raise TargetError unless the bucket keeps versions: MWAA reads them, and a rollback needs them."""
        if self.s3.get_bucket_versioning(Bucket=self.bucket).get("Status") != "Enabled":
            raise TargetError(
                f"bucket {self.bucket} does not keep versions, which MWAA asks for; switch versioning on"
            )

    def read(self, key: str, version_id: str | None = None) -> bytes | None:
        """Return the content, or None when there is none."""
        version = {"VersionId": version_id} if version_id else {}
        try:
            content: bytes = self.s3.get_object(Bucket=self.bucket, Key=key, **version)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        return content

    def latest(self, key: str) -> FileVersion | None:
        """Return the version that a reader gets now. Its bytes are hashed: an ETag is no digest of them."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        return FileVersion(key, answer["VersionId"], hashlib.sha256(answer["Body"].read()).hexdigest())

    def has_version(self, file: FileVersion) -> bool:
        """Tell whether a version is still there."""
        try:
            self.s3.head_object(Bucket=self.bucket, Key=file.key, VersionId=file.version_id)
        except ClientError as error:
            # A malformed version id is answered with 400.
            if error.response["Error"]["Code"] in _ABSENT | {"400"}:
                return False
            raise
        return True

    def has(self, key: str) -> bool:
        """Tell whether a file is there."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        return any(entry["Key"] == key for entry in listed.get("Contents", []))

    def put(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> FileVersion:
        """Write a new version."""
        answer = self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=content_type)
        if not answer.get("VersionId"):
            raise DeploymentError(f"bucket {self.bucket} gave no version of {key}; switch its versioning on")
        return FileVersion(key, answer["VersionId"], hashlib.sha256(content).hexdigest())

    def delete(self, key: str) -> None:
        """Hide a file behind a delete marker; its versions stay."""
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def latest_under(self, folder: str) -> dict[str, FileVersion]:
        """Return every file of a folder by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{folder}/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        found = {key: self.latest(key) for key in keys if not key.endswith("/")}
        return {key: file for key, file in found.items() if file is not None}
