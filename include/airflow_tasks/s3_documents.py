"""Small S3 objects read and written by tasks; a missing one is told in one line that says what to do."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks.aws_errors import code_and_message, one_line

# Everything read here is a report or a pointer; a file beyond this is something else by mistake.
LARGEST_DOCUMENT_BYTES = 20 * 1024 * 1024
_MISSING_CODES = frozenset({"404", "NoSuchKey", "NotFound"})
_MISSING_BUCKET_CODES = frozenset({"NoSuchBucket"})
# 409: something else happened to the key while it was written; who was first shows when it is read again.
CHANGED_MEANWHILE_CODES = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_FORBIDDEN_CODES = frozenset({"403", "AccessDenied", "Forbidden", "AllAccessDisabled"})


def read_text(hook: S3Hook, uri: str, *, what: str, remedy: str) -> str:
    """Return an object's UTF-8 text.

    Raises AirflowFailException when it is missing, forbidden, too large or not text: retrying cannot help.
    `what` names the object to a person, `remedy` says how it comes into being.
    """
    bucket, key = hook.parse_s3_url(uri)
    try:
        answer = hook.get_conn().get_object(Bucket=bucket, Key=key)
        size: int = answer["ContentLength"]
        content: bytes = answer["Body"].read() if size <= LARGEST_DOCUMENT_BYTES else b""
    except Exception as error:
        raise explain(error, uri=uri, what=what, remedy=remedy) from error
    if size > LARGEST_DOCUMENT_BYTES:
        raise AirflowFailException(f"{what}: {uri} has {size} bytes; is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AirflowFailException(f"{what}: {uri} is not UTF-8 text (byte {error.start})") from None


def read_json(hook: S3Hook, uri: str, *, what: str, remedy: str) -> dict[str, Any]:
    """Return an object's JSON mapping; errors as for `read_text`."""
    text = read_text(hook, uri, what=what, remedy=remedy)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise AirflowFailException(
            f"{what}: {uri} is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        ) from None
    if not isinstance(document, dict):
        raise AirflowFailException(f"{what}: {uri} holds a {type(document).__name__}, expected a JSON object")
    return document


def write_json(hook: S3Hook, uri: str, document: Mapping[str, Any], *, what: str) -> None:
    """Write a JSON object; S3 shows either the old content or all of the new."""
    bucket, key = hook.parse_s3_url(uri)
    body = json.dumps(document, indent=2, sort_keys=True, allow_nan=False).encode() + b"\n"
    try:
        hook.get_conn().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    except Exception as error:
        raise explain(error, uri=uri, what=what, remedy="check the bucket's name and policy") from error


def read_json_version(hook: S3Hook, uri: str, *, what: str, remedy: str) -> tuple[dict[str, Any], str]:
    """Return an object's JSON mapping and the ETag of that version; errors as for `read_text`."""
    bucket, key = hook.parse_s3_url(uri)
    try:
        answer = hook.get_conn().get_object(Bucket=bucket, Key=key)
        document = json.loads(answer["Body"].read())
    except ValueError as error:
        raise AirflowFailException(f"{what}: {uri} is not JSON ({one_line(error)}); {remedy}") from None
    except Exception as error:
        raise explain(error, uri=uri, what=what, remedy=remedy) from error
    if not isinstance(document, dict):
        raise AirflowFailException(f"{what}: {uri} holds no JSON object; {remedy}")
    return document, str(answer["ETag"])


def write_json_version(
    hook: S3Hook, uri: str, document: Mapping[str, Any], etag: str | None, *, what: str
) -> bool:
    """Write a JSON object unless somebody has since its version `etag` was read (None: unless there is one).

    Tells whether it was written.
    """
    bucket, key = hook.parse_s3_url(uri)
    body = json.dumps(document, sort_keys=True, allow_nan=False).encode() + b"\n"
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    try:
        hook.get_conn().put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition
        )
    except Exception as error:
        if code_and_message(error)[0] in CHANGED_MEANWHILE_CODES:
            return False
        raise explain(error, uri=uri, what=what, remedy="check the bucket's name and policy") from error
    return True


def object_exists(hook: S3Hook, uri: str, *, what: str) -> bool:
    """Tell whether an object is there; raises as `explain` when S3 does not say."""
    bucket, key = hook.parse_s3_url(uri)
    try:
        hook.get_conn().head_object(Bucket=bucket, Key=key)
    except Exception as error:
        if code_and_message(error)[0] in _MISSING_CODES:
            return False
        raise explain(error, uri=uri, what=what, remedy="check the bucket's name and policy") from error
    return True


def list_objects(hook: S3Hook, uri: str, *, what: str, with_empty: bool = False) -> list[dict[str, Any]]:
    """Return Key, Size, ETag and LastModified of every object under a prefix, sorted by key.

    Empty objects count only with `with_empty`.
    """
    bucket, prefix = hook.parse_s3_url(uri)
    try:
        pages = hook.get_conn().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [entry for page in pages for entry in page.get("Contents", [])]
    except Exception as error:
        remedy = "create the bucket, or correct the address or CHURN_DATA_BUCKET"
        raise explain(error, uri=uri, what=what, remedy=remedy) from error
    # A key that ends in "/" is the console's way to show an empty folder.
    objects = [entry for entry in found if not entry["Key"].endswith("/")]
    kept = objects if with_empty else [entry for entry in objects if entry["Size"] > 0]
    return sorted(kept, key=lambda entry: str(entry["Key"]))


def has_objects(hook: S3Hook, uri: str, *, what: str) -> bool:
    """Tell whether there is anything under a prefix; errors as for `list_objects`."""
    bucket, prefix = hook.parse_s3_url(uri)
    try:
        answer = hook.get_conn().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except Exception as error:
        raise explain(error, uri=uri, what=what, remedy="check the bucket's name and policy") from error
    return bool(answer.get("Contents"))


def exact_uri(hook: S3Hook, uri: str, objects: list[dict[str, Any]], *, parameter: str) -> str:
    """Return the URI under which SageMaker reads exactly one file or one folder.

    S3 matches beginnings: `raw/may` would also read `raw/may_old/`. So a folder gets its closing slash, and
    what would still read more than a person sees is refused by the name of its `parameter`.
    """
    _, prefix = hook.parse_s3_url(uri)
    if not prefix or prefix.endswith("/"):
        return uri
    keys = [str(entry["Key"]) for entry in objects]
    if keys == [prefix]:
        return uri
    others = [key for key in keys if not key.startswith(f"{prefix}/")]
    if not others:
        return f"{uri}/"
    raise AirflowFailException(
        f"{parameter} {uri} is ambiguous: SageMaker would also read {others[0]}; "
        "end it with / for a folder, or name one file whose name begins no other"
    )


def dataset_fingerprint(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return a sha256 over key, size and ETag of each object: equal fingerprints, equal data."""
    digest = hashlib.sha256()
    for entry in objects:
        digest.update(f"{entry['Key']}\t{entry['Size']}\t{entry['ETag']}\n".encode())
    return digest.hexdigest()


def explain(error: Exception, *, uri: str, what: str, remedy: str) -> AirflowException:
    """Turn an AWS error into one line; final where retrying cannot help, retried otherwise."""
    if isinstance(error, AirflowException):
        return error
    code, _ = code_and_message(error)
    if code in _MISSING_CODES:
        return AirflowFailException(f"{what} is missing: {uri}; {remedy}")
    if code in _MISSING_BUCKET_CODES:
        return AirflowFailException(f"{what}: the bucket of {uri} does not exist; {remedy}")
    if code in _FORBIDDEN_CODES:
        return AirflowFailException(
            f"{what}: access to {uri} is denied ({code}); grant it to the environment's role"
        )
    return AirflowException(f"{what}: {uri} cannot be reached: {one_line(error)}")
