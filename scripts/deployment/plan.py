"""What a deployment has to do: wanted state against found state, as a function of data."""

from collections.abc import Mapping
from dataclasses import dataclass

from scripts.bundle_manifest import BundleManifest
from scripts.deployment.airflow_environment import EnvironmentState
from scripts.deployment.artifact_store import FileVersion
from scripts.deployment.records import DeploymentRecord


@dataclass(frozen=True)
class WantedFile:
    """A file as it should be. With a `version_id` that very version is meant, not merely the same bytes."""

    key: str
    sha256: str
    content: bytes | None = None
    version_id: str | None = None


@dataclass(frozen=True)
class WantedState:
    """What should run: `code` by kind, `dags` by key. `rollback_to` is the deployment whose state this is."""

    manifest: BundleManifest
    code: Mapping[str, WantedFile]
    dags: Mapping[str, WantedFile]
    rollback_to: DeploymentRecord | None = None


@dataclass(frozen=True)
class FoundState:
    """What is there: the latest version of each file, the environment, and the records of deployments."""

    job_bundle: str | None
    code: Mapping[str, FileVersion | None]
    dags: Mapping[str, FileVersion]
    environment: EnvironmentState
    current: DeploymentRecord | None
    pending_dags: frozenset[str] | None

    def own_dags(self) -> frozenset[str]:
        """Return the DAG files that a deployment put there; others are somebody else's."""
        recorded = frozenset(file.key for file in self.current.dags) if self.current else frozenset()
        return recorded | (self.pending_dags or frozenset())


@dataclass(frozen=True)
class DeploymentPlan:
    """The steps that are left, in the order in which they are taken."""

    job_bundle: bool
    uploads: tuple[str, ...]
    update: tuple[str, ...]
    dag_uploads: tuple[str, ...]
    dag_deletions: tuple[str, ...]
    foreign_dags: tuple[str, ...]
    record: bool

    @property
    def is_empty(self) -> bool:
        """Tell whether everything is as wanted already."""
        return not (
            self.job_bundle
            or self.uploads
            or self.update
            or self.dag_uploads
            or self.dag_deletions
            or self.record
        )


def make_plan(wanted: WantedState, found: FoundState) -> DeploymentPlan:
    """Compare; nothing that is right already is touched, so that a killed deployment is simply run again."""
    uploads = tuple(kind for kind, file in wanted.code.items() if _needs_upload(file, found.code[kind]))
    update = tuple(
        kind for kind, file in wanted.code.items() if kind in uploads or _points_elsewhere(kind, file, found)
    )
    dag_uploads = tuple(
        key
        for key, file in sorted(wanted.dags.items())
        if key not in found.dags or found.dags[key].sha256 != file.sha256
    )
    unwanted = sorted(set(found.dags) - set(wanted.dags))
    deletions = tuple(key for key in unwanted if key in found.own_dags())
    job_bundle = found.job_bundle != wanted.manifest.job_bundle
    is_recorded = found.pending_dags is None and _is_recorded(wanted, found)
    return DeploymentPlan(
        job_bundle=job_bundle,
        uploads=uploads,
        update=update,
        dag_uploads=dag_uploads,
        dag_deletions=deletions,
        foreign_dags=tuple(key for key in unwanted if key not in deletions),
        record=bool(not is_recorded or job_bundle or uploads or update or dag_uploads or deletions),
    )


def _needs_upload(file: WantedFile, latest: FileVersion | None) -> bool:
    return file.version_id is None and (latest is None or latest.sha256 != file.sha256)


def _points_elsewhere(kind: str, file: WantedFile, found: FoundState) -> bool:
    latest = found.code[kind]
    version = file.version_id or (latest.version_id if latest else None)
    return found.environment.code[kind] != (file.key, version)


def _is_recorded(wanted: WantedState, found: FoundState) -> bool:
    current = found.current
    return (
        current is not None
        and current.manifest.bundle_id == wanted.manifest.bundle_id
        and {kind: file.sha256 for kind, file in current.code.items()}
        == {kind: file.sha256 for kind, file in wanted.code.items()}
    )


def describe_plan(plan: DeploymentPlan, wanted: WantedState, environment_name: str) -> list[str]:
    """Return one line per step, as `--dry-run` shows them."""
    if plan.is_empty:
        return [f"bundle {wanted.manifest.bundle_id} is deployed already; nothing would change"]
    lines = [f"make job bundle {wanted.manifest.job_bundle[:12]} the current one"] if plan.job_bundle else []
    lines += [f"upload {wanted.code[kind].key}" for kind in plan.uploads]
    if plan.update:
        lines.append(f"update environment {environment_name}: {', '.join(plan.update)}")
    lines += [f"upload {key}" for key in plan.dag_uploads]
    lines += [f"delete {key}" for key in plan.dag_deletions]
    if plan.record:
        lines.append("record the deployment")
    return lines
