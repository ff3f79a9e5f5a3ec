"""Where everything lies in the artifact and data buckets; pure text, no AWS call.

```
s3://{artifact}/job-bundles/{sha256}/{sourcedir.tar.gz, churn_jobs.pyz}   job-bundles/current.json
s3://{artifact}/retraining/{run}/{schema, plan}.json
s3://{artifact}/retraining/{run}/{stage}/{job name}/...                   one folder per attempt
s3://{artifact}/retraining/{run}/train/checkpoints/{job name}/            spot training
s3://{artifact}/monitoring-runs/{run}/schema.json                         a monitoring run, laid out alike
s3://{artifact}/monitoring-runs/{run}/detect_drift/{job name}/drift/...
s3://{artifact}/monitoring/{group}/{version}/monitor_state.json           evidence of all its days
s3://{artifact}/monitoring/{group}/{version}/predictions/{date}/predictions.csv
s3://{artifact}/monitoring/{group}/{version}/days/{date}/{day, metrics}.json
s3://{artifact}/monitoring/{group}/deliveries/{date}.json                 whether a batch came
s3://{artifact}/monitoring/{group}/messages/{date}/{number}.json          what people are told, in order
s3://{artifact}/monitoring/{group}/messages/{date}/{number}-sent.json     that SNS has taken it
s3://{artifact}/monitoring/{group}/retraining-requests/{date}.json
s3://{data}/raw/{schema}/                                                 raw data, unless a run names its own
s3://{data}/current/{schema}/{date}/                                      a day's batch, by default
s3://{data}/labels/{schema}/{date}/                                       its outcomes, when known
```
"""

import hashlib
import re
import unicodedata

BUNDLE_PREFIX = "job-bundles"
BUNDLE_POINTER_KEY = f"{BUNDLE_PREFIX}/current.json"
TRAINING_SOURCE_FILE = "sourcedir.tar.gz"
PROCESSING_SOURCE_FILE = "churn_jobs.pyz"
SENT_ENDING = "-sent.json"
_MOST_SLUG_CHARACTERS = 60
_S3_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


def run_slug(run_id: str) -> str:
    """Return the run id as letters, digits and single hyphens, at most 60 characters, never empty.

    Different run ids may share a slug: a name that must be unique also holds `run_hash`.
    """
    ascii_text = unicodedata.normalize("NFKD", run_id).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", ascii_text).strip("-")[:_MOST_SLUG_CHARACTERS].strip("-")
    return slug or "run"


def run_hash(dag_id: str, run_id: str) -> str:
    """Return 10 hexadecimal digits that tell this run from every other one."""
    # A surrogate from a broken client must not end a run: it only has to hash to something.
    return hashlib.sha256(f"{dag_id}\n{run_id}".encode("utf-8", "backslashreplace")).hexdigest()[:10]


def run_prefix(artifact_bucket: str, slug: str, hash_digits: str) -> str:
    """Return the S3 URI, without a closing slash, under which everything of one run lies."""
    return f"s3://{artifact_bucket}/retraining/{slug}-{hash_digits}"


def schema_uri(prefix: str) -> str:
    """Return where a run keeps the schema it was prepared with (JSON, which the job images can read)."""
    return f"{prefix}/schema.json"


def plan_uri(prefix: str) -> str:
    """Return where a retraining run keeps its plan: what was asked, of which data, with which code."""
    return f"{prefix}/plan.json"


def job_prefix(prefix: str, stage: str, job_name: str) -> str:
    """Return the folder of one attempt: two attempts never mix their part files."""
    return f"{prefix}/{stage}/{job_name}"


def default_input_uri(data_bucket: str, schema: str) -> str:
    """Return where raw data lies when a run names no place; `schema` is a bundled name or an S3 URI."""
    name = schema.rpartition("/")[2].rpartition(".")[0] if schema.startswith("s3://") else schema
    return f"s3://{data_bucket}/raw/{name}/"


def bundle_prefix(artifact_bucket: str, sha256: str) -> str:
    """Return the folder of one job bundle; its name is its content."""
    return f"s3://{artifact_bucket}/{BUNDLE_PREFIX}/{sha256}"


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key (or prefix); raises ValueError for anything but s3://bucket/key."""
    match = _S3_URI.fullmatch(uri)
    if not match:
        raise ValueError(f"{uri!r:.200} is not an S3 address like s3://bucket/folder/")
    return match.group(1), match.group(2) or ""


def monitoring_run_prefix(artifact_bucket: str, slug: str, hash_digits: str) -> str:
    """Return the S3 URI, without a closing slash, under which everything of one monitoring run lies."""
    return f"s3://{artifact_bucket}/monitoring-runs/{slug}-{hash_digits}"


def monitoring_prefix(artifact_bucket: str, group: str, version: str) -> str:
    """Return where what is known of one model version's days lies, whichever run found it out."""
    return f"{group_prefix(artifact_bucket, group)}/{version}"


def monitor_state_uri(prefix: str) -> str:
    """Return the one sequential state of a model version; `prefix` is that of `monitoring_prefix`."""
    return f"{prefix}/monitor_state.json"


def predictions_uri(prefix: str, date: str) -> str:
    """Return the model version's scores of one day's batch; `date` is YYYY-MM-DD here and below."""
    return f"{prefix}/predictions/{date}/predictions.csv"


def days_prefix(prefix: str) -> str:
    """Return the folder that holds one folder per recorded day, with its closing slash."""
    return f"{prefix}/days/"


def day_record_uri(prefix: str, date: str) -> str:
    """Return what one day came to."""
    return f"{days_prefix(prefix)}{date}/day.json"


def group_prefix(artifact_bucket: str, group: str) -> str:
    """Return where what is known of a model package group lies, whatever its approved version."""
    return f"s3://{artifact_bucket}/monitoring/{group}"


def deliveries_prefix(prefix: str) -> str:
    """Return the folder of one record per day's delivery; `prefix` is a group's or a trial's own."""
    return f"{prefix}/deliveries/"


def delivery_uri(prefix: str, date: str) -> str:
    """Return whether, and which, batch came on a day."""
    return f"{deliveries_prefix(prefix)}{date}.json"


def messages_prefix(artifact_bucket: str, group: str) -> str:
    """Return the folder of all messages about a group, with its closing slash."""
    return f"{group_prefix(artifact_bucket, group)}/messages/"


def message_uri(folder: str, date: str, number: int) -> str:
    """Return one message of a day, the first being 1; `folder` is that of `messages_prefix`."""
    return f"{folder}{date}/{number:03}.json"


def sent_uri(message: str) -> str:
    """Return the proof that a message was sent, beside the message itself."""
    return f"{message.removesuffix('.json')}{SENT_ENDING}"


def metrics_marker_uri(prefix: str, date: str) -> str:
    """Return the marker of a day's published metrics."""
    return f"{days_prefix(prefix)}{date}/metrics.json"


def retraining_requests_prefix(artifact_bucket: str, group: str) -> str:
    """Return the folder of a group's requested retrainings (cooldown, monthly budget), with its slash."""
    return f"{group_prefix(artifact_bucket, group)}/retraining-requests/"


def retraining_request_uri(artifact_bucket: str, group: str, date: str) -> str:
    """Return the record of the retraining that one day's drift asked for."""
    return f"{retraining_requests_prefix(artifact_bucket, group)}{date}.json"


def default_batch_uri(data_bucket: str, schema_name: str, date: str) -> str:
    """Return where a day's batch lies unless a run names another place."""
    return f"s3://{data_bucket}/current/{schema_name}/{date}/"


def default_labels_uri(data_bucket: str, schema_name: str, date: str) -> str:
    """Return where the outcomes of the customers of a day's batch lie when they have come."""
    return f"s3://{data_bucket}/labels/{schema_name}/{date}/"
