import boto3
import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks import s3_documents
from include.airflow_tasks.s3_documents import (
    dataset_fingerprint,
    list_objects,
    read_json,
    read_text,
    write_json,
)

URI = "s3://churn-artifacts/folder/file.json"


def put(body: bytes, key="folder/file.json", bucket="churn-artifacts"):
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def read(hook, uri=URI):
    return read_json(hook, uri, what="the report", remedy="run the job again")


def test_write_json_when_read_back_then_it_is_the_same(s3_hook):
    write_json(s3_hook, URI, {"b": 1, "a": [2.5, None]}, what="the report")
    assert read(s3_hook) == {"a": [2.5, None], "b": 1}


def test_write_json_when_a_value_is_not_json_then_nothing_is_written(s3_hook):
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(s3_hook, URI, {"a": float("nan")}, what="the report")
    with pytest.raises(AirflowFailException, match="missing"):
        read(s3_hook)


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        (URI, f"the report is missing: {URI}; run the job again"),
        ("s3://no-such-bucket/a.json", "the report: the bucket of s3://no-such-bucket/a.json does not exist"),
    ],
)
def test_read_json_when_something_is_missing_then_one_line_says_what_and_what_to_do(s3_hook, uri, sentence):
    with pytest.raises(AirflowFailException) as failed:
        read(s3_hook, uri)
    assert sentence in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{\n 'a': 1}", r"is not JSON \(line 2, column 2"),
        (b"[1]", "holds a list, expected a JSON object"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
    ],
)
def test_read_json_when_the_content_is_wrong_then_one_line_says_where(s3_hook, body, sentence):
    put(body)
    with pytest.raises(AirflowFailException, match=sentence):
        read(s3_hook)


def test_read_text_when_the_object_is_huge_then_it_is_not_read(s3_hook, monkeypatch):
    monkeypatch.setattr(s3_documents, "LARGEST_DOCUMENT_BYTES", 3)
    put(b"abcd")
    with pytest.raises(AirflowFailException, match="has 4 bytes; is it the right file"):
        read_text(s3_hook, URI, what="the report", remedy="")


def test_read_text_when_the_file_starts_with_a_byte_order_mark_then_it_is_left_out(s3_hook):
    put(b"\xef\xbb\xbfname: x")
    assert read_text(s3_hook, URI, what="the schema", remedy="") == "name: x"


def test_read_json_when_aws_is_out_of_reach_then_it_is_worth_a_retry(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(AirflowException, match="cannot be reached") as failed:
        read(S3Hook(aws_conn_id=None, region_name="eu-west-1", config={"retries": {"max_attempts": 0}}))
    assert not isinstance(failed.value, AirflowFailException)


def test_list_objects_when_there_are_folders_and_empty_files_then_they_do_not_count(s3_hook):
    for key, body in {
        "raw/b.csv": b"2",
        "raw/a.csv": b"1",
        "raw/": b"",
        "raw/empty.csv": b"",
        "other/c": b"3",
    }.items():
        put(body, key, "churn-data")
    found = list_objects(s3_hook, "s3://churn-data/raw/", what="the data")
    assert [entry["Key"] for entry in found] == ["raw/a.csv", "raw/b.csv"]


def test_list_objects_when_there_are_more_than_one_page_then_all_are_found(s3_hook, monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    for number in range(8):
        put(b"1", f"many/{number:04d}", "churn-data")
    assert len(list_objects(s3_hook, "s3://churn-data/many/", what="the data")) == 8


def test_list_objects_when_the_bucket_is_missing_then_one_line_says_so(s3_hook):
    with pytest.raises(AirflowFailException, match="bucket of s3://gone/raw/ does not exist"):
        list_objects(s3_hook, "s3://gone/raw/", what="the data")


ONE = {"Key": "raw/a.csv", "Size": 3, "ETag": '"1"'}


def test_dataset_fingerprint_when_nothing_changed_then_equal():
    assert dataset_fingerprint([dict(ONE)]) == dataset_fingerprint([dict(ONE)])


@pytest.mark.parametrize("change", [{"Key": "raw/b.csv"}, {"Size": 4}, {"ETag": '"2"'}])
def test_dataset_fingerprint_when_an_object_changed_then_different(change):
    assert dataset_fingerprint([ONE]) != dataset_fingerprint([{**ONE, **change}])
