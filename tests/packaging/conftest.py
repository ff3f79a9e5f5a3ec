"""One bundle, built once; tests plant their faults in copies of it."""

import json
import shutil
import urllib.request
import zipfile
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer

from scripts.build_mwaa_bundle import build_mwaa_bundle
from scripts.mwaa_images import lock_file, read_pins
from scripts.preflight.run import UnpackedBundle
from tests.packaging.deployment_account import Account, changed
from tests.packaging.deployment_command import Command
from tests.packaging.mwaa_stand_in import BUCKET, OUTPUT, MwaaServer, MwaaStandIn
from tests.packaging.preflight_findings import IMAGE, environment_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def built_bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "dist"
    build_mwaa_bundle(folder)
    return folder


@pytest.fixture
def bundle_copy(built_bundle, tmp_path):
    """A bundle of one's own: change it, it is nobody else's."""
    return Path(shutil.copytree(built_bundle, tmp_path / "dist"))


class PlantedBundle:
    """An unpacked copy whose files a test changes, adds and removes."""

    def __init__(self, folder: Path, plugins: Path):
        self.folder = folder
        self.plugins = plugins
        with zipfile.ZipFile(folder / "plugins.zip") as archive:
            archive.extractall(plugins)

    def plant(self, path: str, text: str) -> None:
        """Write a file of the bundle: `plugins/...` inside plugins.zip, everything else beside it."""
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def remove(self, path: str) -> None:
        self.path(path).unlink()

    def path(self, path: str) -> Path:
        inside = path.removeprefix("plugins/")
        return self.plugins / inside if inside != path else self.folder / path

    def unpacked(self) -> UnpackedBundle:
        names = tuple(
            sorted(
                path.relative_to(self.plugins).as_posix()
                for path in self.plugins.rglob("*")
                if path.is_file()
            )
        )
        return UnpackedBundle(folder=self.folder, plugins=self.plugins, plugin_names=names)

    def pack(self) -> None:
        """Write plugins.zip anew from the changed files."""
        with zipfile.ZipFile(self.folder / "plugins.zip", "w") as archive:
            for name in self.unpacked().plugin_names:
                archive.write(self.plugins / name, name)


@pytest.fixture
def planted(bundle_copy, tmp_path):
    return PlantedBundle(bundle_copy, tmp_path / "plugins")


@pytest.fixture(scope="session")
def environment():
    return environment_of(IMAGE)


@pytest.fixture(scope="session")
def pins():
    return read_pins(lock_file(ROOT, IMAGE).read_text())


@pytest.fixture
def account(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-west-1")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        stand_in = MwaaStandIn(boto3.client("s3", region_name="eu-west-1"), BUCKET)
        with MwaaServer(stand_in) as server:
            yield Account(server, stand_in, s3)


@pytest.fixture
def next_bundle(built_bundle, tmp_path):
    """Another plugins.zip, another job bundle, one DAG changed, one removed, one new."""
    folder = changed(
        built_bundle,
        tmp_path / "next",
        **{
            "plugins.zip": "other plugins",
            "dags__churn_retraining.py": "# changed\n",
            "dags__churn_drift_monitoring.py": None,
            "dags__churn_new.py": "# new\n",
        },
    )
    mapping = json.loads((folder / "manifest.json").read_text()) | {"job_bundle": "f" * 64}
    (folder / "manifest.json").write_text(json.dumps(mapping))
    return folder


@pytest.fixture(scope="session")
def moto_url():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def commanded_account(bundle_copy, tmp_path, moto_url):
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
