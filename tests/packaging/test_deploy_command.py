"""`make deploy` as a process of its own, over HTTP: killed in the middle, run again, told off, taken back."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from scripts.bundle_manifest import read_manifest
from tests.packaging.mwaa_stand_in import BUCKET, OUTPUT, MwaaServer, MwaaStandIn

ROOT = Path(__file__).resolve().parents[2]


class Command:
    """Starts `python -m scripts.deploy_mwaa` against the two servers."""

    def __init__(self, bundle, outputs, s3_url, mwaa_url):
        self.arguments = ["--environment", "development", "--poll-seconds", "0.05"]
        self.arguments += ["--outputs", str(outputs), "--bundle", str(bundle)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.variables = {
            **clean,
            "PYTHONPATH": str(ROOT),
            "AWS_ENDPOINT_URL_S3": s3_url,
            "AWS_ENDPOINT_URL_MWAA": mwaa_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def start(self, *more):
        return subprocess.Popen(
            [sys.executable, "-m", "scripts.deploy_mwaa", *self.arguments, *more],
            cwd=ROOT,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *more):
        with self.start(*more) as process:
            shown, told = process.communicate(timeout=120)
        return process.returncode, shown, told


@pytest.fixture(scope="module")
def moto_url():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(bundle_copy, tmp_path, moto_url):
    url = moto_url
    # moto keeps one state per process.
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
    s3 = boto3.client(
        "s3", region_name="eu-west-1", endpoint_url=url, aws_access_key_id="t", aws_secret_access_key="t"
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(OUTPUT))
    stand_in = MwaaStandIn(s3, BUCKET)
    with MwaaServer(stand_in) as mwaa:
        yield stand_in, Command(bundle_copy, outputs, url, mwaa.url), bundle_copy


def prove(bundle):
    record = {"bundle_id": read_manifest(bundle).bundle_id, "airflow_versions": ["3.3.1"]}
    (bundle / "preflight.json").write_text(json.dumps(record))


def test_command_when_killed_during_the_update_then_the_next_one_finishes(account):
    stand_in, command, bundle = account
    prove(bundle)
    with command.start() as process:
        stand_in.on_update = lambda: process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    code, shown, told = command.run()
    assert (code, told) == (0, "")
    assert "telecom-churn-development: UPDATING" in shown
    assert "recorded as deployment 1" in shown
    assert "verified: Airflow 3.3.1 is healthy" in shown
    assert stand_in.calls.count("UpdateEnvironment") == 1


def test_command_when_the_bundle_is_not_proven_then_exits_with_2_in_one_line(account):
    _, command, _ = account
    code, _, told = command.run("--dry-run")
    assert code == 2
    assert told.startswith("error: bundle ")
    assert told.endswith("run make preflight\n")
    assert told.count("\n") == 1


def test_command_when_the_update_fails_then_exits_with_1_in_one_line(account):
    stand_in, command, bundle = account
    prove(bundle)
    stand_in.fail_next_update = True
    code, _, told = command.run()
    assert code == 1
    assert told.startswith("error: MWAA could not update telecom-churn-development")
    assert told.count("\n") == 1


def test_command_when_aws_refuses_then_exits_with_1_in_one_line(account):
    stand_in, command, bundle = account
    prove(bundle)
    stand_in.environment["Name"] = "renamed"
    code, _, told = command.run()
    assert code == 1
    assert "ResourceNotFoundException" in told
    assert told.count("\n") == 1
