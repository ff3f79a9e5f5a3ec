"""`make deploy`'s command as a process of its own, against servers."""

import json
import os
import subprocess
import sys
from pathlib import Path

from scripts.bundle_manifest import read_manifest

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


def prove(bundle):
    record = {"bundle_id": read_manifest(bundle).bundle_id, "airflow_versions": ["3.3.1"]}
    (bundle / "preflight.json").write_text(json.dumps(record))
