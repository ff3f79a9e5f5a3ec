import io
import json
import tarfile

import pytest

from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.model_archive import (
    digest_directory,
    digest_text,
    hash_file,
    open_verified_model,
    read_expected_model,
    write_model_archive,
)


@pytest.fixture
def model_dir(tmp_path):
    directory = tmp_path / "model"
    (directory / "code").mkdir(parents=True)
    (directory / "model.json").write_text("{}")
    (directory / "model.joblib").write_bytes(b"estimator")
    (directory / "code" / "inference.py").write_text("pass\n")
    return directory


@pytest.fixture
def archive(model_dir, tmp_path):
    write_model_archive(model_dir, tmp_path / "model.tar.gz")
    return tmp_path / "model.tar.gz"


def read_model(model, digest_path=None, sha256=None):
    expected = read_expected_model(model, digest_path, sha256)
    with open_verified_model(model, expected) as verified:
        return {
            name: (verified.directory / name).read_bytes() for name in digest_directory(verified.directory)
        }


def pack(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name_or_member, content in members:
            is_name = isinstance(name_or_member, str)
            member = tarfile.TarInfo(name_or_member) if is_name else name_or_member
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_archive_when_written_twice_then_has_the_same_bytes(model_dir, tmp_path):
    first = write_model_archive(model_dir, tmp_path / "a" / "model.tar.gz")
    for path in model_dir.rglob("*"):
        path.touch()
    second = write_model_archive(model_dir, tmp_path / "b" / "model.tar.gz")

    assert first == second == hash_file(tmp_path / "b" / "model.tar.gz")
    assert (tmp_path / "a" / "model.tar.gz.sha256").read_text() == f"{first}  model.tar.gz\n"


def test_archive_when_opened_then_holds_the_files_of_the_directory(model_dir, archive):
    assert read_model(archive) == {
        "code/inference.py": b"pass\n",
        "model.joblib": b"estimator",
        "model.json": b"{}",
    }


def test_model_when_nothing_tells_its_sha256_then_is_refused(archive):
    archive.with_name("model.tar.gz.sha256").unlink()

    with pytest.raises(InvalidInputError, match="nothing tells this model's sha256, so it is not loaded"):
        read_model(archive)


def test_archive_when_one_byte_differs_then_is_refused(archive):
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)

    with pytest.raises(InvalidInputError, match="was changed after training"):
        read_model(archive)


@pytest.mark.parametrize("as_archive", [False, True])
@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda d: (d / "model.joblib").write_bytes(b"evil"), "model.joblib was changed after training"),
        (lambda d: (d / "code" / "inference.py").write_text("evil"), "code/inference.py was changed"),
        (lambda d: (d / "extra.pkl").write_bytes(b"evil"), "extra.pkl was not written by the training job"),
        (lambda d: (d / "model.joblib").unlink(), "model.joblib is missing"),
    ],
)
def test_model_when_a_file_differs_from_the_digest_then_is_refused(
    model_dir, tmp_path, damage, expected, as_archive
):
    digest_path = tmp_path / "model_digest.json"
    digest_path.write_text(digest_text(model_dir))
    damage(model_dir)
    model = model_dir
    if as_archive:
        model = tmp_path / "model.tar.gz"
        write_model_archive(model_dir, model)

    with pytest.raises(InvalidInputError, match=expected):
        read_model(model, digest_path)


@pytest.mark.parametrize("prefix", ["", "./", "data/"])
def test_digest_when_in_sagemakers_output_archive_then_is_found(model_dir, archive, tmp_path, prefix):
    output = pack(
        tmp_path / "output.tar.gz",
        [
            (f"{prefix}training_log.jsonl", b""),
            (f"{prefix}model_digest.json", digest_text(model_dir).encode()),
        ],
    )

    assert "model.joblib" in read_model(archive, output)


def test_model_and_digest_when_mounted_as_directories_then_are_found(model_dir, archive, tmp_path):
    digest_dir = tmp_path / "training_output"
    digest_dir.mkdir()
    (digest_dir / "model_digest.json").write_text(digest_text(model_dir))
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    archive.rename(mounted / "model.tar.gz")

    assert "model.joblib" in read_model(mounted, digest_dir)


def test_archive_when_sagemaker_packs_it_with_directories_and_dots_then_is_read(model_dir, tmp_path):
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(model_dir, arcname=".")
    digest_path = tmp_path / "model_digest.json"
    digest_path.write_text(digest_text(model_dir))

    assert set(read_model(path, digest_path)) == {"code/inference.py", "model.joblib", "model.json"}


def test_digest_and_sha256_when_both_given_then_both_must_agree(model_dir, archive, tmp_path):
    digest_path = tmp_path / "model_digest.json"
    digest_path.write_text(digest_text(model_dir))

    assert read_model(archive, digest_path, hash_file(archive).upper())
    with pytest.raises(InvalidInputError, match="its sha256"):
        read_model(archive, digest_path, "0" * 64)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "code/../../evil"])
def test_archive_when_a_member_leads_outside_then_is_refused(tmp_path, name):
    path = pack(tmp_path / "model.tar.gz", [("model.json", b"{}"), (name, b"evil")])

    with pytest.raises(InvalidInputError, match="refuses to unpack"):
        read_model(path, sha256=hash_file(path))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_archive_when_a_member_is_no_plain_file_then_is_refused(tmp_path, kind):
    member = tarfile.TarInfo("model.joblib")
    member.type, member.linkname = kind, "/etc/passwd"
    path = pack(tmp_path / "model.tar.gz", [(member, b"")])

    with pytest.raises(InvalidInputError, match=r"refuses to unpack 'model\.joblib'"):
        read_model(path, sha256=hash_file(path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html></html>"])
def test_archive_when_it_is_another_kind_of_file_then_is_refused(tmp_path, content):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(content)

    with pytest.raises(InvalidInputError, match="not a sound"):
        read_model(path, sha256=hash_file(path))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_archive_when_truncated_then_is_refused(model_dir, tmp_path, share):
    (model_dir / "model.joblib").write_bytes(bytes(range(256)) * 400)
    path = tmp_path / "model.tar.gz"
    write_model_archive(model_dir, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    with pytest.raises(InvalidInputError, match="not a sound"):
        read_model(path, sha256=hash_file(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "cannot be read as model_digest.json"),
        (b"[]", "expected a JSON object"),
        (json.dumps({"model.joblib": "abc"}).encode(), "key 'model.joblib': expected a sha256"),
    ],
)
def test_digest_file_when_unreadable_then_is_refused(archive, tmp_path, content, expected):
    digest_path = tmp_path / "model_digest.json"
    digest_path.write_bytes(content)

    with pytest.raises(InvalidInputError, match=expected):
        read_model(archive, digest_path)


def test_model_directory_when_only_an_archive_sha256_is_known_then_is_refused(model_dir):
    with pytest.raises(InvalidInputError, match="a model directory is checked file by file"):
        read_model(model_dir, sha256="0" * 64)


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64])
def test_sha256_when_misspelled_then_is_refused(archive, sha256):
    with pytest.raises(InvalidInputError, match="--model-sha256: expected a sha256"):
        read_model(archive, sha256=sha256)


def test_verified_copy_when_the_original_changes_afterwards_then_stays_as_checked(model_dir, tmp_path):
    digest_path = tmp_path / "model_digest.json"
    digest_path.write_text(digest_text(model_dir))
    expected = read_expected_model(model_dir, digest_path, None)

    with open_verified_model(model_dir, expected) as verified:
        (model_dir / "model.joblib").write_bytes(b"evil")
        assert (verified.directory / "model.joblib").read_bytes() == b"estimator"
    assert not verified.directory.exists()
