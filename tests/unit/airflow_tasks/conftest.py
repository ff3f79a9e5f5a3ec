"""Airflow needs a home before it is imported; AWS clients need credentials and must reach nothing but us."""

import os
import tempfile

_HOME = tempfile.TemporaryDirectory(prefix="airflow-home-")
os.environ["AIRFLOW_HOME"] = _HOME.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "false"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{_HOME.name}/airflow.db"
os.environ["AWS_ACCESS_KEY_ID"] = "test"
os.environ["AWS_SECRET_ACCESS_KEY"] = "test"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_MAX_ATTEMPTS"] = "1"
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
    os.environ.pop(name, None)

import functools  # noqa: E402

import botocore.loaders  # noqa: E402
import pytest  # noqa: E402

# Every hook makes a session, and every session reads the service models again; once is enough for tests.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)


@pytest.fixture
def sagemaker(monkeypatch):
    """A running SageMaker that is reached at AWS_ENDPOINT_URL, as the laptop's stand-in is."""
    from tests.unit.airflow_tasks.sagemaker_server import SageMakerServer

    monkeypatch.setattr("include.airflow_tasks.job_calls._PAUSE_AFTER_ERROR_SECONDS", 0.01)
    server = SageMakerServer()
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def aws_url():
    """Start one moto server for S3 and the model registry, on a free loopback port."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(aws_url, monkeypatch):
    """A clean AWS with the artifact and data buckets."""
    import boto3
    import httpx

    httpx.post(f"{aws_url}/moto-api/reset")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    s3 = boto3.client("s3")
    for bucket in ("churn-artifacts", "churn-data"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return aws_url


@pytest.fixture
def s3_hook(aws):
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    return S3Hook(aws_conn_id=None, region_name="eu-west-1")
