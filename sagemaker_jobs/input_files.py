"""Find the data files under a directory and tell what each one really is, whatever its name says."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.data_contracts.data_quality_report import SYNTHETIC_MARKER
from sagemaker_jobs.job_entry import InvalidInputError

_READABLE_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".gz", ".parquet", ".pq")
_FOREIGN_STARTS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive"),
    (b"7z\xbc\xaf", "a 7-zip archive"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89PNG", "a picture"),
)


@dataclass(frozen=True)
class FoundFiles:
    """Data files (path, name relative to the directory), files left aside, and the synthetic marker."""

    data_files: tuple[tuple[Path, str], ...]
    ignored_names: tuple[str, ...]
    is_synthetic: bool


def find_data_files(directory: Path) -> FoundFiles:
    """List every file under `directory`, sorted by name.

    Names starting with `_` or `.` are left aside (markers of other tools). Raises InvalidInputError when the
    directory is missing or holds no data file, or a file of a kind that cannot be read.
    """
    if not directory.is_dir():
        raise InvalidInputError(f"input directory {directory} does not exist or is no directory")
    data_files, ignored = [], []
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_dir():
            continue
        if any(part.startswith(("_", ".")) for part in Path(name).parts) or name.endswith("_$folder$"):
            ignored.append(name)
        elif path.name.lower().endswith(_READABLE_ENDINGS):
            data_files.append((path, name))
        else:
            raise InvalidInputError(
                f"{name}: cannot read this kind of file; convert it to CSV, gzip CSV or Parquet, or remove it"
            )
    if not data_files:
        raise InvalidInputError(f"input directory {directory} holds no CSV, gzip CSV or Parquet file")
    is_synthetic = any(Path(name).name == SYNTHETIC_MARKER for name in ignored)
    return FoundFiles(tuple(data_files), tuple(ignored), is_synthetic)


def sniff_format(start: bytes, name: str) -> str:
    """Return `parquet`, `gzip` or `csv` from a file's first bytes; refuse anything else by name."""
    if not start:
        raise InvalidInputError(f"{name}: the file is empty; export it again or remove it")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    for magic, what in _FOREIGN_STARTS:
        if start.startswith(magic):
            raise InvalidInputError(f"{name}: this is {what}, not CSV; unpack or export it as CSV")
    head = start[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head and not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise InvalidInputError(f"{name}: the file holds only blank space; export it again or remove it")
    if head.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<error")):
        raise InvalidInputError(
            f"{name}: this is an HTML or XML page, not CSV; was a login or error page saved?"
        )
    if head.startswith((b"{", b"[")):
        raise InvalidInputError(f"{name}: this is JSON, not CSV; export it as CSV or Parquet")
    return "csv"


def decompress(path: Path, destination: Path, name: str) -> None:
    """Unpack a gzip file in chunks; a cut or damaged archive is refused by name.

    Any other OSError is the machine's (a full disk, say), not the file's, and is left to crash: tried again,
    such a job may well succeed.
    """
    try:
        with gzip.open(path, "rb") as source, destination.open("wb") as target:
            while chunk := source.read(1 << 22):
                target.write(chunk)
    except EOFError as error:
        raise InvalidInputError(f"{name}: the gzip file is cut off; transfer it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInputError(f"{name}: the gzip file is damaged ({error}); transfer it again") from error


def read_chunks(path: Path, size: int = 1 << 24) -> Iterator[bytes]:
    """Yield a file's bytes in chunks."""
    with path.open("rb") as stream:
        while chunk := stream.read(size):
            yield chunk
