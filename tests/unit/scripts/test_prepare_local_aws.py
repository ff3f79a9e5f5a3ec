import json

import boto3
import pytest
from moto import mock_aws

from scripts.build_job_bundle import build_job_bundle
from scripts.bundle_manifest import MANIFEST_FILE, BundleManifest, ManifestError, describe_file
from scripts.prepare_local_aws import main, prepare_local_aws

VARIABLES = {
    "AWS_ENDPOINT_URL": "http://local-aws:4566",
    "CHURN_ARTIFACT_BUCKET": "churn-artifacts",
    "CHURN_DATA_BUCKET": "churn-data",
    "CHURN_ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:churn-drift-alerts",
}


@pytest.fixture(scope="module")
def bundle_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    built = build_job_bundle(folder / "job-bundle")
    manifest = BundleManifest(
        git_revision="abc",
        airflow_versions=("3.3.1",),
        python_version="3.12",
        job_bundle=built.sha256,
        files=(describe_file("job-bundle/churn_jobs.pyz", built.processing_source.read_bytes()),),
    )
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest.to_mapping()))
    return folder


@pytest.fixture
def clients():
    with mock_aws():
        credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
        yield boto3.client("s3", **credentials), boto3.client("sns", **credentials)


def test_stand_in_when_prepared_twice_then_holds_buckets_topic_and_job_code_once(bundle_dir, clients):
    s3, sns = clients
    first = prepare_local_aws(bundle_dir, VARIABLES, s3, sns)
    assert prepare_local_aws(bundle_dir, VARIABLES, s3, sns) == first
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} == {"churn-artifacts", "churn-data"}
    assert [topic["TopicArn"] for topic in sns.list_topics()["Topics"]] == [
        VARIABLES["CHURN_ALERT_TOPIC_ARN"]
    ]
    pointer = json.load(s3.get_object(Bucket="churn-artifacts", Key="job-bundles/current.json")["Body"])
    assert pointer["uri"] == first


def test_stand_in_when_the_bundle_is_missing_then_is_refused_with_a_way_out(tmp_path, clients):
    with pytest.raises(ManifestError, match="make bundle"):
        prepare_local_aws(tmp_path, VARIABLES, *clients)


def test_command_when_no_stand_in_is_named_then_touches_nothing(tmp_path, capsys):
    assert main([str(tmp_path)], {**VARIABLES, "AWS_ENDPOINT_URL": ""}) == 2
    assert capsys.readouterr().err == "error: missing environment variables: AWS_ENDPOINT_URL\n"
