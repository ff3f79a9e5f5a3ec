"""SCHEMA=name, SCHEMA=s3://… and SCHEMA=file, from the command line to what the DAG is given."""

import io
import shutil
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from include.settings.monitoring_parameters import MonitoringParameters
from include.settings.retraining_parameters import RetrainingParameters
from local_airflow.schema_choice import place_schema, read_schema_choice, read_schema_name
from local_airflow.stack_settings import StackError

SHIPPED = Path(__file__).resolve().parents[2] / "include/data_contracts/schemas/ibm_telco.yaml"


class FolderS3:
    """Keeps objects in memory under bucket and key."""

    class exceptions:  # noqa: N801 - boto3's own spelling
        ClientError = ClientError

    def __init__(self):
        self.objects = {}

    def upload_file(self, path, bucket, key):
        self.objects[bucket, key] = Path(path).read_bytes()

    def get_object(self, **place):
        place = (place["Bucket"], place["Key"])
        if place not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[place])}


@pytest.fixture
def choose(monkeypatch, tmp_path):
    monkeypatch.setenv("CHURN_CALLER_DIR", str(tmp_path))

    def run(text):
        monkeypatch.setenv("SCHEMA", text)
        return read_schema_choice()

    return run


@pytest.fixture
def own_schema(tmp_path):
    return Path(shutil.copyfile(SHIPPED, tmp_path / "my source.yaml"))


@pytest.mark.parametrize("given", ["iranian", "s3://churn-data/schemas/mine.yaml"])
def test_schema_when_it_is_a_name_or_an_address_then_is_passed_on_as_it_is(choose, given):
    assert choose(given) == given
    assert place_schema(FolderS3(), given) == given


def test_schema_when_it_is_ones_own_file_then_both_dags_take_its_address(choose, own_schema):
    s3 = FolderS3()
    choice = choose(own_schema.name)
    assert choice == own_schema
    uri = place_schema(s3, choice)
    assert list(s3.objects.values()) == [own_schema.read_bytes()]
    assert RetrainingParameters.from_conf(conf={"schema": uri}).schema == uri
    assert MonitoringParameters.from_conf(conf={"schema": uri}).schema == uri
    assert read_schema_name(s3, uri) == "ibm_telco"


def test_schema_when_its_content_changes_then_lies_elsewhere(choose, own_schema):
    first = place_schema(FolderS3(), choose(own_schema.name))
    own_schema.write_text(own_schema.read_text() + "# changed\n")
    assert place_schema(FolderS3(), choose(own_schema.name)) != first


@pytest.mark.parametrize(
    ("given", "content", "said"),
    [
        ("nobody", None, "SCHEMA=nobody: unknown schema 'nobody': choose one of ibm_telco, iranian, mlc"),
        ("absent.yaml", None, r"SCHEMA=absent\.yaml: .*No such file"),
        ("half.yaml", "name: [", r"SCHEMA=half\.yaml: "),
        ("empty.yaml", "name: mine\n", r"SCHEMA=empty\.yaml: "),
    ],
)
def test_schema_when_it_cannot_be_used_then_is_refused_before_anything_starts(
    choose, tmp_path, given, content, said
):
    if content:
        (tmp_path / given).write_text(content)
    with pytest.raises(StackError, match=said) as refused:
        choose(given)
    assert "\n" not in str(refused.value)


def test_schema_name_when_the_address_holds_nothing_then_names_it():
    with pytest.raises(StackError, match=r"SCHEMA=s3://churn-data/gone\.yaml: cannot be read"):
        read_schema_name(FolderS3(), "s3://churn-data/gone.yaml")
