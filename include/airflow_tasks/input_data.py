"""The raw data of a retraining run: found once, fingerprinted, and looked at again before they are read."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.s3_documents import dataset_fingerprint, exact_uri, list_objects
from include.data_contracts.data_quality_report import SYNTHETIC_MARKER
from include.data_contracts.retraining_plan import RetrainingPlan
from include.settings.environment import Environment
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.s3_layout import default_input_uri

_WHAT = "the raw data"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InputData:
    """Where raw data lie and which objects they are; no objects where customers are to be invented."""

    uri: str
    objects: Sequence[dict[str, Any]]
    is_marked_synthetic: bool

    @property
    def data_origin(self) -> str:
        """Either real or synthetic."""
        return "synthetic" if self.is_marked_synthetic or not self.objects else "real"


def find_input_data(s3: S3Hook, parameters: RetrainingParameters, environment: Environment) -> InputData:
    """Return the run's raw data, or none where there are none and synthetic ones were asked for.

    Raises AirflowFailException in one line for missing data and for an ambiguous address.
    """
    uri = parameters.input_data_uri or default_input_uri(environment.data_bucket, parameters.schema)
    objects = list_objects(s3, uri, what=_WHAT)
    if objects:
        uri = exact_uri(s3, uri, objects, parameter="input_data_uri")
        return InputData(uri, objects, _is_marked_synthetic(s3, uri, objects))
    if parameters.on_missing_data == "synthetic":
        log.warning("No data under %s: SYNTHETIC customers, as asked; the model can never be approved.", uri)
        return InputData(uri, [], is_marked_synthetic=False)
    raise AirflowFailException(
        f"no data found under {uri}: upload CSV, gzip CSV or Parquet files there, or set input_data_uri; "
        "to try the pipeline without data set on_missing_data to synthetic"
    )


def refuse_changed_data(plan: RetrainingPlan, *, s3: S3Hook) -> None:
    """Raise AirflowFailException unless the objects under the plan's address are those it was made for.

    A job reads whatever lies there when it starts; the plan's fingerprint is what the model is registered
    with. What changes in the seconds between this look and the job's own reading shows in the digest of the
    rows, which preprocess makes and which is registered too.
    """
    if plan.invents_customers:
        return
    objects = list_objects(s3, plan.input_data_uri, what=_WHAT)
    if dataset_fingerprint(objects) == plan.dataset_fingerprint:
        return
    newest = max(objects, key=lambda entry: entry["LastModified"], default=None)
    found = (
        f"the newest of {len(objects)} objects is {newest['Key']}, written {newest['LastModified']:%F %T} UTC"
        if newest
        else "nothing is left there"
    )
    raise AirflowFailException(
        f"the data under {plan.input_data_uri} have changed since prepare_run ({found}): trigger a new run, "
        "because this one's plan and fingerprint are of the data as they were"
    )


def _is_marked_synthetic(s3: S3Hook, uri: str, objects: Sequence[dict[str, Any]]) -> bool:
    """Whether the generator's marker lies among the objects or in a folder above them.

    A file or a subfolder of synthetic data stays synthetic when it is named alone.
    """
    if any(str(entry["Key"]).rpartition("/")[2] == SYNTHETIC_MARKER for entry in objects):
        return True
    bucket, key = s3.parse_s3_url(uri)
    return any(
        entry["Key"] == marker
        for marker in _markers_above(key)
        # Listed, not asked for: reading may be allowed below a prefix only, listing is for the bucket.
        for entry in list_objects(s3, f"s3://{bucket}/{marker}", what=_WHAT, with_empty=True)
    )


def _markers_above(key: str) -> Iterator[str]:
    """Yield where a marker would lie that covers `key`, a file or a folder: nearest first, the root last."""
    folder = key.rstrip("/")
    while folder:
        folder = folder.rpartition("/")[0]
        yield f"{folder}/{SYNTHETIC_MARKER}" if folder else SYNTHETIC_MARKER
