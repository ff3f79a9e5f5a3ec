import gzip
import io
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.reproducible_archives import tar_gz_bytes, zip_bytes

PROPERTY = settings(derandomize=True, deadline=None, max_examples=60, database=None)
FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,3}\.py", fullmatch=True), st.binary(max_size=500), max_size=6
)


def read_tar(content):
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}


def read_zip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@PROPERTY
@given(files=FILES)
def test_archives_when_read_back_then_hold_the_files(files):
    assert read_tar(tar_gz_bytes(files)) == files
    assert read_zip(zip_bytes(files)) == files


@PROPERTY
@given(files=FILES, order=st.randoms())
def test_archives_when_the_files_come_in_another_order_then_are_identical(files, order):
    names = list(files)
    order.shuffle(names)
    shuffled = {name: files[name] for name in names}
    assert tar_gz_bytes(shuffled) == tar_gz_bytes(files)
    assert zip_bytes(shuffled) == zip_bytes(files)


@pytest.mark.parametrize("size", [0, 1, 65_534, 65_535, 65_536, 200_000])
def test_tar_gz_when_larger_than_one_stored_block_then_is_read_by_gzip(size):
    content = tar_gz_bytes({"file": bytes(range(256)) * (size // 256) + b"x" * (size % 256)})
    unpacked = gzip.decompress(content)
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        assert archive.getmember("file").size == size


def test_archives_when_made_then_carry_no_time_and_no_owner():
    content = tar_gz_bytes({"file": b"x"})
    assert content[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        member = archive.getmember("file")
    assert (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) == (
        0,
        0,
        0,
        "",
        "",
        0o644,
    )
    with zipfile.ZipFile(io.BytesIO(zip_bytes({"file": b"x"}))) as archive:
        assert archive.getinfo("file").date_time == (1980, 1, 1, 0, 0, 0)
