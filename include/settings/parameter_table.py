"""What the tables of run parameters are made of; each DAG has a table of its own beside this module."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECONDS_PER_DAY = 86_400

# CPU families only, because the images are CPU builds; without local disks, because volume_size_gb is an EBS
# volume. Both processing and training accept all of these (a test asks SageMaker's own list).
_INSTANCE_SIZES: Mapping[str, tuple[str, ...]] = {
    "t3": ("medium", "large", "xlarge", "2xlarge"),
    "m5": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "m6i": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    "m7i": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    "c5": ("xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge"),
    "c6i": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    "c7i": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
    "r5": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"),
}  # fmt: skip
INSTANCE_TYPES = tuple(f"ml.{family}.{size}" for family, sizes in _INSTANCE_SIZES.items() for size in sizes)

S3_PLACE = r"s3://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]/"

# Any language, but nothing invisible and no half of a surrogate pair.
KEY_CHARACTERS = r"[^\x00-\x1f\x7f\ud800-\udfff]*"

# An emptied field of the trigger form is sent as null.
ADDRESS_OF_A_PLACE: Mapping[str, Any] = {
    "type": ["string", "null"],
    "maxLength": 500,
    "pattern": rf"^({S3_PLACE}{KEY_CHARACTERS})?$",
    "$comment": "an S3 address such as s3://bucket/folder/, or empty",
}
REASON: Mapping[str, Any] = {"type": ["string", "null"], "maxLength": 500}


@dataclass(frozen=True)
class Parameter:
    """One parameter: its JSON Schema (type, bounds, choices), default and what a person reads about it."""

    name: str
    section: str
    title: str
    description: str
    default: Any
    schema: Mapping[str, Any]


def choice(values: tuple[str, ...]) -> dict[str, Any]:
    """Return the schema of one of several words."""
    return {"type": "string", "enum": list(values)}


def whole_number(minimum: int, maximum: int) -> dict[str, Any]:
    """Return the schema of a whole number within bounds, both included."""
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def number(minimum: float, maximum: float) -> dict[str, Any]:
    """Return the schema of a number within bounds, both included."""
    return {"type": "number", "minimum": minimum, "maximum": maximum}


def share(minimum: float = 0.0, maximum: float = 1.0) -> dict[str, Any]:
    """Return the schema of a share, both bounds included."""
    return number(minimum, maximum)


VOLUME = Parameter(
    "volume_size_gb",
    "Machines",
    "Volume (GB)",
    "Size of each job's disk in GB; three times the size of the raw data is ample.",
    30,
    whole_number(1, 16_384),
)
RUNTIME = Parameter(
    "max_runtime_seconds",
    "Machines",
    "Longest run of a job (seconds)",
    "A job that runs longer is stopped and its task fails.",
    3_600,
    whole_number(60, SECONDS_PER_DAY),
)
