"""Parts that several requests share: tags, texts in SageMaker's alphabets, inputs and outputs of a job."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from include.data_contracts.run_plan import RunPlan

TAG_VALUE_LIMIT = 256
PROPERTY_LIMIT = 256
DESCRIPTION_LIMIT = 1024
ENVIRONMENT_TAG = "churn:environment"
JOB_ENVIRONMENT = {"PYTHONUNBUFFERED": "1"}
_TAG_PUNCTUATION = frozenset("_.:/=+-@")
_LAST_CHARACTER_OF_BASIC_PLANE = "\uffff"

type Request = dict[str, Any]


def tag_text(text: str, limit: int = TAG_VALUE_LIMIT) -> str:
    """Return `text` in the alphabet of tags and customer properties, at most `limit` characters.

    Letters, digits and spaces of any language and `_.:/=+-@` stay; anything else becomes `_`.
    """
    return "".join(c if _is_tag_character(c) else "_" for c in text)[:limit].strip()


def _is_tag_character(character: str) -> bool:
    if character > _LAST_CHARACTER_OF_BASIC_PLANE:  # AWS may count such a one as two characters
        return False
    # Line and paragraph separators are category Z too, but no text for one line.
    category = unicodedata.category(character)
    return character in _TAG_PUNCTUATION or category[0] in "LN" or category == "Zs"


def description_text(text: str, limit: int = DESCRIPTION_LIMIT) -> str:
    """Return `text` as SageMaker's descriptions take it: no control or unassigned characters, one line."""
    kept = "".join(c if _is_description_character(c) else " " for c in text)
    return " ".join(kept.split())[:limit].rstrip()


def _is_description_character(character: str) -> bool:
    is_in_basic_plane = character <= _LAST_CHARACTER_OF_BASIC_PLANE
    return is_in_basic_plane and unicodedata.category(character)[0] in "LMSNP"


def run_tags(plan: RunPlan, stage: str) -> list[dict[str, str]]:
    """Return the tags of one job of a run; the budget of a deployment counts by `churn:environment`."""
    name = plan.environment.environment_name
    values = {
        **({ENVIRONMENT_TAG: name} if name else {}),
        "churn:dag-id": plan.dag_id,
        "churn:run-id": plan.run_id,
        "churn:stage": stage,
        "churn:data-origin": plan.data_origin,
    }
    return [{"Key": key, "Value": tag_text(value)} for key, value in values.items()]


def processing_input(name: str, uri: str, local_path: str) -> Request:
    """Return one processing input: an S3 object or folder, copied whole before the container starts."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": local_path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def processing_output(name: str, uri: str, local_path: str) -> Request:
    """Return one processing output, copied to S3 when the job has ended well."""
    return {
        "OutputName": name,
        "S3Output": {"S3Uri": uri, "LocalPath": local_path, "S3UploadMode": "EndOfJob"},
    }


def training_channel(name: str, uri: str, content_type: str) -> Request:
    """Return one training channel: an S3 object or folder, copied whole to /opt/ml/input/data/<name>."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": content_type,
        "CompressionType": "None",
        "InputMode": "File",
    }


def vpc_config(plan: RunPlan) -> Request | None:
    """Return the private network of the jobs, or None when they run in SageMaker's own."""
    environment = plan.environment
    if not environment.subnet_ids:
        return None
    return {
        "SecurityGroupIds": list(environment.security_group_ids),
        "Subnets": list(environment.subnet_ids),
    }


def without_empty(request: Mapping[str, Any]) -> Request:
    """Return the request without None and empty values: SageMaker refuses some empty lists."""
    return {key: value for key, value in request.items() if value is not None and value not in ([], {}, ())}
