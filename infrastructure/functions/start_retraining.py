"""Lambda function: asks Airflow, through MWAA's REST API, to retrain on raw data that has just landed.

Takes EventBridge's event about the marker of a complete delivery, `raw/<schema>/[<folders>/]_SUCCESS`, out of
a queue. One marker version is one run: the run id is made from it, so an event that comes twice starts one.
An error is raised, not swallowed: the event comes again, and at last lies in the dead-letter queue.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

# A folder directly under raw/ is named after its schema (include/settings/s3_layout.py).
_MARKER_KEY = re.compile(r"raw/(?P<schema>[a-z][a-z0-9_]{0,62})/(?:[^/]+/)*_SUCCESS")
_ALREADY_EXISTS = 409


class UnusableEventError(ValueError):
    """The event names no delivery this project knows; the one-line message says what it names."""


@dataclass(frozen=True)
class Delivery:
    """Raw data that is complete: its folder, its schema, and the run that is to use it."""

    input_data_uri: str
    schema: str
    run_id: str

    def run_request(self) -> dict[str, Any]:
        """Return the body of Airflow's `POST /dags/{dag_id}/dagRuns`."""
        return {
            "dag_run_id": self.run_id,
            "logical_date": None,
            "conf": {
                "input_data_uri": self.input_data_uri,
                "schema": self.schema,
                "reason": "new data landed",
            },
        }


def read_delivery(event: dict[str, Any]) -> Delivery:
    """Read EventBridge's `Object Created` event; raises UnusableEventError."""
    try:
        detail = event["detail"]
        bucket, key = str(detail["bucket"]["name"]), str(detail["object"]["key"])
        version = str(detail["object"].get("version-id") or detail["object"]["sequencer"])
    except (KeyError, TypeError) as error:
        raise UnusableEventError(f"not an S3 `Object Created` event: {error!r} is missing") from None
    match = _MARKER_KEY.fullmatch(key)
    if match is None:
        raise UnusableEventError(f"s3://{bucket}/{key} is not the marker raw/<schema>/[<folders>/]_SUCCESS")
    folder = key.rpartition("/")[0]
    digits = hashlib.sha256(f"{bucket}\n{key}\n{version}".encode()).hexdigest()[:16]
    return Delivery(
        input_data_uri=f"s3://{bucket}/{folder}/",
        schema=match["schema"],
        run_id=f"new_data__{match['schema']}__{digits}",
    )


def start_run(client: Any, environment_name: str, dag_id: str, delivery: Delivery) -> bool:
    """Ask Airflow for the run; returns whether it is new. Every other refusal is the caller's to see."""
    try:
        client.invoke_rest_api(
            Name=environment_name,
            Path=f"/dags/{dag_id}/dagRuns",
            Method="POST",
            Body=delivery.run_request(),
        )
    except client.exceptions.RestApiClientException as error:
        if error.response.get("RestApiStatusCode") != _ALREADY_EXISTS:
            raise
        return False
    return True


def read_message(event: dict[str, Any]) -> dict[str, Any]:
    """Return EventBridge's event: the body of the one message of a queue, or what a person handed in."""
    if "Records" not in event:
        return event
    (message,) = event["Records"]
    carried: dict[str, Any] = json.loads(message["body"])
    return carried


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Start one retraining run for one delivery; what Lambda calls."""
    delivery = read_delivery(read_message(event))
    is_new = start_run(
        _client(), os.environ["AIRFLOW_ENVIRONMENT_NAME"], os.environ["RETRAINING_DAG_ID"], delivery
    )
    result = {"run_id": delivery.run_id, "input_data_uri": delivery.input_data_uri, "is_new": is_new}
    print(json.dumps(result))
    return result


@cache
def _client() -> Any:
    import boto3

    return boto3.client("mwaa")
