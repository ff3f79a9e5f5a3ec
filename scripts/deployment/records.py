"""What was deployed, kept in the artifact bucket under deployments/: a record each, current, pending."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from scripts.bundle_manifest import BundleManifest, ManifestError
from scripts.deployment.artifact_store import ArtifactStore, FileVersion
from scripts.deployment.errors import DeploymentError

FOLDER = "deployments"
CURRENT_KEY = f"{FOLDER}/current.json"
PENDING_KEY = f"{FOLDER}/pending.json"


@dataclass(frozen=True)
class DeploymentRecord:
    """One finished deployment; `code` holds plugins, requirements and startup, `dags` every DAG file.

    `previous` is the deployment that a rollback of this one goes back to.
    """

    number: int
    deployed_at: str
    airflow_version: str
    manifest: BundleManifest
    code: Mapping[str, FileVersion]
    dags: tuple[FileVersion, ...]
    previous: int | None = None
    rollback_of: int | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "contract": "mwaa_deployment",
            "version": 1,
            "number": self.number,
            "deployed_at": self.deployed_at,
            "airflow_version": self.airflow_version,
            "previous": self.previous,
            "rollback_of": self.rollback_of,
            "code": {kind: asdict(file) for kind, file in self.code.items()},
            "dags": [asdict(file) for file in self.dags],
            "manifest": self.manifest.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], key: str) -> Self:
        """Read the JSON form; raises DeploymentError."""
        try:
            return cls(
                number=int(mapping["number"]),
                deployed_at=str(mapping["deployed_at"]),
                airflow_version=str(mapping["airflow_version"]),
                manifest=BundleManifest.from_mapping(mapping["manifest"]),
                code={kind: FileVersion(**file) for kind, file in mapping["code"].items()},
                dags=tuple(FileVersion(**file) for file in mapping["dags"]),
                previous=mapping["previous"],
                rollback_of=mapping["rollback_of"],
            )
        except (KeyError, TypeError, ValueError, AttributeError, ManifestError) as error:
            raise DeploymentError(
                f"{key} is not a record of a deployment ({error!r:.80}); restore an older version of it"
            ) from None


def record_key(number: int) -> str:
    """Return where a deployment's record lies."""
    return f"{FOLDER}/{number:06d}/manifest.json"


class RecordBook:
    """The records in the artifact bucket."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def read(self, number: int) -> DeploymentRecord:
        """Return one record; raises DeploymentError."""
        key = record_key(number)
        mapping = self._json(key)
        if mapping is None:
            raise DeploymentError(f"deployment {number} has no record ({key}); deploy its revision anew")
        return DeploymentRecord.from_mapping(mapping, key)

    def current(self) -> DeploymentRecord | None:
        """Return the last finished deployment, or None before the first."""
        pointer = self._json(CURRENT_KEY)
        return self.read(int(pointer["number"])) if pointer else None

    def pending_dags(self, current: DeploymentRecord | None) -> frozenset[str] | None:
        """Return the DAG files of a deployment that was begun after the current one, or None."""
        pending = self._json(PENDING_KEY)
        if pending is None or (current is not None and pending["number"] <= current.number):
            return None  # finished, and killed before it could say so
        return frozenset(pending["dags"])

    def begin(self, number: int, dags: frozenset[str]) -> None:
        """Note what is about to be written: whoever goes on after a kill knows which files are ours."""
        self._put(PENDING_KEY, {"number": number, "dags": sorted(dags)})

    def finish(self, record: DeploymentRecord) -> None:
        """Write the record, then make it the current one."""
        self._put(record_key(record.number), record.to_mapping())
        self._put(CURRENT_KEY, {"number": record.number})
        self._store.delete(PENDING_KEY)

    def _json(self, key: str) -> dict[str, Any] | None:
        content = self._store.read(key)
        if content is None:
            return None
        try:
            mapping: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise DeploymentError(
                f"{key} is not JSON ({error}); restore an older version of that object"
            ) from None
        return mapping

    def _put(self, key: str, mapping: Mapping[str, Any]) -> None:
        self._store.put(key, (json.dumps(mapping, indent=2) + "\n").encode(), "application/json")
