"""Takes the steps of a deployment in order; a rollback is the deployment of an earlier state."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.settings.s3_layout import (
    BUNDLE_POINTER_KEY,
    PROCESSING_SOURCE_FILE,
    TRAINING_SOURCE_FILE,
    bundle_prefix,
    split_s3_uri,
)
from scripts.build_job_bundle import BuiltBundle, point_to_job_bundle, upload_job_bundle
from scripts.build_mwaa_bundle import JOB_BUNDLE_FOLDER, PLUGINS_ARCHIVE, STARTUP_SCRIPT
from scripts.bundle_manifest import BundleManifest
from scripts.deployment.airflow_environment import KINDS, AirflowEnvironment, EnvironmentState, Waiting
from scripts.deployment.artifact_store import ArtifactStore, FileVersion
from scripts.deployment.errors import DeploymentError, TargetError
from scripts.deployment.plan import (
    DeploymentPlan,
    FoundState,
    WantedFile,
    WantedState,
    describe_plan,
    make_plan,
)
from scripts.deployment.records import DeploymentRecord, RecordBook
from scripts.deployment.target import DeploymentTarget
from scripts.deployment.verification import AirflowRestApi, verify
from scripts.mwaa_images import requirements_name


@dataclass(frozen=True)
class Deployer:
    """Everything a deployment works with; `tell` gets its progress lines."""

    target: DeploymentTarget
    store: ArtifactStore
    mwaa: Any
    waiting: Waiting
    tell: Callable[[str], None]

    @property
    def environment(self) -> AirflowEnvironment:
        """Return the MWAA environment."""
        return AirflowEnvironment(self.mwaa, self.target.environment_name, self.waiting, self.tell)

    @property
    def records(self) -> RecordBook:
        """Return the records of earlier deployments."""
        return RecordBook(self.store)


def deploy(deployer: Deployer, bundle: Path, manifest: BundleManifest, *, is_dry_run: bool = False) -> None:
    """Bring a bundle to the environment; raises DeploymentError. Run again, it goes on where it stopped."""
    state = _ready(deployer, is_dry_run)
    wanted = wanted_of_bundle(deployer.target, bundle, manifest, state.airflow_version)
    _bring(deployer, wanted, state, bundle, is_dry_run)


def roll_back(deployer: Deployer, *, is_dry_run: bool = False) -> None:
    """Go back one deployment; from a half-finished one, to the last finished. Raises DeploymentError."""
    state = _ready(deployer, is_dry_run)
    current = deployer.records.current()
    if current is None:
        raise TargetError(
            "no deployment is recorded yet, so there is none to go back to; deploy a bundle instead"
        )
    record = current
    if deployer.records.pending_dags(current) is None:
        if current.previous is None:
            raise TargetError(
                f"deployment {current.number} is the first; there is none before it to go back to"
            )
        record = deployer.records.read(current.previous)
    if record.airflow_version != state.airflow_version:
        raise TargetError(
            f"deployment {record.number} was made for Airflow {record.airflow_version}, the environment runs "
            f"{state.airflow_version}; check out revision {record.manifest.git_revision} and deploy it anew"
        )
    deployer.tell(f"going back to deployment {record.number} (revision {record.manifest.git_revision})")
    _bring(deployer, wanted_of_record(deployer, record), state, None, is_dry_run)


def _ready(deployer: Deployer, is_dry_run: bool) -> EnvironmentState:
    """Check bucket and environment, and wait for an update that is still running."""
    deployer.store.refuse_unversioned()
    state = deployer.environment.read() if is_dry_run else deployer.environment.read_when_idle()
    target = deployer.target
    if (
        not state.source_bucket_arn.endswith(f":{target.artifact_bucket}")
        or state.dags_path != target.dags_path
    ):
        raise TargetError(
            f"environment {target.environment_name} reads its DAGs from {state.source_bucket_arn}/"
            f"{state.dags_path}, the outputs name {target.artifact_bucket}/{target.dags_path}; give the "
            "outputs of this environment"
        )
    return state


def wanted_of_bundle(
    target: DeploymentTarget, bundle: Path, manifest: BundleManifest, airflow_version: str
) -> WantedState:
    """Return what a bundle asks for in an environment of this Airflow version."""
    # Terraform makes the environment without any (infrastructure/modules/mwaa).
    names = {
        "plugins": PLUGINS_ARCHIVE,
        "requirements": requirements_name(airflow_version),
        "startup": STARTUP_SCRIPT,
    }
    contents = {kind: (bundle / name).read_bytes() for kind, name in names.items()}
    contents["startup"] = target.render_startup(contents["startup"])
    dags = {
        f"{target.dags_path}/{file.path.removeprefix('dags/')}": (bundle / file.path).read_bytes()
        for file in manifest.dag_files()
    }
    return WantedState(
        manifest=manifest,
        code={kind: _wanted(f"{target.bundle_path}/{names[kind]}", contents[kind]) for kind in KINDS},
        dags={key: _wanted(key, content) for key, content in dags.items()},
    )


def _wanted(key: str, content: bytes) -> WantedFile:
    return WantedFile(key, hashlib.sha256(content).hexdigest(), content)


def wanted_of_record(deployer: Deployer, record: DeploymentRecord) -> WantedState:
    """Return what an earlier deployment left, from the versions that S3 kept; raises TargetError."""
    folder = split_s3_uri(bundle_prefix(deployer.target.artifact_bucket, record.manifest.job_bundle))[1]
    lost = [
        file.key for file in (*record.code.values(), *record.dags) if not deployer.store.has_version(file)
    ]
    lost += [
        f"{folder}/{name}"
        for name in (TRAINING_SOURCE_FILE, PROCESSING_SOURCE_FILE)
        if not deployer.store.has(f"{folder}/{name}")
    ]
    if lost:
        raise TargetError(
            f"S3 no longer keeps {lost[0]} of deployment {record.number}; check out revision "
            f"{record.manifest.git_revision}, then make bundle, make preflight and make deploy"
        )
    return WantedState(
        manifest=record.manifest,
        code={
            kind: WantedFile(file.key, file.sha256, version_id=file.version_id)
            for kind, file in record.code.items()
        },
        dags={
            file.key: WantedFile(file.key, file.sha256, deployer.store.read(file.key, file.version_id))
            for file in record.dags
        },
        rollback_to=record,
    )


def find_state(deployer: Deployer, wanted: WantedState, environment: EnvironmentState) -> FoundState:
    """Look at everything that the plan compares."""
    current = deployer.records.current()
    return FoundState(
        job_bundle=_current_job_bundle(deployer.store),
        code={kind: deployer.store.latest(file.key) for kind, file in wanted.code.items()},
        dags=deployer.store.latest_under(deployer.target.dags_path),
        environment=environment,
        current=current,
        pending_dags=deployer.records.pending_dags(current),
    )


def _current_job_bundle(store: ArtifactStore) -> str | None:
    content = store.read(BUNDLE_POINTER_KEY)
    try:
        return str(json.loads(content)["sha256"]) if content else None
    except (ValueError, KeyError, TypeError):
        return None  # not a pointer: it will be written anew


def _bring(
    deployer: Deployer,
    wanted: WantedState,
    environment: EnvironmentState,
    bundle: Path | None,
    is_dry_run: bool,
) -> None:
    found = find_state(deployer, wanted, environment)
    plan = make_plan(wanted, found)
    if is_dry_run:
        for line in describe_plan(plan, wanted, deployer.target.environment_name):
            deployer.tell(f"would: {line}" if not plan.is_empty else line)
        return
    for key in plan.foreign_dags:
        deployer.tell(f"{key} was not put there by a deployment; it stays")
    if plan.is_empty:
        deployer.tell(f"bundle {wanted.manifest.bundle_id} is deployed already; nothing to change")
    else:
        _take_steps(deployer, wanted, found, plan, bundle)
    _verify(deployer, wanted, environment.airflow_version)


def _take_steps(
    deployer: Deployer, wanted: WantedState, found: FoundState, plan: DeploymentPlan, bundle: Path | None
) -> None:
    """Job code, plugins, requirements and startup, environment, DAGs: each needs only what came before it."""
    number = found.current.number + 1 if found.current else 1
    deployer.records.begin(number, found.own_dags() | frozenset(wanted.dags))
    if plan.job_bundle:
        _switch_job_bundle(deployer, wanted.manifest, bundle)
    code = {kind: _settle(deployer, file, found.code[kind]) for kind, file in wanted.code.items()}
    if plan.update:
        deployer.environment.update(code, found.environment)
        deployer.tell(
            f"environment {deployer.target.environment_name} runs {', '.join(plan.update)} of this bundle"
        )
    dags = tuple(_settle(deployer, file, found.dags.get(key)) for key, file in sorted(wanted.dags.items()))
    for key in plan.dag_deletions:
        deployer.store.delete(key)
        deployer.tell(f"{key} deleted")
    record = _record(number, wanted, found, code, dags)
    deployer.records.finish(record)
    deployer.tell(f"recorded as deployment {number}")


def _switch_job_bundle(deployer: Deployer, manifest: BundleManifest, bundle: Path | None) -> None:
    store = deployer.store
    if bundle is None:
        point_to_job_bundle(manifest.job_bundle, store.bucket, manifest.git_revision, store.s3)
    else:
        folder = bundle / JOB_BUNDLE_FOLDER
        built = BuiltBundle(
            folder / TRAINING_SOURCE_FILE, folder / PROCESSING_SOURCE_FILE, manifest.job_bundle
        )
        upload_job_bundle(built, store.bucket, manifest.git_revision, store.s3)
    deployer.tell(f"job bundle {manifest.job_bundle[:12]} is the current one")


def _settle(deployer: Deployer, file: WantedFile, latest: FileVersion | None) -> FileVersion:
    """Return the version that holds the wanted bytes; uploads them when the latest does not."""
    if file.version_id is not None:
        return FileVersion(file.key, file.version_id, file.sha256)
    if latest is not None and latest.sha256 == file.sha256:
        return latest
    if file.content is None:
        raise DeploymentError(f"the bytes of {file.key} are gone from S3; deploy its revision anew")
    stored = deployer.store.put(file.key, file.content)
    deployer.tell(f"{file.key} uploaded, {len(file.content):,} bytes, version {stored.version_id}")
    return stored


def _record(
    number: int,
    wanted: WantedState,
    found: FoundState,
    code: dict[str, FileVersion],
    dags: tuple[FileVersion, ...],
) -> DeploymentRecord:
    current, target = found.current, wanted.rollback_to
    previous = target.previous if target else current.number if current else None
    return DeploymentRecord(
        number=number,
        deployed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        airflow_version=found.environment.airflow_version,
        manifest=wanted.manifest,
        code=code,
        dags=dags,
        previous=previous,
        rollback_of=current.number if target and current else None,
    )


def _verify(deployer: Deployer, wanted: WantedState, airflow_version: str) -> None:
    dags = {
        key.rpartition("/")[2].removesuffix(".py"): file.sha256
        for key, file in wanted.dags.items()
        if key.endswith(".py")
    }
    api = AirflowRestApi(deployer.mwaa, deployer.target.environment_name)
    verify(api, airflow_version, dags, deployer.waiting, deployer.tell)
