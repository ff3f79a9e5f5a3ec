"""Between S3 and a job's directory: inputs come down, outputs go up, archives are made and opened."""

import tarfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from local_aws.api_error import ApiError
from local_aws.object_store import ObjectStore


class JobDataError(Exception):
    """Input or output of a job that cannot be moved; the message becomes the job's FailureReason."""


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key (or prefix) of an s3:// address."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise JobDataError(f"ClientError: not an S3 address: {uri}")
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc, (parts.path + query).lstrip("/")


def has_objects(store: ObjectStore, uri: str) -> bool:
    """Say whether any object lies under an S3 prefix."""
    bucket, prefix = split_s3_uri(uri)
    return next(store.keys_from(bucket, prefix, ""), None) is not None


def download_prefix(store: ObjectStore, uri: str, directory: Path) -> int:
    """Copy every object under a prefix into a directory, keeping the tree below it; returns how many.

    A prefix that is exactly a key gives one file of the key's last name, as SageMaker does.
    """
    directory.mkdir(parents=True, exist_ok=True)
    bucket, prefix = split_s3_uri(uri)
    count = 0
    for stored in store.keys_from(bucket, prefix, ""):
        if stored.key.endswith("/"):
            continue
        target = directory / _relative(stored.key, prefix)
        try:
            store.copy_to_file(stored, target)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            reason = "there must be no object that is both a folder and a file"
            raise JobDataError(
                f"ClientError: Failed to download data: s3://{bucket}/{stored.key}: {reason}"
            ) from error
        except ApiError as error:
            raise JobDataError(f"ClientError: Failed to download data: {error.message}") from error
        count += 1
    if count == 0:
        raise JobDataError(f"ClientError: Failed to download data. No S3 objects found under {uri}")
    return count


def _relative(key: str, prefix: str) -> PurePosixPath:
    if key == prefix:
        rest = key.rpartition("/")[2]
    elif not prefix or prefix.endswith("/") or key[len(prefix)] == "/":
        rest = key[len(prefix) :].lstrip("/")
    else:
        rest = key[prefix.rfind("/") + 1 :]
    path = PurePosixPath(rest)
    if ".." in path.parts or path.is_absolute():
        raise JobDataError(f"ClientError: Failed to download data: the key {key} leaves the directory")
    return path


def upload_directory(store: ObjectStore, directory: Path, uri: str) -> int:
    """Copy every file below a directory to S3 under a prefix; returns how many."""
    bucket, prefix = split_s3_uri(uri)
    base = f"{prefix.rstrip('/')}/" if prefix else ""
    count = 0
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            _put(store, bucket, base + path.relative_to(directory).as_posix(), path)
            count += 1
    return count


def upload_file(store: ObjectStore, path: Path, uri: str) -> None:
    """Copy one file to S3."""
    bucket, key = split_s3_uri(uri)
    _put(store, bucket, key, path)


def _put(store: ObjectStore, bucket: str, key: str, path: Path) -> None:
    try:
        store.put_file(bucket, key, path)
    except ApiError as error:
        raise JobDataError(
            f"ClientError: Failed to upload output to s3://{bucket}/{key}: {error.message}"
        ) from error


def pack_directory(directory: Path, archive: Path) -> None:
    """Write everything in a directory to a .tar.gz whose members are named relative to it."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        for path in sorted(directory.iterdir()):
            tar.add(path, arcname=path.name)


def unpack_archive(archive: Path, directory: Path) -> None:
    """Open a .tar.gz into a directory; members that would leave it are refused."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(directory, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise JobDataError(f"ClientError: cannot open the source archive {archive.name}: {error}") from error
