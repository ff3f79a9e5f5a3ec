"""Files of a run on the laptop's disk: documents written whole or not at all, reports fetched from S3."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local_airflow.stack_settings import PROJECT_ROOT


def write_document(path: Path, document: Any) -> None:
    """Write strict JSON; whoever reads the path finds the old document or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    temporary.replace(path)


def fetch_object(s3: Any, uri: str, folder: Path) -> Path:
    """Download one S3 object into the folder under its own name; returns the file."""
    location = urlsplit(uri)
    target = folder / Path(location.path).name
    folder.mkdir(parents=True, exist_ok=True)
    s3.download_file(location.netloc, location.path.strip("/").replace("//", "/"), str(target))
    return target


def shown(path: Path) -> str:
    """Return the path as a person types it: relative to the project when it lies there."""
    return str(path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path)
