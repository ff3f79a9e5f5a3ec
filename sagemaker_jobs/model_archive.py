"""Pack a model directory the same way every time, and open a model only after its sha256 was checked.

A pickle runs code while it is loaded, so a model file is untrusted until its digest equals the one that the
training job recorded elsewhere: in `model_digest.json` of its output data, or as the sha256 of the archive.
Standard library only.
"""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sagemaker_jobs.job_entry import InvalidInputError, write_bytes_atomically, write_text_atomically

DIGEST_FILE = "model_digest.json"
MAXIMUM_UNPACKED_BYTES = 8 * 1024**3
MAXIMUM_FILES = 10_000
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ExpectedModel:
    """What the training job recorded: sha256 per file, or sha256 of the archive, and where that was read."""

    source: str
    file_digests: Mapping[str, str] | None = None
    archive_sha256: str | None = None


@dataclass(frozen=True)
class VerifiedModel:
    """A private, checked copy of a model; it lives as long as the context that made it."""

    directory: Path
    content_sha256: str
    archive_sha256: str | None


def hash_file(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_directory(directory: Path) -> dict[str, str]:
    """Return {relative POSIX path: sha256} of all files below `directory`, sorted by path."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): hash_file(path) for path in files}


def hash_content(file_digests: Mapping[str, str]) -> str:
    """Return one sha256 over all files' paths and digests, independent of how they were packed."""
    return hashlib.sha256(json.dumps(file_digests, sort_keys=True).encode()).hexdigest()


def digest_text(directory: Path) -> str:
    """Return the content of `model_digest.json` for a model directory."""
    return json.dumps(digest_directory(directory), indent=2, sort_keys=True) + "\n"


def write_model_archive(directory: Path, path: Path) -> str:
    """Write `path` (tar.gz; same files, same bytes) and `path`.sha256; return the sha256."""
    buffer = io.BytesIO()
    with (
        # Time stamps, owners and the gzip header's file name would differ from run to run.
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=6) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in digest_directory(directory):
            content = (directory / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    write_bytes_atomically(path, buffer.getvalue())
    write_text_atomically(_neighbour(path), f"{digest}  {path.name}\n")
    return digest


def _neighbour(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def read_expected_model(model: Path, digest_path: Path | None, archive_sha256: str | None) -> ExpectedModel:
    """Find what the model must be: the digest file, the given sha256, or the neighbouring `.sha256` file.

    `digest_path` is model_digest.json, the training job's output.tar.gz that holds it, or a directory with
    one of them. Raises InvalidInputError when nothing can be found: an unverified model is never opened.
    """
    if archive_sha256 is not None:
        _require_sha256(archive_sha256, "--model-sha256")
    if digest_path is not None:
        path = _resolve(digest_path, (DIGEST_FILE, "output.tar.gz"))
        return ExpectedModel(str(path), _read_digest_file(path), archive_sha256)
    if archive_sha256 is not None:
        return ExpectedModel("--model-sha256", archive_sha256=archive_sha256.lower())
    neighbour = _neighbour(model)
    if not neighbour.is_file():
        raise InvalidInputError(
            f"{model}: nothing tells this model's sha256, so it is not loaded; give --model-digest, or"
            f" --model-sha256, or put {neighbour.name} beside it"
        )
    words = neighbour.read_text(encoding="utf-8", errors="replace").split()
    _require_sha256(words[0] if words else "", str(neighbour))
    return ExpectedModel(str(neighbour), archive_sha256=words[0].lower())


def _resolve(path: Path, names: tuple[str, ...]) -> Path:
    """Return the file itself, or the first of `names` inside a directory (SageMaker mounts directories)."""
    if path.is_dir():
        return next((path / name for name in names if (path / name).is_file()), path)
    return path


def _require_sha256(text: str, place: str) -> None:
    if len(text) != 64 or not set(text.lower()) <= set("0123456789abcdef"):
        raise InvalidInputError(f"{place}: expected a sha256 of 64 hexadecimal digits, found {text!r:.80}")


def _read_digest_file(path: Path) -> dict[str, str]:
    try:
        text = _read_digest_member(path) if path.name.endswith((".tar.gz", ".tgz")) else path.read_bytes()
        content = json.loads(text)
    except (OSError, ValueError, EOFError, zlib.error, tarfile.TarError) as error:
        raise InvalidInputError(f"{path}: cannot be read as {DIGEST_FILE}: {error}") from None
    if not isinstance(content, dict) or not content:
        raise InvalidInputError(f"{path}: expected a JSON object of file names to sha256")
    for name, digest in content.items():
        _require_sha256(str(digest), f"{path}, key {name!r}")
    return content


def _read_digest_member(path: Path) -> bytes:
    with tarfile.open(path, "r:gz") as archive:
        found = [m for m in archive if m.isfile() and PurePosixPath(m.name).name == DIGEST_FILE]
        if len(found) != 1:
            raise ValueError(f"holds {len(found)} files of that name, expected one")
        stream = archive.extractfile(found[0])
        return stream.read() if stream else b""


@contextmanager
def open_verified_model(model: Path, expected: ExpectedModel) -> Iterator[VerifiedModel]:
    """Copy a model (archive or directory) to a private directory, check every file, and yield it.

    What is checked is the copy that is then loaded, so a later change of the original has no effect.
    Raises InvalidInputError when anything differs from what is expected or the archive is not sound.
    """
    model = _resolve(model, ("model.json", "model.tar.gz"))
    model = model.parent if model.name == "model.json" else model
    if not model.exists():
        raise InvalidInputError(f"{model}: no such model file or directory")
    archive_sha256 = None
    if model.is_file():
        archive_sha256 = hash_file(model)
        _check_archive(model, archive_sha256, expected)
    elif expected.file_digests is None:
        raise InvalidInputError(f"{model}: a model directory is checked file by file; give --model-digest")
    with tempfile.TemporaryDirectory(prefix="verified-model-") as temporary:
        directory = Path(temporary) / "model"
        if model.is_file():
            _unpack(model, directory)
        else:
            shutil.copytree(model, directory)
        digests = digest_directory(directory)
        if expected.file_digests is not None:
            _check_files(model, digests, expected)
        yield VerifiedModel(directory, hash_content(digests), archive_sha256)


def _check_archive(model: Path, found: str, expected: ExpectedModel) -> None:
    wanted = expected.archive_sha256
    if wanted is not None and found != wanted.lower():
        raise InvalidInputError(
            f"{model}: its sha256 {found} is not {wanted.lower()} as told by {expected.source}; the file was"
            " changed after training, so it is not loaded"
        )


def _check_files(model: Path, found: Mapping[str, str], expected: ExpectedModel) -> None:
    wanted = expected.file_digests or {}
    for name in sorted({*wanted, *found}):
        if name not in found:
            problem = "is missing"
        elif name not in wanted:
            problem = "was not written by the training job"
        elif found[name] != wanted[name].lower():
            problem = "was changed after training"
        else:
            continue
        raise InvalidInputError(
            f"{model}: {name} {problem} (compared with {expected.source}), so the model is not loaded"
        )


def _unpack(path: Path, directory: Path) -> None:
    directory.mkdir()
    remaining_bytes, files = MAXIMUM_UNPACKED_BYTES, 0
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.isdir():
                    continue
                files += 1
                remaining_bytes -= member.size
                if remaining_bytes < 0 or files > MAXIMUM_FILES:
                    raise InvalidInputError(
                        f"{path}: unpacks to more than {MAXIMUM_UNPACKED_BYTES // 1024**3} GiB or"
                        f" {MAXIMUM_FILES} files, which no churn model needs"
                    )
                _unpack_member(archive, member, directory, path)
    except (gzip.BadGzipFile, EOFError, zlib.error, tarfile.TarError) as error:
        raise InvalidInputError(f"{path}: not a sound tar.gz archive: {error}") from None


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, directory: Path, path: Path) -> None:
    relative = PurePosixPath(member.name)
    stream = archive.extractfile(member) if member.isfile() else None
    if stream is None or relative.is_absolute() or ".." in relative.parts:
        raise InvalidInputError(f"{path}: refuses to unpack {member.name!r}: a link or a path outside")
    target = directory / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as output:
        shutil.copyfileobj(stream, output, _CHUNK_BYTES)
