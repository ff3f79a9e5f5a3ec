"""Put a person's data files into the data bucket, together with the mark of synthetic data."""

import hashlib
from pathlib import Path
from typing import Any

from include.data_contracts.data_quality_report import SYNTHETIC_MARKER
from local_airflow.request_variables import read_path
from local_airflow.stack_settings import DATA_BUCKET, StackError

# Tells the sensor that a batch is complete; else it waits until nothing has been added for a while.
SUCCESS_MARKER = "_SUCCESS"


def read_data(variable: str) -> Path | None:
    """Return the file or folder that the variable names; StackError when it is not there or empty."""
    path = read_path(variable)
    if path is not None:
        find_data_files(path, variable)
    return path


def find_data_files(path: Path, variable: str = "DATA") -> list[Path]:
    """Return the file itself, or every file of a folder; StackError names the variable of an empty one.

    Names that start with `_` or `.` are other tools' marks. Everything else goes up, whatever its kind: the
    job reads it or refuses it by name, and nothing is dropped on the way.
    """
    if path.is_file():
        return [path]
    files = sorted(
        found
        for found in path.rglob("*")
        if found.is_file() and not any(part.startswith(("_", ".")) for part in found.relative_to(path).parts)
    )
    if not files:
        raise StackError(f"{variable}={path.name}: the folder holds no file to read")
    return files


def upload_data(s3: Any, path: Path) -> str:
    """Upload a file or folder under a name made from its content; returns the folder's S3 address."""
    files = find_data_files(path)
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    prefix = f"uploads/{digest.hexdigest()[:16]}/"
    upload_files(s3, files, root=path.parent if path.is_file() else path, prefix=prefix)
    return f"s3://{DATA_BUCKET}/{prefix}"


def upload_batch(s3: Any, path: Path) -> str:
    """Upload a day's batch and declare it complete; returns the folder's S3 address."""
    uri = upload_data(s3, path)
    s3.put_object(Bucket=DATA_BUCKET, Key=uri.removeprefix(f"s3://{DATA_BUCKET}/") + SUCCESS_MARKER)
    return uri


def replace_batch(s3: Any, path: Path, prefix: str) -> None:
    """Put a day's batch under the prefix, declare it complete, and remove what else lies there."""
    root = path.parent if path.is_file() else path
    uploaded = {prefix + SUCCESS_MARKER, *upload_files(s3, find_data_files(path), root=root, prefix=prefix)}
    s3.put_object(Bucket=DATA_BUCKET, Key=prefix + SUCCESS_MARKER)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=DATA_BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            if entry["Key"] not in uploaded:
                s3.delete_object(Bucket=DATA_BUCKET, Key=entry["Key"])


def upload_files(s3: Any, files: list[Path], *, root: Path, prefix: str) -> list[str]:
    """Upload the files, and beside them the marker when one of their folders has it; returns the keys."""
    markers = {
        marker
        for folder in {root, *(file.parent for file in files)}
        if (marker := folder / SYNTHETIC_MARKER).is_file()
    }
    keys = {prefix + file.relative_to(root).as_posix(): file for file in [*files, *sorted(markers)]}
    for key, file in keys.items():
        s3.upload_file(str(file), DATA_BUCKET, key)
    return list(keys)
