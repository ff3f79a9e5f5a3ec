"""What every kind of container starts from: the job's record, its directory and where its data lies."""

from dataclasses import dataclass
from typing import Any

from local_aws.container_layout import JobDirectory
from local_aws.job_environments import JobEnvironment
from local_aws.object_store import ObjectStore


@dataclass(frozen=True)
class JobContainer:
    """One job about to run: `record` as the stand-in keeps it, `endpoint` where the job finds AWS."""

    record: dict[str, Any]
    directory: JobDirectory
    store: ObjectStore
    environment: JobEnvironment
    endpoint: str

    @property
    def _request(self) -> dict[str, Any]:
        return self.record["Request"]
