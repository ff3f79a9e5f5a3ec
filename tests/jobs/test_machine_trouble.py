"""A machine that runs short is no bad input: the job crashes, and Airflow tries it again."""

import gzip
import resource
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagemaker_jobs.input_files import decompress
from sagemaker_jobs.model_archive import ExpectedModel, hash_file, open_verified_model
from sagemaker_jobs.split_reading import read_encoder, read_split


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond `free_bytes`: the operating system refuses to write more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_decompress_when_the_disk_is_full_then_the_data_are_not_blamed(tmp_path: Path):
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 100_000))
    with full_disk(4096), pytest.raises(OSError, match="File too large"):
        decompress(tmp_path / "data.csv.gz", tmp_path / "data.csv", "data.csv.gz")


def test_open_model_when_the_disk_is_full_then_the_archive_is_not_blamed(tmp_path: Path):
    (tmp_path / "weights").write_bytes(b"w" * 100_000)
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "weights", "weights")
    expected = ExpectedModel("the test", archive_sha256=hash_file(archive))
    with (
        full_disk(4096),
        pytest.raises(OSError, match="File too large"),
        open_verified_model(archive, expected),
    ):
        pass


def test_read_split_when_a_part_cannot_be_opened_then_the_data_are_not_blamed(make_split):
    made = make_split()
    (made.train_dir / "part-99999.csv").symlink_to(made.train_dir / "gone")
    with pytest.raises(FileNotFoundError, match=r"part-99999\.csv"):
        read_split(made.train_dir, read_encoder(made.encoder_dir))
