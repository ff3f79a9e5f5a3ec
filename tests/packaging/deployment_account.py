"""An account with a versioned bucket and an MWAA environment, and bundles to deploy to it."""

import json
import shutil
from pathlib import Path

import boto3
from botocore.config import Config

from scripts.bundle_manifest import BundleManifest, describe_file, read_manifest
from scripts.deployment.airflow_environment import Waiting
from scripts.deployment.artifact_store import ArtifactStore
from scripts.deployment.deployment import Deployer, deploy, roll_back
from scripts.deployment.target import DeploymentTarget
from tests.packaging.mwaa_stand_in import BUCKET, OUTPUT

WRITES = ("PutObject", "DeleteObject", "UpdateEnvironment")


class KilledError(BaseException):
    """The process ends here; nothing may catch it."""


class Account:
    """Bucket, MWAA stand-in and clients; `writes` lists every call that changed something."""

    def __init__(self, server, stand_in, s3):
        self.stand_in, self.s3 = stand_in, s3
        config = Config(inject_host_prefix=False, retries={"max_attempts": 0})
        self.mwaa = boto3.client("mwaa", region_name="eu-west-1", endpoint_url=server.url, config=config)
        self.writes: list[str] = []
        self.kill_after: int | None = None
        self.lines: list[str] = []
        self.clock = 0.0
        for client in (self.s3, self.mwaa):
            client.meta.events.register("provide-client-params.*.*", self._note)
            client.meta.events.register("after-call.*.*", self._kill)

    def _note(self, params, model, **_):
        self._last = model.name in WRITES
        if self._last:
            key = params.get("Key", model.name)
            sha = key.split("/")[1] if key.startswith("job-bundles/") and key.count("/") == 2 else None
            text = key.replace(sha, "<sha256>") if sha else key
            self.writes.append(f"delete {text}" if model.name == "DeleteObject" else text)

    def _kill(self, **_):
        if self._last and len(self.writes) == self.kill_after:
            raise KilledError

    def sleep(self, seconds):
        self.clock += seconds

    def deployer(self, **settings):
        output = {**OUTPUT, "settings": {**OUTPUT["settings"], **settings}}
        waiting = Waiting(sleep=self.sleep, now=lambda: self.clock)
        store = ArtifactStore(self.s3, BUCKET)
        target = DeploymentTarget.from_mapping(output, "test")
        return Deployer(target, store, self.mwaa, waiting, self.lines.append)

    def deploy(self, bundle, *, dry_run=False, **settings):
        self.writes.clear()
        self.lines.clear()
        deploy(self.deployer(**settings), bundle, read_manifest(bundle), is_dry_run=dry_run)

    def roll_back(self):
        self.writes.clear()
        self.lines.clear()
        roll_back(self.deployer())

    def state(self):
        """Everything a deployment leaves, without times and numbers."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        objects = {
            entry["Key"]: self.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            for entry in listed
            if not entry["Key"].startswith("deployments/0")
        }
        return objects, {kind: self.running(kind) for kind in ("Plugins", "Requirements", "StartupScript")}

    def running(self, kind):
        """The bytes of the S3 version that the environment points at."""
        environment = self.stand_in.environment
        key, version = environment[f"{kind}S3Path"], environment[f"{kind}S3ObjectVersion"]
        return self.s3.get_object(Bucket=BUCKET, Key=key, VersionId=version)["Body"].read()

    def read(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def changed(bundle: Path, target: Path, **files: str | None) -> Path:
    """Copy a bundle, change or (with None) remove files, and write its manifest anew."""
    shutil.copytree(bundle, target)
    for name, text in files.items():
        path = target / name.replace("__", "/")
        path.unlink() if text is None else path.write_text(text)
    old = read_manifest(bundle)
    paths = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    manifest = BundleManifest(
        git_revision="next",
        airflow_versions=old.airflow_versions,
        python_version=old.python_version,
        job_bundle=old.job_bundle,
        files=tuple(describe_file(p, (target / p).read_bytes()) for p in paths if p != "manifest.json"),
    )
    (target / "manifest.json").write_text(json.dumps(manifest.to_mapping()))
    return target
