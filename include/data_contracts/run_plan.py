"""What the plans of all DAGs have in common: enough to name, tag, place and equip a job of the run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from include.data_contracts.mapping_reader import MappingReader
from include.settings.environment import Environment


@dataclass(frozen=True)
class JobBundle:
    """The job code of a run: an S3 folder named after its content, and the revision it was built from."""

    uri: str
    sha256: str
    git_revision: str

    @classmethod
    def from_mapping(cls, mapping: object, place: str = "job_bundle") -> "JobBundle":
        """Read the pointer object of the bucket, or a plan's part; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        return cls(reader.text("uri"), reader.text("sha256"), reader.text("git_revision"))

    def to_mapping(self) -> dict[str, str]:
        """Return the JSON form."""
        return asdict(self)


class JobLimits(Protocol):
    """The run parameters that every job needs."""

    @property
    def volume_size_gb(self) -> int:
        """Size of a job's disk."""

    @property
    def max_runtime_seconds(self) -> int:
        """After how long a job is stopped."""


class RunPlan(Protocol):
    """One prepared run of any DAG; frozen dataclasses fulfil it, such as `RetrainingPlan`."""

    @property
    def dag_id(self) -> str:
        """The DAG."""

    @property
    def run_id(self) -> str:
        """Airflow's name of the run."""

    @property
    def run_slug(self) -> str:
        """The run id as letters, digits and hyphens."""

    @property
    def run_hash(self) -> str:
        """Digits that tell this run from every other."""

    @property
    def run_prefix(self) -> str:
        """S3 URI under which everything of the run lies."""

    @property
    def data_origin(self) -> str:
        """Either real or synthetic."""

    @property
    def environment(self) -> Environment:
        """Buckets, role, encryption and network."""

    @property
    def job_bundle(self) -> JobBundle:
        """The job code."""

    @property
    def parameters(self) -> JobLimits:
        """What the run was told."""

    def to_mapping(self) -> Mapping[str, Any]:
        """Return the JSON form, which travels between the tasks."""
