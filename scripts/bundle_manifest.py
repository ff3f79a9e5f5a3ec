"""`manifest.json`: what a bundle for MWAA holds, file by file, and the code it was made of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

MANIFEST_FILE = "manifest.json"
CONTRACT = "mwaa_bundle"
VERSION = 1


class ManifestError(Exception):
    """The bundle's folder or its manifest cannot be used; the message is one line that says what to do."""


@dataclass(frozen=True)
class BundledFile:
    """One file of the bundle: path inside it, sha256 and size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class BundleManifest:
    """Everything that ships, sorted by path; `job_bundle` names the job code's folder in S3."""

    git_revision: str
    airflow_versions: tuple[str, ...]
    python_version: str
    job_bundle: str
    files: tuple[BundledFile, ...]

    @property
    def bundle_id(self) -> str:
        """Return 16 digits that change with the bytes of any file; the revision has no part in them."""
        digests = "".join(f"{file.sha256}  {file.path}\n" for file in self.files)
        return hashlib.sha256(digests.encode()).hexdigest()[:16]

    def file(self, path: str) -> BundledFile:
        """Return one file's entry; raises ManifestError."""
        for file in self.files:
            if file.path == path:
                return file
        raise ManifestError(f"the bundle has no {path}; make it anew with `make bundle`")

    def dag_files(self) -> tuple[BundledFile, ...]:
        """Return the files that go to the environment's DAG folder."""
        return tuple(file for file in self.files if file.path.startswith("dags/"))

    def dag_ids(self) -> tuple[str, ...]:
        """Return the DAGs: one file, one DAG, named alike."""
        return tuple(PurePosixPath(file.path).stem for file in self.dag_files() if file.path.endswith(".py"))

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "contract": CONTRACT,
            "version": VERSION,
            "bundle_id": self.bundle_id,
            "git_revision": self.git_revision,
            "airflow_versions": list(self.airflow_versions),
            "python_version": self.python_version,
            "job_bundle": self.job_bundle,
            "files": {file.path: {"sha256": file.sha256, "bytes": file.size} for file in self.files},
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read the JSON form; raises ManifestError."""
        try:
            if (mapping["contract"], mapping["version"]) != (CONTRACT, VERSION):
                raise ManifestError(
                    f"the manifest is {mapping['contract']!s:.40} version {mapping['version']!s:.10}, wanted "
                    f"{CONTRACT} version {VERSION}; make the bundle anew with `make bundle`"
                )
            return cls(
                git_revision=str(mapping["git_revision"]),
                airflow_versions=tuple(mapping["airflow_versions"]),
                python_version=str(mapping["python_version"]),
                job_bundle=str(mapping["job_bundle"]),
                files=tuple(
                    BundledFile(path, str(entry["sha256"]), int(entry["bytes"]))
                    for path, entry in sorted(mapping["files"].items())
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ManifestError(
                f"the manifest is not readable ({error!r:.80}); make it anew with `make bundle`"
            ) from None


def describe_file(path: str, content: bytes) -> BundledFile:
    """Return the entry of one file."""
    return BundledFile(path, hashlib.sha256(content).hexdigest(), len(content))


def read_manifest(bundle_dir: Path) -> BundleManifest:
    """Read the manifest of a bundle on disk; raises ManifestError."""
    path = bundle_dir / MANIFEST_FILE
    try:
        return BundleManifest.from_mapping(json.loads(path.read_text()))
    except OSError:
        raise ManifestError(f"{path} cannot be read; make the bundle with `make bundle`") from None
    except ValueError as error:
        raise ManifestError(f"{path}: {error}; make the bundle anew with `make bundle`") from None
