"""SCHEMA=…: a schema of the project by name, one that lies in S3, or a person's own file, uploaded."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from include.data_contracts.feature_schema import ContractError, FeatureSchema, load_schema
from local_airflow.request_variables import path_of_caller, read_text
from local_airflow.stack_settings import DATA_BUCKET, StackError

type SchemaChoice = str | Path
_FILE_ENDINGS = (".yaml", ".yml", ".json")


def read_schema_choice() -> SchemaChoice | None:
    """Return SCHEMA: a name or an S3 address as text, a person's own file as its path.

    The file is read here, so that a mistake in it is told before anything starts. Raises StackError.
    """
    text = read_text("SCHEMA")
    if text is None or text.startswith("s3://"):
        return text
    path = path_of_caller(text)
    try:
        if text.endswith(_FILE_ENDINGS):
            load_schema(str(path))
            return path
        load_schema(text)
    except ContractError as error:
        raise StackError(f"SCHEMA={text}: {error}") from None
    return text


def place_schema(s3: Any, choice: SchemaChoice) -> str:
    """Return what the DAG's `schema` takes; a file is uploaded under a name made from its content first."""
    if isinstance(choice, str):
        return choice
    key = f"schemas/{hashlib.sha256(choice.read_bytes()).hexdigest()[:16]}/{choice.name}"
    s3.upload_file(str(choice), DATA_BUCKET, key)
    return f"s3://{DATA_BUCKET}/{key}"


def read_schema_name(s3: Any, schema: str) -> str:
    """Return the name that a placed schema gives itself: folders of batches are called by it."""
    if not schema.startswith("s3://"):
        return schema
    location = urlsplit(schema)
    try:
        stored = s3.get_object(Bucket=location.netloc, Key=location.path.strip("/"))
        return FeatureSchema.from_text(stored["Body"].read().decode(), schema).name
    except (s3.exceptions.ClientError, UnicodeDecodeError, ContractError) as error:
        raise StackError(f"SCHEMA={schema}: cannot be read: {error}") from None
