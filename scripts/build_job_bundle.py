"""Build the code that runs inside the job images, named after its content, and upload it once per content.

`sourcedir.tar.gz` is for training (script mode: `train.py` beside the packages), `churn_jobs.pyz` for
processing (a zipapp whose first argument is the job's name). Both hold `sagemaker_jobs` and exactly the
modules of `include` that it imports; schemas are compiled from YAML to JSON, because the job images cannot
read YAML. The same input gives the same bytes on every machine.

    python -m scripts.build_job_bundle [--output-dir DIR] [--upload s3://BUCKET]
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.data_contracts.feature_schema import list_bundled_schema_names, load_schema
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.run_plan import JobBundle
from include.settings.s3_layout import (
    BUNDLE_POINTER_KEY,
    PROCESSING_SOURCE_FILE,
    TRAINING_SOURCE_FILE,
    bundle_prefix,
    split_s3_uri,
)
from scripts.import_closure import files_of_module, imported_modules
from scripts.reproducible_archives import tar_gz_bytes, zip_bytes

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_OUTPUT_DIR = PROJECT_ROOT / "dist" / "job-bundle"
UNKNOWN_REVISION = "unknown"

# Nothing that is bundled may need these: the job images do not have them.
_ABSENT_IN_JOB_IMAGES = frozenset({"airflow", "include.airflow_tasks", "include.settings"})
_OURS = frozenset({"include", "sagemaker_jobs"})
_SCHEMA_FOLDER = "include/data_contracts/schemas"
_TRAIN_SCRIPT = '''"""Entry of SageMaker's script mode."""

import sys

from sagemaker_jobs.job_entry import run_entry
from sagemaker_jobs.train import main

run_entry(lambda: main(sys.argv[1:]))
'''
_ZIPAPP_MAIN = '''"""Entry of the processing jobs: the first argument names the job."""

import sys

from sagemaker_jobs.__main__ import dispatch
from sagemaker_jobs.job_entry import run_entry

run_entry(lambda: dispatch(sys.argv[1:]))
'''


class BundleError(Exception):
    """The bundle cannot be built or uploaded; the message is one line that says what to do."""


@dataclass(frozen=True)
class BuiltBundle:
    """Both archives on disk; `sha256` covers both and names their folder in S3."""

    training_source: Path
    processing_source: Path
    sha256: str


def build_job_bundle(output_dir: Path, project_root: Path = PROJECT_ROOT) -> BuiltBundle:
    """Write both archives into `output_dir`; raises BundleError.

    Code and schemas are read from `project_root`; schemas only from the project that this script belongs to.
    """
    tree = {**_python_files(project_root), **_compiled_schemas()}
    archives = {
        TRAINING_SOURCE_FILE: tar_gz_bytes({**tree, "train.py": _TRAIN_SCRIPT.encode()}),
        PROCESSING_SOURCE_FILE: zip_bytes({**tree, "__main__.py": _ZIPAPP_MAIN.encode()}),
    }
    output_dir.mkdir(parents=True, exist_ok=True)
    for name, content in archives.items():
        temporary = output_dir / f".{name}.new"
        temporary.write_bytes(content)
        temporary.replace(output_dir / name)
    digests = "".join(f"{hashlib.sha256(archives[name]).hexdigest()}  {name}\n" for name in sorted(archives))
    return BuiltBundle(
        training_source=output_dir / TRAINING_SOURCE_FILE,
        processing_source=output_dir / PROCESSING_SOURCE_FILE,
        sha256=hashlib.sha256(digests.encode()).hexdigest(),
    )


def _python_files(project_root: Path) -> dict[str, bytes]:
    """Return path → source of all job modules and of what they import from this project, found by parsing."""
    waiting = sorted((project_root / "sagemaker_jobs").rglob("*.py"))
    if not waiting:
        raise BundleError(f"no job code found in {project_root.name}/sagemaker_jobs")
    found: dict[str, bytes] = {}
    while waiting:
        path = waiting.pop()
        name = path.relative_to(project_root).as_posix()
        if name in found:
            continue
        found[name] = path.read_bytes()
        for module in _imported_modules(found[name], name):
            if module in _ABSENT_IN_JOB_IMAGES or module.startswith(
                tuple(f"{m}." for m in _ABSENT_IN_JOB_IMAGES)
            ):
                raise BundleError(
                    f"{name} imports {module}, which the job images do not have; move what it needs"
                )
            waiting += files_of_module(project_root, module, _OURS)
    return found


def _imported_modules(source: bytes, name: str) -> list[str]:
    try:
        return list(imported_modules(source))
    except SyntaxError as error:
        raise BundleError(f"{name}, line {error.lineno}: {error.msg}") from None


def _compiled_schemas() -> dict[str, bytes]:
    """Return path → JSON of every schema that ships with the project."""
    try:
        return {
            f"{_SCHEMA_FOLDER}/{name}.json": (load_schema(name).to_json() + "\n").encode()
            for name in list_bundled_schema_names()
        }
    except ContractError as error:
        raise BundleError(str(error)) from error


def git_revision(project_root: Path = PROJECT_ROOT) -> str:
    """Return the commit, with `-dirty` when the working tree differs from it, or `unknown` outside git."""
    try:
        top = _git(project_root, "rev-parse", "--show-toplevel")
        if Path(top).resolve() != project_root.resolve():
            return UNKNOWN_REVISION  # someone else's repository around an unpacked copy of this project
        commit = _git(project_root, "rev-parse", "HEAD")
        return f"{commit}-dirty" if _git(project_root, "status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN_REVISION


def _git(project_root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(project_root), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def upload_job_bundle(bundle: BuiltBundle, bucket: str, revision: str, s3: Any) -> JobBundle:
    """Upload what is not there yet, then point `job-bundles/current.json` at it; returns the pointer.

    `s3` is a boto3 S3 client, whose errors pass through. The pointer comes last: it never names a bundle that
    is not complete.
    """
    uri = bundle_prefix(bucket, bundle.sha256)
    for path in (bundle.training_source, bundle.processing_source):
        key = f"{split_s3_uri(uri)[1]}/{path.name}"
        if not _object_exists(s3, bucket, key):
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    return point_to_job_bundle(bundle.sha256, bucket, revision, s3)


def point_to_job_bundle(sha256: str, bucket: str, revision: str, s3: Any) -> JobBundle:
    """Make an uploaded bundle the one that runs use from now on; returns the pointer."""
    pointer = JobBundle(uri=bundle_prefix(bucket, sha256), sha256=sha256, git_revision=revision)
    content = {"contract": "job_bundle", "version": 1, **pointer.to_mapping()}
    s3.put_object(
        Bucket=bucket,
        Key=BUNDLE_POINTER_KEY,
        Body=(json.dumps(content, indent=2) + "\n").encode(),
        ContentType="application/json",
    )
    return pointer


def _object_exists(s3: Any, bucket: str, key: str) -> bool:
    # Listing instead of HeadObject: a missing key is no error, and 403 and 404 stay apart.
    listed: Mapping[str, Any] = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(entry["Key"] == key for entry in listed.get("Contents", []))


def _upload(bundle: BuiltBundle, target: str) -> JobBundle:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        bucket, key = split_s3_uri(target.rstrip("/"))
    except ValueError as error:
        raise BundleError(f"--upload: {error}") from None
    if key:
        raise BundleError(f"--upload {target}: give the bucket only; bundles have their own folder in it")
    try:
        return upload_job_bundle(bundle, bucket, git_revision(), boto3.client("s3"))
    except (BotoCoreError, ClientError) as error:
        raise BundleError(f"upload to {target}: {' '.join(str(error).split())}") from error


def main(arguments: list[str] | None = None) -> int:
    """Build, and upload when asked; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--output-dir", type=Path, help=f"default: {DEFAULT_OUTPUT_DIR.relative_to(PROJECT_ROOT)}"
    )
    parser.add_argument("--upload", metavar="s3://BUCKET", help="upload once per content and set the pointer")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="job-bundle-") as temporary:
            unwanted = options.upload and not options.output_dir
            output_dir = Path(temporary) if unwanted else options.output_dir or DEFAULT_OUTPUT_DIR
            bundle = build_job_bundle(output_dir)
            if options.upload:
                pointer = _upload(bundle, options.upload)
                print(f"job bundle {pointer.uri} (revision {pointer.git_revision})")
            else:
                print(f"job bundle {bundle.sha256} in {output_dir}")
    except (BundleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
