"""S3: what boto3 and the Airflow hooks use of it."""

import io
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import BUCKET, Server

KIBIBYTE = 1024


@pytest.fixture
def s3(server: Server) -> Any:
    return server.client("s3")


def error_code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    "key", ["plain", "with space", "ünï/cødé", "a+b&c=d?e%20", "deep/er/", "a//b", "quo'te"]
)
def test_object_when_its_key_is_unusual_then_it_comes_back(s3: Any, key: str):
    s3.put_object(Bucket=BUCKET, Key=f"keys/{key}", Body=key.encode(), Metadata={"a-b": "1", "c_d": "2"})
    found = s3.get_object(Bucket=BUCKET, Key=f"keys/{key}")
    assert found["Body"].read() == key.encode()
    assert found["Metadata"] == {"a-b": "1", "c_d": "2"}
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"keys/{key}")["Contents"]
    assert f"keys/{key}" in [entry["Key"] for entry in listed]


def test_object_when_large_then_multipart_upload_and_ranged_download_agree(s3: Any, tmp_path):
    content = bytes(range(256)) * 4 * KIBIBYTE * 20  # 20 MiB: above boto3's 8 MiB threshold
    s3.upload_fileobj(io.BytesIO(content), BUCKET, "large")
    assert s3.head_object(Bucket=BUCKET, Key="large")["ETag"].endswith('-3"')
    s3.download_file(BUCKET, "large", str(tmp_path / "large"))
    assert (tmp_path / "large").read_bytes() == content


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=0-3", b"0123"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")],
)
def test_object_when_a_range_is_asked_then_only_that_comes(s3: Any, asked: str, expected: bytes):
    s3.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")
    assert s3.get_object(Bucket=BUCKET, Key="digits", Range=asked)["Body"].read() == expected


def test_object_when_the_range_lies_outside_then_it_is_refused(s3: Any):
    s3.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")
    assert error_code(s3.get_object, Bucket=BUCKET, Key="digits", Range="bytes=10-") == "InvalidRange"


def test_object_when_copied_then_bytes_metadata_and_tags_go_along(s3: Any):
    s3.put_object(Bucket=BUCKET, Key="from", Body=b"x", Metadata={"m": "1"}, Tagging="t=2")
    s3.copy_object(Bucket=BUCKET, Key="to", CopySource={"Bucket": BUCKET, "Key": "from"})
    assert s3.head_object(Bucket=BUCKET, Key="to")["Metadata"] == {"m": "1"}
    assert s3.get_object_tagging(Bucket=BUCKET, Key="to")["TagSet"] == [{"Key": "t", "Value": "2"}]


def test_object_when_written_only_if_absent_then_the_second_writer_is_refused(s3: Any):
    s3.put_object(Bucket=BUCKET, Key="once", Body=b"first", IfNoneMatch="*")
    code = error_code(s3.put_object, Bucket=BUCKET, Key="once", Body=b"second", IfNoneMatch="*")
    assert code == "PreconditionFailed"
    assert s3.get_object(Bucket=BUCKET, Key="once")["Body"].read() == b"first"


def test_object_when_written_only_if_absent_by_many_at_once_then_one_of_them_wins(s3: Any):
    def write(number: int) -> str:
        try:
            s3.put_object(Bucket=BUCKET, Key="raced", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "written"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["written"]
    body = s3.get_object(Bucket=BUCKET, Key="raced")["Body"].read()
    assert outcomes[int(body)] == "written"


def test_object_when_replaced_only_if_unchanged_then_who_read_an_older_one_is_refused(s3: Any):
    first = s3.put_object(Bucket=BUCKET, Key="state", Body=b"first")["ETag"]
    s3.put_object(Bucket=BUCKET, Key="state", Body=b"second", IfMatch=first)
    code = error_code(s3.put_object, Bucket=BUCKET, Key="state", Body=b"third", IfMatch=first)
    assert code == "PreconditionFailed"
    assert s3.get_object(Bucket=BUCKET, Key="state")["Body"].read() == b"second"


def test_object_when_replaced_only_if_unchanged_but_gone_then_it_is_missing(s3: Any):
    code = error_code(s3.put_object, Bucket=BUCKET, Key="never", Body=b"x", IfMatch='"abc"')
    assert code == "NoSuchKey"
    assert error_code(s3.head_object, Bucket=BUCKET, Key="never") == "404"


def test_object_when_written_only_if_another_then_the_condition_is_refused_as_on_aws(s3: Any):
    code = error_code(s3.put_object, Bucket=BUCKET, Key="other", Body=b"x", IfNoneMatch='"abc"')
    assert code == "NotImplemented"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_object_when_its_checksum_is_wrong_then_it_is_refused_and_nothing_is_stored(s3: Any, algorithm: str):
    wrong = {"CRC32": "AAAAAA==", "SHA1": "A" * 27 + "=", "SHA256": "A" * 43 + "="}[algorithm]
    code = error_code(
        s3.put_object, Bucket=BUCKET, Key="broken", Body=b"x", **{f"Checksum{algorithm}": wrong}
    )
    assert code == "BadDigest"
    assert error_code(s3.head_object, Bucket=BUCKET, Key="broken") == "404"


def test_listing_when_a_delimiter_is_given_then_prefixes_fold_and_pages_join(s3: Any):
    for key in ("a/1", "a/2", "b", "c/1", "c/2/3", "d"):
        s3.put_object(Bucket=BUCKET, Key=f"list/{key}", Body=b"")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 1}
        )
    )
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    prefixes = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    assert (keys, prefixes) == (["list/b", "list/d"], ["list/a/", "list/c/"])


def test_listing_when_longer_than_a_page_then_every_key_comes_once_and_in_order(s3: Any):
    expected = [f"many/{number:04d}" for number in range(25)]
    for key in expected:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    for operation in ("list_objects_v2", "list_objects"):
        pages = s3.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix="many/", PaginationConfig={"PageSize": 10}
        )
        assert [entry["Key"] for page in pages for entry in page["Contents"]] == expected
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in expected]})
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")["KeyCount"] == 0


def test_bucket_when_made_twice_or_not_empty_or_unknown_then_the_usual_errors_come(s3: Any):
    where = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="second", CreateBucketConfiguration=where)
    code = error_code(s3.create_bucket, Bucket="second", CreateBucketConfiguration=where)
    assert code == "BucketAlreadyOwnedByYou"
    s3.put_object(Bucket="second", Key="x", Body=b"")
    assert error_code(s3.delete_bucket, Bucket="second") == "BucketNotEmpty"
    s3.delete_object(Bucket="second", Key="x")
    s3.delete_bucket(Bucket="second")
    assert error_code(s3.head_bucket, Bucket="second") == "404"
    assert error_code(s3.put_object, Bucket="second", Key="x", Body=b"") == "NoSuchBucket"
    assert error_code(s3.get_object, Bucket=BUCKET, Key="nothing") == "NoSuchKey"


def test_bucket_when_configured_then_it_is_given_back(s3: Any):
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert error_code(s3.get_bucket_policy, Bucket=BUCKET) == "NoSuchBucketPolicy"
    s3.put_bucket_policy(Bucket=BUCKET, Policy='{"Statement": []}')
    assert s3.get_bucket_policy(Bucket=BUCKET)["Policy"] == '{"Statement": []}'


def test_object_when_reached_by_a_presigned_address_then_it_comes(s3: Any):
    s3.put_object(Bucket=BUCKET, Key="signed", Body=b"hello")
    address = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "signed"})
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"hello"


def test_upload_when_a_part_is_missing_then_it_is_refused(s3: Any):
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": "x"}]}
    code = error_code(
        s3.complete_multipart_upload, Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload=parts
    )
    assert code == "InvalidPart"
    s3.abort_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_operation_when_not_implemented_then_the_answer_says_so(s3: Any):
    assert error_code(s3.list_object_versions, Bucket=BUCKET) == "NotImplemented"


def test_object_when_large_then_the_stand_in_holds_only_pieces_of_it(server: Server, s3: Any):
    status = Path(f"/proc/{server.process.pid}/status")

    def peak_mebibytes() -> int:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) // KIBIBYTE

    server.client("sts").get_caller_identity()  # moto is loaded: what grows from here on is the object
    before = peak_mebibytes()
    content = bytes(64 * KIBIBYTE * KIBIBYTE)
    s3.put_object(Bucket=BUCKET, Key="huge", Body=content)
    assert s3.get_object(Bucket=BUCKET, Key="huge")["Body"].read() == content
    s3.copy_object(Bucket=BUCKET, Key="huge-copy", CopySource={"Bucket": BUCKET, "Key": "huge"})
    assert peak_mebibytes() - before < 24
